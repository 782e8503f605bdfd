/** Back-pressure: with both high-water marks at 10, a slow consumer stops a fast producer, whichever of them we are. */
import { describe, expect, test } from 'vitest';

import { Pull, Push } from 'zeromq-threads';

import { isPending, turn, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, type Peer, pattern, startPeer, verify } from './peers/index.js';

const COUNT = 100_000;
const SIZE = 4096;
const MARK = 10;
/** How often the slow side stops altogether on the way. */
const STOPS = 8;
/** All of it is 400 MB. What a garbage collector has not come to yet is allowed for, and does not grow with COUNT. */
const FLAT = 150 * (1 << 20);
/** While nobody takes anything there is no garbage either. */
const QUITE_FLAT = 16 * (1 << 20);

/** The highest this process's memory has been seen above what it was at first. */
class MemoryWatch {
  readonly #start: NodeJS.MemoryUsage;
  rss = 0;
  external = 0;

  constructor() {
    globalThis.gc?.();
    this.#start = process.memoryUsage();
  }

  sample(): void {
    const { rss, external } = process.memoryUsage();
    this.rss = Math.max(this.rss, rss - this.#start.rss);
    this.external = Math.max(this.external, external - this.#start.external);
  }

  expectFlat(limit = FLAT): void {
    expect(this.rss, 'growth of the resident set, in bytes').toBeLessThan(limit);
    expect(this.external, 'growth of external memory, in bytes').toBeLessThan(limit);
  }
}

const stops = (n: number) => n > 0 && n % Math.floor(COUNT / STOPS) === 0;

describe.each(['tcp', 'ipc'] as const)('over %s', (transport) => {
  test('our producer, awaiting each send, is stopped by a consumer in C', async () => {
    const push = ofTest(new Push({ sendHighWaterMark: MARK }));
    const peer = await startPeer('c', 'recv', {
      bind: endpoints[transport](),
      count: COUNT,
      size: SIZE,
      hwm: MARK,
      timeout: 60_000,
    });
    push.connect(peer.endpoint);
    const memory = new MemoryWatch();
    let stopped = false;
    let waits = 0;
    for (let n = 0; n < COUNT; n++) {
      if (stops(n)) {
        process.kill(peer.pid, 'SIGSTOP');
        stopped = true;
      }
      const sending = push.send(pattern(n, 0, SIZE));
      if (stopped && (await isPending(sending, 100))) {
        memory.sample();
        waits += 1;
        stopped = false;
        process.kill(peer.pid, 'SIGCONT');
      }
      await within(`message ${n} is accepted`, sending);
      if (n % 1000 === 0) memory.sample();
    }
    if (stopped) process.kill(peer.pid, 'SIGCONT');
    expect((await peer.result()).received).toBe(COUNT);
    expect(waits, 'times the consumer was waited for').toBeGreaterThan(STOPS / 2);
    memory.expectFlat();
  });

  test('our slow consumer stops a producer in C', async () => {
    const pull = ofTest(new Pull({ receiveHighWaterMark: MARK }));
    const peer = await startPeer('c', 'send', {
      connect: pull.bind(endpoints[transport]()),
      count: COUNT,
      size: SIZE,
      hwm: MARK,
      stay: true,
      timeout: 60_000,
    });
    const memory = new MemoryWatch();
    for (let n = 0; n < COUNT; n++) {
      if (stops(n)) await pausedFor(memory);
      verify([await within(`message ${n} comes`, pull.recv())], n, [SIZE]);
      if (n % 1000 === 0) memory.sample();
    }
    expect(pull.tryRecv(), 'more than was sent').toBeUndefined();
    peer.stop();
    expect((await peer.result()).sent).toBe(COUNT);
    memory.expectFlat();
  });

  test('a consumer of ours that takes nothing keeps a producer in C from ever ending', async () => {
    const pull = ofTest(new Pull({ receiveHighWaterMark: MARK }));
    const peer = await startPeer('c', 'send', {
      connect: pull.bind(endpoints[transport]()),
      count: COUNT,
      size: SIZE,
      hwm: MARK,
      timeout: 60_000,
    });
    verify([await within('the first message comes', pull.recv())], 0, [SIZE]);
    const memory = new MemoryWatch();
    expect(await isPending(done(peer), 300), 'the producer waits').toBe(true);
    for (let n = 0; n < 10; n++) await pausedFor(memory);
    memory.expectFlat(QUITE_FLAT);
    expect(peer.events, 'the producer still waits').toEqual([]);
  });
});

/** Leaves the event loop to others, who must not fill our memory meanwhile. */
async function pausedFor(memory: MemoryWatch): Promise<void> {
  for (let turns = 0; turns < 20; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await turn();
    memory.sample();
  }
}

async function done(peer: Peer): Promise<void> {
  await peer.event('done', 60_000).catch(() => {}); // it is killed in the end
}
