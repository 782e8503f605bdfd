/**
 * The loops that are timed. The asynchronous ones are the very same for zeromq-threads and npm zeromq, whose
 * sockets look alike that far; the others use what only zeromq-threads has.
 *
 * Every loop looks at the first byte and the size of each message. Receivers start the clock at the first delivery
 * and leave that delivery out of `timed`.
 */
import { makePayloads } from './expected.mjs';

export async function pullForAwait(socket, { count }) {
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for await (const frames of socket) {
    if (received === 0) start = performance.now();
    const frame = frames[0];
    checksum += frame[0];
    bytes += frame.length;
    if (++received === count) break;
  }
  return { count: received, timed: received - 1, checksum, bytes, seconds: secondsSince(start) };
}

export async function pullBatches(socket, { count }) {
  let received = 0;
  let first = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for await (const batch of socket.batches()) {
    const { data, length } = batch;
    if (received === 0) {
      start = performance.now();
      first = length;
    }
    for (let i = 0; i < length; i++) {
      checksum += data[batch.offset(i)];
      bytes += batch.size(i);
    }
    received += length;
    if (received >= count) break;
  }
  return { count: received, timed: received - first, checksum, bytes, seconds: secondsSince(start) };
}

export async function pushAwait(socket, { count, size }) {
  const payloads = makePayloads(size);
  let checksum = 0;
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const payload = payloads[n & 255];
    checksum += payload[0];
    await socket.send(payload);
  }
  return { count, timed: count, checksum, bytes: count * size, seconds: secondsSince(start) };
}

export function pushSync(socket, { count, size }) {
  const payloads = makePayloads(size);
  let checksum = 0;
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const payload = payloads[n & 255];
    checksum += payload[0];
    socket.sendSync(payload);
  }
  return { count, timed: count, checksum, bytes: count * size, seconds: secondsSince(start) };
}

export async function echoServer(socket, { count }) {
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for await (const frames of socket) {
    if (received === 0) start = performance.now();
    const body = frames[1];
    checksum += body[0];
    bytes += body.length;
    await socket.send(frames);
    if (++received === count) break;
  }
  return { count: received, timed: received - 1, checksum, bytes, seconds: secondsSince(start) };
}

export function echoServerSync(socket, { count }) {
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for (let received = 0; received < count; received++) {
    const frames = socket.recvMultipartSync();
    if (received === 0) start = performance.now();
    const body = frames[1];
    checksum += body[0];
    bytes += body.length;
    socket.sendSync(frames);
  }
  return { count, timed: count - 1, checksum, bytes, seconds: secondsSince(start) };
}

export async function echoClient(socket, { count, size, window }) {
  const payloads = makePayloads(size);
  let received = 0;
  let sent = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for (; sent < window && sent < count; sent++) await socket.send(payloads[sent & 255]);
  for await (const frames of socket) {
    if (received === 0) start = performance.now();
    const body = frames[0];
    checksum += body[0];
    bytes += body.length;
    if (++received === count) break;
    if (sent < count) await socket.send(payloads[sent++ & 255]);
  }
  return { count: received, timed: received - 1, checksum, bytes, seconds: secondsSince(start) };
}

export function echoClientSync(socket, { count, size, window }) {
  const payloads = makePayloads(size);
  let sent = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for (; sent < window && sent < count; sent++) socket.sendSync(payloads[sent & 255]);
  for (let received = 0; received < count; received++) {
    const body = socket.recvMultipartSync()[0];
    if (received === 0) start = performance.now();
    checksum += body[0];
    bytes += body.length;
    if (sent < count) socket.sendSync(payloads[sent++ & 255]);
  }
  return { count, timed: count - 1, checksum, bytes, seconds: secondsSince(start) };
}

export async function echoLatency(socket, { count, size, warmup }) {
  const payloads = makePayloads(size);
  const trips = new Float64Array(count);
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for (let n = 0; n < warmup + count; n++) {
    const begin = performance.now();
    if (n === warmup) start = begin;
    await socket.send(payloads[n & 255]);
    const frames = await socket.receive();
    if (n >= warmup) trips[n - warmup] = performance.now() - begin;
    checksum += frames[0][0];
    bytes += frames[0].length;
  }
  return latencyResult(trips, secondsSince(start), { count: warmup + count, checksum, bytes });
}

export function echoLatencySync(socket, { count, size, warmup }) {
  const payloads = makePayloads(size);
  const trips = new Float64Array(count);
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for (let n = 0; n < warmup + count; n++) {
    const begin = performance.now();
    if (n === warmup) start = begin;
    socket.sendSync(payloads[n & 255]);
    const frames = socket.recvMultipartSync();
    if (n >= warmup) trips[n - warmup] = performance.now() - begin;
    checksum += frames[0][0];
    bytes += frames[0].length;
  }
  return latencyResult(trips, secondsSince(start), { count: warmup + count, checksum, bytes });
}

function latencyResult(trips, seconds, totals) {
  trips.sort();
  const at = (part) => trips[Math.floor(trips.length * part)] * 1000;
  return { ...totals, timed: trips.length, seconds, p50: at(0.5), p99: at(0.99) };
}

function secondsSince(start) {
  return (performance.now() - start) / 1000;
}

/** The roles that both JavaScript libraries can play. */
export const ASYNC_ROLES = {
  pull: ['Pull', pullForAwait],
  push: ['Push', pushAwait],
  'echo-server': ['Router', echoServer],
  'echo-client': ['Dealer', echoClient],
  'echo-latency': ['Dealer', echoLatency],
};

/** What only zeromq-threads has. */
export const THREADS_ROLES = {
  'pull-batches': ['Pull', pullBatches],
  'push-sync': ['Push', pushSync],
  'echo-server-sync': ['Router', echoServerSync],
  'echo-client-sync': ['Dealer', echoClientSync],
  'echo-latency-sync': ['Dealer', echoLatencySync],
};
