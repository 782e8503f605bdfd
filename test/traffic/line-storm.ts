/** An ordered pipeline whose handlers fail, yield, take their time, and kill their threads. */
import { expect, test } from 'vitest';

import { within } from '../bounded.js';
import { endsOf, startLine } from '../lines.js';

const stormHandler = (name: string): URL => new URL(`../handlers/storm.mjs#${name}`, import.meta.url);

/** As in handlers/storm.mjs. */
const resultsOf = (n: number): number => (n * 7919) % 4;
const throws = (n: number): boolean => n % 97 === 13;

/** What came of each number, by what the errors say of it. */
interface Reports {
  readonly failed: Set<number>;
  readonly lost: Set<number>;
  deaths: number;
}

export function lineStorm(count: number, deathsEvery: number): void {
  test(`${count} messages, a thread dies every ${deathsEvery}: each in its place, or reported`, async () => {
    const { line } = await startLine({
      ordered: true,
      stages: [
        {
          handler: stormHandler('spread'),
          threads: 3,
          concurrency: 8,
          retries: 2,
          circuit: { deaths: 1_000_000 },
        },
        { handler: stormHandler('delayed'), threads: 2, concurrency: 8, route: 'round-robin' },
      ],
    });
    const reports: Reports = { failed: new Set(), lost: new Set(), deaths: 0 };
    line.on('error', (_error, { type, message, outcome }) => {
      if (type === 'thread') reports.deaths += 1;
      else if (type === 'handler') reports.failed.add(Number(String(message![0])));
      else if (type === 'lost' && outcome !== 'retried') reports.lost.add(Number(String(message![0])));
    });
    const { push, pull } = endsOf(line);
    const sending = (async () => {
      for (let n = 0; n < count; n += 1) await push.send([String(n), String(deathsEvery)]);
      await push.send('end');
    })();
    const came = new Map<number, number>();
    let last = -1;
    for (;;) {
      const frames = await within(`something after ${last}`, pull.recvMultipart(), 30_000);
      if (String(frames[0]) === 'end') break;
      const [n, i] = frames.map((frame) => Number(String(frame))) as [number, number];
      expect(n, 'in the order of what it came from').toBeGreaterThanOrEqual(last);
      last = n;
      const expected = came.get(n) ?? 0;
      expect(i, `result of ${n}`).toBe(expected);
      came.set(n, expected + 1);
    }
    await sending;
    await within('the pipeline closes', line.close(), 20_000);
    for (let n = 0; n < count; n += 1) {
      if (reports.lost.has(n)) continue;
      const wanted = n % 3 === 2 && throws(n) ? 0 : resultsOf(n);
      expect(came.get(n) ?? 0, `results of ${n}`).toBe(wanted);
      if (throws(n)) expect(reports.failed.has(n), `${n} is reported`).toBe(true);
    }
    expect(reports.deaths).toBeGreaterThanOrEqual(Math.floor(count / deathsEvery));
    // Only what ran beside one that died, and had yielded something.
    expect(reports.lost.size).toBeLessThanOrEqual(reports.deaths * 8);
    expect(line.stats().stages.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });
}
