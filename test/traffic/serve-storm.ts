/** A server whose handlers fail and whose threads die, under requests of many peers in three languages. */
import { expect, test } from 'vitest';

import { within } from '../bounded.js';
import { startNode, startPeer } from '../peers/index.js';
import { dealerTo, handlerOf, start } from '../serving.js';

const DEATHS = 3;
const WINDOW = 20;
/** What a thread has begun when it dies: as many as run at once. */
const CONCURRENCY = 8;
const ASKING = new URL('../workloads/asking-peers.mjs', import.meta.url);

/** @param peers how many sockets in each language; those of Node.js in two processes */
export function serveStorm(count: number, peers: { c: number; python: number; node: number }): void {
  const total = peers.c + peers.python + peers.node;
  test(`${count} requests of ${total} peers: each is answered once, to whom it belongs, or reported`, async () => {
    const each = Math.floor(count / total);
    const timeout = 60_000 + count / 4;
    const { server, errors } = await start({
      handler: handlerOf('serve-storm.mjs'),
      threads: 2,
      concurrency: CONCURRENCY,
      circuit: { deaths: 100 },
      // Whoever asked gets its own request back either way; who asked with a mark is told that it failed.
      errorReply: (_error, request) => (request.length > 1 ? [...request, 'failed'] : request),
    });
    const connect = server.endpoint;
    const options = { type: 'DEALER', connect, count: each, size: 64, window: WINDOW, timeout } as const;
    const plain = { ...options, delimiter: true, unordered: true };
    const starting = [
      ...Array.from({ length: peers.c }, (_, n) => startPeer('c', 'request', { ...plain, first: n * each })),
      ...Array.from({ length: peers.python }, (_, n) =>
        startPeer('python', 'request', { ...plain, first: (peers.c + n) * each }),
      ),
    ];
    const programs = [Math.ceil(peers.node / 2), Math.floor(peers.node / 2)].map((sockets) =>
      startNode(ASKING, [connect, `${sockets}`, `${each}`, `${WINDOW}`], { step: 'asking peers' }),
    );
    const running = await Promise.all(starting);

    const killer = dealerTo(connect);
    const wanted = total * each + DEATHS;
    for (let death = 1; death <= DEATHS; death += 1) {
      const at = (death * wanted) / (DEATHS + 1);
      await expect.poll(() => server.stats().handled, { timeout, interval: 10 }).toBeGreaterThan(at);
      await killer.send(['', 'die']);
      expect(
        (await within('the answer for a dead thread', killer.recvMultipart(), 20_000)).map(String),
      ).toEqual(['', 'die']);
    }

    // The peers check by themselves that each of their requests is answered once, with its own content.
    for (const peer of running)
      expect(await peer.result(timeout)).toMatchObject({ ok: true, received: each });
    let failed = 0;
    for (const program of programs) {
      const { code } = await program.waitForExit('all its requests are answered', timeout);
      expect({ code, stderr: program.stderr }).toEqual({ code: 0, stderr: '' });
      failed += JSON.parse(program.lines[0]!).failed;
    }
    const sum = (name: 'deaths' | 'lost' | 'failed'): number =>
      server.stats().threads.reduce((all, stats) => all + stats[name], 0);
    const lost = errors.filter(({ info }) => info.type === 'lost');
    expect(sum('deaths')).toBe(DEATHS);
    expect(sum('lost')).toBe(lost.length);
    expect(lost.length).toBeGreaterThanOrEqual(DEATHS);
    // Besides, a thread may have asked the host to answer for some of its requests; whether it did is not known.
    const begun = lost.filter(({ info }) => info.outcome === 'failed');
    expect(begun.length).toBeLessThanOrEqual(DEATHS * CONCURRENCY);
    expect(failed).toBeGreaterThan(0);
    expect(sum('failed')).toBeGreaterThanOrEqual(failed - lost.length);
    const { handled, dropped } = server.stats();
    expect({ handled: handled + lost.length, dropped }).toEqual({ handled: wanted, dropped: 0 });
    expect(await within('closing', server.close())).toEqual({ unfinished: 0 });
  });
}
