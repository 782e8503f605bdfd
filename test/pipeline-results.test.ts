/** Results that wait for room: what handlers returned, whatever these do with that memory meanwhile. */
import { describe, expect, it } from 'vitest';
import { type PipelineOptions, Pull, Push } from 'zeromq-threads';

import { linesHandler, sendNumbers, startLine, take } from './lines.js';
import { ofTest } from './linked.js';
import { moduleFile } from './peers/index.js';

/** All of them use the same memory for every message, but for `passed`, which is the message itself. */
const REUSING = `
  const [one, other] = [Buffer.alloc(300), Buffer.alloc(300)];
  const filled = (memory, text) => memory.fill(' ').fill(text, 0, text.length);
  export const single = ([text]) => filled(one, text);
  export const several = ([text]) => [[filled(one, text)], [filled(other, text), text]];
  export function* yielded([text]) {
    yield filled(one, text);
    yield [filled(one, text), text];
  }
  export const passed = (frames) => frames;
  export const passedTwice = (frames) => [frames, frames];`;

const COUNT = 200;
const numbers = Array.from({ length: COUNT }, (_, n) => n);
const twice = numbers.flatMap((n) => [n, n]);

const stagesBehind: Record<string, PipelineOptions['stages']> = {
  'a sink': [],
  'the next stage': [{ handler: linesHandler('same'), threads: 1, maxInFlight: 4 }],
};

describe.each([false, true])('ordered: %s', (ordered) => {
  describe.each(Object.keys(stagesBehind))('to %s', (way) => {
    it.each([
      ['single', numbers],
      ['several', twice],
      ['yielded', twice],
      ['passed', numbers],
      ['passedTwice', twice],
    ])('%s', async (name, expected) => {
      const handler = new URL(`#${name}`, moduleFile(REUSING));
      const { line, errors } = await startLine({
        stages: [{ handler, threads: 1 }, ...stagesBehind[way]!],
        ordered,
        sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*', socketOptions: { sendHighWaterMark: 2 } },
      });
      const push = ofTest(new Push({ linger: 0 }));
      push.connect(line.endpoint);
      await sendNumbers(push, COUNT);
      // Nobody reads yet: the results of more than there is room for wait.
      const waiting = (): number => line.stats().stages[0]!.threads[0]!.inProgress;
      await expect.poll(waiting, { timeout: 20_000 }).toBeGreaterThan(4);
      const pull = ofTest(new Pull());
      pull.connect(line.sinks[0]!);
      const found = (await take(pull, expected.length)).map((frames) => frames.map(Number));
      for (const [number, again = number] of found) expect(again).toBe(number);
      expect(found.map(([number]) => number).sort((a, b) => a! - b!)).toEqual(expected);
      expect(errors).toEqual([]);
    });
  });
});
