/** Messages that are kept stay as they came, and those that are not give their memory back. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { expect, test } from 'vitest';
import { type Message, Pull } from 'zeromq-threads';

import { within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints, pattern, startPeer } from '../peers/index.js';

const SIZE = 16;
/** What a message of that size takes in a chunk, in bytes. */
const COST = 24;
const MIB = 1 << 20;

/** Hands `count` messages of a C sender to `take`, and @returns by how much the resident set grew at most, in bytes. */
async function receive(count: number, take: (message: Message, n: number) => void): Promise<number> {
  const pull = ofTest(new Pull());
  const timeout = 30_000 + count / 100;
  const peer = await startPeer('c', 'send', {
    connect: pull.bind(endpoints.tcp()),
    count,
    size: SIZE,
    timeout,
  });
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let growth = 0;
  let n = 0;
  const receiving = (async () => {
    for await (const [message] of pull) {
      take(message!, n);
      n += 1;
      if (n % 50_000 === 0) growth = Math.max(growth, process.memoryUsage.rss() - before);
      if (n === count) break;
    }
  })();
  await within(`${count} messages come`, receiving, timeout);
  expect((await peer.result()).sent).toBe(count);
  return growth;
}

export function heldMessages(count: number): void {
  test(`every 1,000th of ${count} messages is kept, and is as it was sent`, async () => {
    const kept: Message[] = [];
    const growth = await receive(count, (message, n) => {
      if (n % 1000 === 0) kept.push(message);
    });
    kept.forEach((message, index) => {
      expect(Buffer.compare(message, pattern(index * 1000, 0, SIZE)), `message ${index * 1000}`).toBe(0);
    });
    // Each chunk holds some that are kept, so all of them stay, and no more than that.
    expect(growth, 'growth of the resident set, in bytes').toBeLessThan(200 * MIB + 1.5 * COST * count);
  });

  test(`${count} messages are dropped, and their memory is used again`, async () => {
    const growth = await receive(count, () => {});
    expect(growth, 'growth of the resident set, in bytes').toBeLessThan(200 * MIB);
  });

  test(`every 100th of ${count / 10} messages is posted to a Worker and dropped here: its bytes stay`, async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       const kept = [];
       parentPort.on('message', (message) => {
         if (message !== 'all') kept.push(message);
         else parentPort.postMessage(kept.map((bytes) => Buffer.from(bytes).toString('hex')));
       });`,
      { eval: true },
    );
    try {
      await receive(count / 10, (message, n) => {
        if (n % 100 !== 0) return;
        worker.postMessage(message);
        if (n % 10_000 === 0) globalThis.gc?.();
      });
      globalThis.gc?.();
      worker.postMessage('all');
      const [texts] = (await within('the Worker answers', once(worker, 'message'))) as [string[]];
      expect(texts.length).toBe(count / 1000);
      texts.forEach((text, index) => {
        expect(text, `message ${index * 100}`).toBe(pattern(index * 100, 0, SIZE).toString('hex'));
      });
    } finally {
      await worker.terminate();
    }
  });
}
