/** A server and a client in C: its memory stays as it is, however many requests come. */
import { describe, expect, test } from 'vitest';

import { within } from '../bounded.js';
import { startPeer } from '../peers/index.js';
import { handlerOf, start } from '../serving.js';

const MIB = 1 << 20;

export function serveMemory(count: number): void {
  describe.each([
    ['least-loaded', 'least-loaded' as const],
    ['by key', { key: { frame: 0, start: 0, end: 1 } }],
  ])('%s', (_name, route) => {
    test(`${count} requests leave nothing behind`, async () => {
      const { server, errors } = await start({ handler: handlerOf('echo.mjs'), threads: 2, route });
      const timeout = 60_000 + count / 5;
      const client = await startPeer('c', 'request', {
        type: 'DEALER',
        connect: server.endpoint,
        count,
        size: 64,
        window: 500,
        delimiter: true,
        unordered: true,
        timeout,
      });
      globalThis.gc?.();
      const before = process.memoryUsage.rss();
      let most = before;
      const sampling = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss());
      }, 20);
      try {
        expect(await within('all is answered', client.result(), timeout)).toMatchObject({ received: count });
      } finally {
        clearInterval(sampling);
      }
      // The same however many there are: what each leaves would show among ten million.
      expect((most - before) / MIB, 'growth of the resident set, in MiB').toBeLessThan(256);
      expect(errors).toEqual([]);
      await expect.poll(() => server.stats()).toMatchObject({ handled: count, failed: 0, inFlight: 0 });
    });
  });
}
