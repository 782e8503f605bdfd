/** A pipeline between a sender and a receiver in C: its memory stays as it is. */
import { describe, expect, test } from 'vitest';

import { within } from '../bounded.js';
import { linesHandler, startLine } from '../lines.js';
import { startPeer } from '../peers/index.js';

const MIB = 1 << 20;
const SIZE = 64;
/** A sanitizer has shadow memory of its own. */
const MOST_GROWTH = process.env.ZMQT_SANITIZER_RUNTIME ? 1024 : 256;

export function lineMemory(count: number): void {
  const stage = { handler: linesHandler('same'), threads: 2 };
  describe.each([
    ['one stage', { ordered: false, stages: [stage] }],
    ['one stage, ordered', { ordered: true, stages: [stage] }],
    [
      'two stages, the first of which yields, ordered',
      { ordered: true, stages: [{ ...stage, handler: linesHandler('yielding') }, stage] },
    ],
  ])('%s', (_name, options) => {
    test(`${count} messages pass, and leave nothing behind`, async () => {
      const { line, errors } = await startLine(options);
      const timeout = 60_000 + count / 5;
      const receiver = await startPeer('c', 'recv', {
        connect: line.sinks[0]!,
        count,
        size: SIZE,
        unordered: !options.ordered,
        timeout,
      });
      const sender = await startPeer('c', 'send', { connect: line.endpoint, count, size: SIZE, timeout });
      globalThis.gc?.();
      const before = process.memoryUsage.rss();
      const sizes: number[] = [before];
      const sampling = setInterval(() => sizes.push(process.memoryUsage.rss()), 20);
      try {
        expect((await within('all is sent', sender.result(), timeout)).sent).toBe(count);
        expect((await within('all is received', receiver.result(), timeout)).received).toBe(count);
      } finally {
        clearInterval(sampling);
      }
      const growth = (Math.max(...sizes) - before) / MIB;
      // The same however many there are: what each leaves would show among ten million.
      expect(growth, 'growth of the resident set, in MiB').toBeLessThan(MOST_GROWTH);
      expect(errors).toEqual([]);
      // The last are counted right after their results are on their way.
      await expect
        .poll(() => line.stats().stages.map(({ handled }) => handled))
        .toEqual(options.stages.map(() => count));
    });
  });
}
