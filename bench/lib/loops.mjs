/**
 * The loops that are timed. The asynchronous ones are the very same for zeromq-threads and npm zeromq, whose
 * sockets look alike that far; the others use what only zeromq-threads has.
 *
 * Every loop looks at the first byte and the size of each message. Receivers start the clock at the first delivery
 * and leave that delivery out of `timed`.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { makePayloads } from './expected.mjs';
import { PERCENTILES } from './latency.mjs';

export async function pullForAwait(socket, { count }) {
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for await (const frames of socket) {
    if (received === 0) start = performance.now();
    checksum += frames[0][0];
    for (let i = 0; i < frames.length; i++) bytes += frames[i].length;
    if (++received === count) break;
  }
  return { count: received, timed: received - 1, checksum, bytes, seconds: secondsSince(start) };
}

/** One call for each message, as far as its frames. */
export async function pullRecv(socket, { count }) {
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  while (received < count) {
    let frame = await socket.recv();
    if (received === 0) start = performance.now();
    checksum += frame[0];
    bytes += frame.length;
    while (frame.more) {
      frame = await socket.recv();
      bytes += frame.length;
    }
    received++;
  }
  return { count: received, timed: received - 1, checksum, bytes, seconds: secondsSince(start) };
}

export function pullSync(socket, { count }) {
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  while (received < count) {
    let frame = socket.recvSync();
    if (received === 0) start = performance.now();
    checksum += frame[0];
    bytes += frame.length;
    while (frame.more) {
      frame = socket.recvSync();
      bytes += frame.length;
    }
    received++;
  }
  return { count: received, timed: received - 1, checksum, bytes, seconds: secondsSince(start) };
}

/** All sockets at once, until they have received `count` messages between them. */
export async function pullMany(_, { all, count }) {
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  let seconds = 0;
  const pull = async (socket) => {
    for await (const [frame] of socket) {
      if (received === 0) start = performance.now();
      checksum += frame[0];
      bytes += frame.length;
      if (++received === count) {
        seconds = secondsSince(start);
        for (const each of all) each.close();
        break;
      }
    }
  };
  await Promise.all(all.map(pull));
  return { count: received, timed: received - 1, checksum, bytes, seconds };
}

/** How long timers had to wait while the second half of the messages came: the interval less its milliseconds. */
export async function pullWatched(socket, { count }) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  for await (const [frame] of socket) {
    if (received === 0) start = performance.now();
    if (received === count >> 1) delays.enable();
    checksum += frame[0];
    bytes += frame.length;
    if (++received === count) break;
  }
  delays.disable();
  const at = (nanoseconds) => Math.max(0, nanoseconds / 1e3 - 1000);
  return {
    count: received,
    timed: received - 1,
    checksum,
    bytes,
    seconds: secondsSince(start),
    ...Object.fromEntries(PERCENTILES.map(([key, percentile]) => [key, at(delays.percentile(percentile))])),
    max: at(delays.max),
  };
}

/** From the start of the process to the first message. */
export async function firstMessage(socket, { importMilliseconds }) {
  const [frame] = await socket.receive();
  const seconds = performance.now() / 1000;
  return {
    count: 1,
    timed: 1,
    checksum: frame[0],
    bytes: frame.length,
    seconds,
    importSeconds: importMilliseconds / 1000,
  };
}

/** Every DEALER has been answered once, then all of them wait for `idle` milliseconds, then the first asks again. */
export async function idle(_, { all, size, idle: milliseconds }) {
  const payloads = makePayloads(size);
  let checksum = 0;
  let bytes = 0;
  const taken = (frames) => {
    checksum += frames[0][0];
    bytes += frames[0].length;
  };
  await Promise.all(
    all.map(async (socket, n) => {
      await socket.send(payloads[n & 255]);
      taken(await socket.receive());
    }),
  );
  const waiting = all.map((socket) => socket.receive());
  // What set-up left to do is done by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const start = performance.now();
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  const { user, system } = process.cpuUsage(before);
  const seconds = secondsSince(start);
  await all[0].send(payloads[all.length & 255]);
  taken(await waiting[0]);
  for (const other of waiting.slice(1)) other.catch(() => {});
  return {
    count: all.length + 1,
    timed: 1,
    checksum,
    bytes,
    seconds,
    idleCpu: (user + system) / 1e6 / seconds,
  };
}

export async function pullBatches(socket, { count }) {
  let received = 0;
  let first = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  let begins = true;
  for await (const batch of socket.batches()) {
    const { data, length } = batch;
    const before = received;
    for (let i = 0; i < length; i++) {
      if (begins) checksum += data[batch.offset(i)];
      bytes += batch.size(i);
      begins = !batch.more(i);
      if (begins) received++;
    }
    if (before === 0) {
      start = performance.now();
      first = received;
    }
    if (received >= count) break;
  }
  return { count: received, timed: received - first, checksum, bytes, seconds: secondsSince(start) };
}

