/** Which thread of a server gets which request, in which order, and what holds none of them up. */
import { describe, expect, it } from 'vitest';

import { within } from './bounded.js';
import { startPeer } from './peers/index.js';
import { dealerTo, handlerOf, start } from './serving.js';

interface Handled {
  key: string;
  number: number;
  thread: string;
}

/** Sends requests of these keys, numbered, and gives the replies as they come. */
async function ask(endpoint: string, keys: readonly string[]): Promise<Handled[]> {
  const dealer = dealerTo(endpoint);
  const sending = (async () => {
    for (const [number, key] of keys.entries()) await dealer.send(['', key, `${number}`]);
  })();
  const handled: Handled[] = [];
  while (handled.length < keys.length) {
    const reply = await within(`reply ${handled.length}`, dealer.recvMultipart(), 20_000);
    const [, key, number, thread] = reply.map(String);
    handled.push({ key: key!, number: Number(number), thread: thread! });
  }
  await sending;
  return handled;
}

const keysOf = (count: number, different: number): string[] =>
  Array.from({ length: count }, (_, n) => `key ${(n * 7919) % different}`);

describe('by key', () => {
  it.each([
    ['header', { key: 'header' as const }, (key: string) => key],
    ['a frame by its number', { key: 0 }, (key: string) => key],
    // What is behind the first digit: keys that end alike are one.
    ['bytes of a frame', { key: { frame: 0, start: 5 } }, (key: string) => key.slice(5)],
  ])('%s: one thread for each, and in order, however long each takes', async (_, route, partOf) => {
    const { server } = await start({ handler: handlerOf('keyed.mjs'), threads: 3, route });
    const keys = keysOf(600, 13);
    const handled = await ask(server.endpoint, keys);
    const last = new Map<string, Handled>();
    for (const one of handled) {
      const part = partOf(one.key);
      const before = last.get(part);
      if (before !== undefined) {
        expect(one.number, `after ${before.number}, of ${part}`).toBeGreaterThan(before.number);
        expect(one.thread, `the thread of ${part}`).toBe(before.thread);
      }
      last.set(part, one);
    }
    expect(last.size).toBe(new Set(keys.map(partOf)).size);
    expect(new Set(handled.map(({ thread }) => thread)).size).toBeGreaterThan(1);
  });

  it('peer: all that one peer asks goes to one thread, in order', async () => {
    const route = { key: 'peer' as const };
    const { server } = await start({ handler: handlerOf('keyed.mjs'), threads: 2, route });
    const peers = await Promise.all(Array.from({ length: 6 }, () => ask(server.endpoint, keysOf(100, 5))));
    for (const handled of peers) {
      expect(handled.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, n) => n));
      expect(new Set(handled.map(({ thread }) => thread)).size).toBe(1);
    }
  });
});

it('round-robin: each thread gets as much as the others', async () => {
  const { server } = await start({ handler: handlerOf('keyed.mjs'), threads: 3, route: 'round-robin' });
  const handled = await ask(server.endpoint, keysOf(300, 5));
  for (const thread of ['0', '1', '2']) {
    expect(handled.filter((one) => one.thread === thread)).toHaveLength(100);
  }
});

it('least-loaded: a thread that is slow does not hold up the others', async () => {
  // What is in its lane already waits behind it, so that is kept short where handlers may take long.
  const limits = { threads: 2, concurrency: 1, maxInFlight: 8 };
  const { server } = await start({ handler: handlerOf('keyed.mjs'), ...limits });
  const handled = await ask(server.endpoint, ['slow', ...keysOf(200, 5)]);
  const at = handled.findIndex(({ key }) => key === 'slow');
  const behind = handled.slice(at + 1);
  expect(behind.every(({ thread }) => thread === handled[at]!.thread)).toBe(true);
  expect(behind.length).toBeLessThan(8);
});

it('the main thread has no part in it', async () => {
  const count = 2000;
  const { server } = await start({ handler: handlerOf('keyed.mjs'), threads: 2 });
  const client = await startPeer('c', 'request', {
    type: 'DEALER',
    connect: server.endpoint,
    count,
    shapes: [[8, 8]],
    window: 100,
    delimiter: true,
    unordered: true,
    any: true,
    hold: true,
  });
  client.go();
  const blocked = new Int32Array(new SharedArrayBuffer(4));
  for (let n = 0; n < 400 && server.stats().handled < count; n += 1) Atomics.wait(blocked, 0, 0, 50);
  // Not one turn of the event loop since: it is all done.
  expect(server.stats().handled).toBe(count);
  client.stop();
});
