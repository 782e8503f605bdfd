/** Receiving goes on while the event loop is busy, and the event loop goes on while receives wait. */
import { expect, test, vi } from 'vitest';

import { runtime } from '../dist/src/io-runtime.js';
import { CTL_PUBLISHED_MESSAGES } from '../dist/src/layout.js';
// Modules and not the bundle, which has their insides to itself.
import { attachmentOf, type Socket } from '../dist/src/socket.js';
import { Pull, Push } from '../dist/src/sockets.js';
import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { addToChecksum, endpoints, patternChecksum, startPeer } from './peers/index.js';
import { spawn } from './threads.js';

const BUSY_MS = 2000;

/** Occupies this thread. @returns what `look` saw, at intervals */
function stayBusy<Seen>(milliseconds: number, look: () => Seen): Seen[] {
  const seen: Seen[] = [];
  const until = performance.now() + milliseconds;
  for (let next = 0; performance.now() < until; ) {
    if (performance.now() < next) continue;
    seen.push(look());
    next = performance.now() + 50;
  }
  return seen;
}

/** Occupies this thread until something is so that others bring about, for 20 s at most. @returns whether it is */
function stayBusyUntil(isSo: () => boolean): boolean {
  const until = performance.now() + 20_000;
  while (performance.now() < until) if (isSo()) return true;
  return false;
}

test.each([
  ['the high-water mark', { receiveHighWaterMark: 300 }, 16, 300],
  ['the high-water mark it has by itself', {}, 16, 1000],
  ['the bytes that may be fetched ahead', { prefetch: 64 * 1024 }, 1000, 64],
])('while the thread is busy messages come in, up to %s', async (_name, options, size, limit) => {
  const count = 4000;
  const pull = ofTest(new Pull(options));
  const endpoint = pull.bind(endpoints.tcp());
  // Somebody receives: that has an I/O worker stand by, once the thread is no beginner any more.
  const first = pull.recv();
  await vi.waitUntil(() => runtime().standsBy, 10_000);
  const peer = await startPeer('c', 'send', { connect: endpoint, count, size, hold: true });
  const { control, inbox } = attachmentOf(pull as unknown as Socket);
  const published = () => Atomics.load(control, CTL_PUBLISHED_MESSAGES);
  expect(published(), 'before anything was sent').toBe(0);
  peer.go();
  expect(
    stayBusyUntil(() => published() > limit * 0.8),
    `published while busy: ${published()}`,
  ).toBe(true);
  const seen = stayBusy(BUSY_MS, published);
  const filled = inbox.available();
  // Full up to the limit (the message that reaches a limit in bytes goes beyond it), although no event was handled here.
  expect(filled, `published while busy: ${seen}`).toBeGreaterThan(limit * 0.8);
  expect(filled).toBeLessThanOrEqual(limit + 2);

  let checksum = addToChecksum(0, [await within('the first message', first)]);
  for (let n = 1; n < count; n += 1) {
    checksum = addToChecksum(checksum, await within(`message ${n}`, pull.recvMultipart()));
  }
  expect(checksum).toBe(patternChecksum(count, [size]));
  expect((await peer.result()).sent).toBe(count);
});

test('a sender gets rid of what fits while the receiver is busy', async () => {
  // Less than both marks: nothing but a receiver that looks after its connection is needed for them to leave.
  const count = 900;
  const pull = ofTest(new Pull());
  const endpoint = pull.bind(endpoints.tcp());
  const first = pull.recv();
  const peer = await startPeer('c', 'send', { connect: endpoint, count, size: 2000, hwm: 10, hold: true });
  peer.go();
  stayBusy(BUSY_MS, () => undefined);
  // Its result was printed while this thread was busy, so it is there without any further receive.
  expect((await peer.result(1000)).sent).toBe(count);
  await within('the first message', first);
  for (let n = 1; n < count; n += 1) expect(pull.tryRecv(), `message ${n}`).toBeDefined();
});

test('sends that wait for room go out while the thread is busy', async () => {
  const count = 2000;
  const received = new Int32Array(new SharedArrayBuffer(4));
  const puller = spawn(
    async ({ zmq }, { received, count }, port) => {
      const pull = new zmq.Pull({ receiveHighWaterMark: 10 });
      port.postMessage(pull.bind('tcp://127.0.0.1:*'));
      await new Promise((resolve) => port.once('message', resolve));
      for (let n = 0; n < count; n += 1) {
        pull.recvSync();
        Atomics.add(received, 0, 1);
      }
      pull.close();
    },
    { received, count },
  );
  const push = ofTest(new Push({ sendHighWaterMark: 10 }));
  push.connect((await puller.message('a thread receives')) as string);
  // Large, so that most of them find room neither in libzmq nor in the kernel.
  const sends = Promise.all(Array.from({ length: count }, () => push.send(Buffer.alloc(10_000))));
  await vi.waitUntil(() => runtime().standsBy, 10_000);
  puller.post('go');
  stayBusyUntil(() => Atomics.load(received, 0) === count);
  expect(Atomics.load(received, 0), 'messages received while this thread was busy').toBe(count);
  await within('all were sent', sends);
  await puller.ended('the receiving thread ends');
});

test('timers run on time while receives, sends and polls wait', async () => {
  const pulls = Array.from({ length: 10 }, () => ofTest(new Pull()));
  for (const pull of pulls) {
    pull.bind(endpoints.tcp());
    void pull.recv().catch(() => {});
  }
  // And while other threads block.
  const blocked = spawn(({ zmq }, _, port) => {
    port.postMessage('blocks');
    new zmq.Pull().recvSync();
  }, undefined);
  await blocked.message('another thread blocks');
  let ticks = 0;
  const late: number[] = [];
  await new Promise<void>((resolve) => {
    let due = performance.now() + 20;
    const timer = setInterval(() => {
      late.push(performance.now() - due);
      due = performance.now() + 20;
      ticks += 1;
      if (ticks === 50) {
        clearInterval(timer);
        resolve();
      }
    }, 20);
  });
  const median = late.sort((a, b) => a - b)[25]!;
  expect(median, `lateness of 50 timers: ${late.map((ms) => ms.toFixed(1))}`).toBeLessThan(20);
});

test('a loop over a busy socket lets timers run', async () => {
  const pull = ofTest(new Pull());
  const endpoint = pull.bind(endpoints.tcp());
  // More than any machine sends in half a second: the loop never waits for a sender that is done.
  const peer = await startPeer('c', 'send', { connect: endpoint, count: 1_000_000_000, size: 16 });
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 10);
  const begun = performance.now();
  let received = 0;
  for await (const _ of pull) {
    received += 1;
    if (performance.now() - begun > 500) break;
  }
  clearInterval(timer);
  expect(received).toBeGreaterThan(1000);
  expect(ticks, `timers of 10 ms in 500 ms, ${received} messages`).toBeGreaterThan(10);
  await peer.kill();
});