export async function pushAwait(socket, options) {
  const { count, period } = options;
  const messages = makeMessages(options);
  let checksum = 0;
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const first = n % period;
    checksum += first;
    await socket.send(messages[first]);
  }
  return sent(options, checksum, start);
}

/** From shared memory, which goes without a copy. */
export function pushShared(socket, options) {
  return pushAwait(socket, { ...options, shared: true });
}

export function pushSync(socket, options) {
  const { count, period } = options;
  const messages = makeMessages(options);
  let checksum = 0;
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const first = n % period;
    checksum += first;
    socket.sendSync(messages[first]);
  }
  return sent(options, checksum, start);
}

/** Publishes once all subscriptions have come. */
export async function publish(socket, options) {
  for (let n = 0; n < options.subscriptions; n++) await socket.receive();
  return pushAwait(socket, options);
}

/** One message for each first byte: a frame, or a list of frames of which the first starts with that byte. */
function makeMessages({ size, frames, count, shared }) {
  const payloads = makePayloads(size, { count, shared });
  if (frames === 1) return payloads;
  return payloads.map((payload) => [payload, ...Array.from({ length: frames - 1 }, () => payloads[0])]);
}

function sent({ count, size, frames }, checksum, start) {
  return { count, timed: count, checksum, bytes: count * size * frames, seconds: secondsSince(start) };
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

export async function echoLatency(socket, { count, size, warmup, trips: file }) {
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
  return latencyResult(trips, file, secondsSince(start), { count: warmup + count, checksum, bytes });
}

export function echoLatencySync(socket, { count, size, warmup, trips: file }) {
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
  return latencyResult(trips, file, secondsSince(start), { count: warmup + count, checksum, bytes });
}

/** Keeps `window` requests in flight, each timed by itself: answers come in the order of requests. */
export async function echoWindow(socket, { count, size, window, warmup, trips: file }) {
  const payloads = makePayloads(size);
  const all = warmup + count;
  const sentAt = new Float64Array(window);
  const trips = new Float64Array(count);
  let sent = 0;
  let received = 0;
  let checksum = 0;
  let bytes = 0;
  let start = 0;
  while (sent < window && sent < all) {
    sentAt[sent] = performance.now();
    await socket.send(payloads[sent++ & 255]);
  }
  for await (const [body] of socket) {
    const at = performance.now();
    if (received === warmup) start = at;
    if (received >= warmup) trips[received - warmup] = at - sentAt[received % window];
    checksum += body[0];
    bytes += body.length;
    if (++received === all) break;
    if (sent < all) {
      sentAt[sent % window] = at;
      await socket.send(payloads[sent++ & 255]);
    }
  }
  return latencyResult(trips, file, secondsSince(start), { count: all, checksum, bytes });
}

/** Trips, in milliseconds, go to a file in seconds: latency.mjs makes the percentiles, for all drivers. */
function latencyResult(trips, file, seconds, totals) {
  if (file) writeFileSync(file, new Uint8Array(trips.map((milliseconds) => milliseconds / 1000).buffer));
  return { ...totals, timed: trips.length, seconds };
}

function secondsSince(start) {
  return (performance.now() - start) / 1000;
}

/** Both ends in this thread: `pull` receives what a socket of its own sends. */
function inproc(pull) {
  return async (socket, options) => {
    const sender = new options.library.Push();
    await sender.connect('inproc://bench');
    const [received] = await Promise.all([pull(socket, options), pushAwait(sender, options)]);
    await sender.close();
    return received;
  };
}

/** The roles that both JavaScript libraries can play. */
export const ASYNC_ROLES = {
  pull: ['Pull', pullForAwait],
  'pull-many': ['Pull', pullMany],
  'pull-watched': ['Pull', pullWatched],
  inproc: ['Pull', inproc(pullForAwait)],
  subscribe: ['Subscriber', pullForAwait],
  push: ['Push', pushAwait],
  publish: ['XPublisher', publish],
  'echo-server': ['Router', echoServer],
  'echo-client': ['Dealer', echoClient],
  'echo-latency': ['Dealer', echoLatency],
  'echo-window': ['Dealer', echoWindow],
  'first-message': ['Pull', firstMessage],
  idle: ['Dealer', idle],
};

/** What only zeromq-threads has. */
export const THREADS_ROLES = {
  'pull-batches': ['Pull', pullBatches],
  'inproc-batches': ['Pull', inproc(pullBatches)],
  'pull-recv': ['Pull', pullRecv],
  'pull-sync': ['Pull', pullSync],
  'push-sync': ['Push', pushSync],
  'push-shared': ['Push', pushShared],
  'subscribe-batches': ['Subscriber', pullBatches],
  'echo-server-sync': ['Router', echoServerSync],
  'echo-client-sync': ['Dealer', echoClientSync],
  'echo-latency-sync': ['Dealer', echoLatencySync],
};
