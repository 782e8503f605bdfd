/** Handlers of pipelines that yield their results: when they run, for how long, and what holds them back. */
import { describe, expect, it } from 'vitest';
import { type Pipeline, Pull } from 'zeromq-threads';

import { within } from './bounded.js';
import { endsOf, type Reported, sendNumbers, startLine, take } from './lines.js';
import { ofTest } from './linked.js';

const streamsHandler = (name: string): URL => new URL(`./handlers/streams.mjs#${name}`, import.meta.url);

/** Until `condition` holds. */
async function until(step: string, condition: () => boolean): Promise<void> {
  const holding = (async () => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  })();
  await within(step, holding);
}

/** What its handlers logged so far. */
function logOf(line: Pipeline): unknown[] {
  const log: unknown[] = [];
  line.on('log', (_level, args) => log.push(args[0]));
  return log;
}

const kinds = (errors: Reported[]): string[] =>
  errors.map(({ info }) => [info.type, info.outcome].filter(Boolean).join(' ')).sort();

describe.each([false, true])('ordered: %s', (ordered) => {
  const inOrder = (got: string[][]): string[] => (ordered ? got.flat() : got.flat().sort());

  it('anything that can be iterated over is', async () => {
    const { line, errors } = await startLine({ ordered, handler: streamsHandler('set') });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 3);
    expect(inOrder(await take(pull, 6))).toEqual(['0 a', '0 b', '1 a', '1 b', '2 a', '2 b']);
    expect(errors).toEqual([]);
  });

  it('one that hangs is out of time, and what is behind it goes on', async () => {
    const { line, errors } = await startLine({ ordered, handler: streamsHandler('hanging'), timeout: 100 });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 3);
    const expected = ['0 first', '0 second', '1 first', '2 first', '2 second'];
    expect(inOrder(await take(pull, 5))).toEqual(expected);
    await until('the timeout is reported', () => errors.length > 0);
    expect(kinds(errors)).toEqual(['handler']);
    expect(errors[0]!.error.name).toBe('TimeoutError');
    expect(String(errors[0]!.info.message![0])).toBe('1');
    await until('all are settled', () => line.stats().stages[0]!.inFlight === 0);
    expect(line.stats().stages[0]!.threads.reduce((sum, { timedOut }) => sum + timedOut, 0)).toBe(1);
  });

  it('one that blocks its thread has it ended and replaced', async () => {
    const { line, errors } = await startLine({
      ordered,
      handler: streamsHandler('blocking'),
      timeout: 100,
      grace: 100,
      concurrency: 1,
    });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 4);
    const expected = ['0 first', '0 second', '1 first', '2 first', '2 second', '3 first', '3 second'];
    expect(inOrder(await take(pull, 7))).toEqual(expected);
    await until('the death is reported', () => errors.length > 1);
    expect(kinds(errors)).toEqual(['lost unknown', 'thread']);
  });

  it('one that yields for ever gives the event loop its turns, and is ended at its timeout', async () => {
    const { line, errors } = await startLine({
      ordered,
      sink: undefined,
      handler: streamsHandler('endless'),
      timeout: 50,
      grace: 20_000,
    });
    const log = logOf(line);
    const { push } = endsOf(line);
    await sendNumbers(push, 1);
    await until('its finally block runs', () => log.length > 0);
    await until('the timeout is reported', () => errors.length > 0);
    expect(errors.map(({ error }) => error.name)).toEqual(['TimeoutError']);
  });

  it('one whose thread dies before the first result is tried again', async () => {
    const { line, errors } = await startLine({
      ordered,
      handler: streamsHandler('dyingAtFirst'),
      retries: 1,
    });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 3);
    expect(inOrder(await take(pull, 3))).toEqual(['0 first', '1 first', '2 first']);
    await until('the death is reported', () => errors.some(({ info }) => info.type === 'thread'));
    expect(kinds(errors)).toContain('lost retried');
    expect(kinds(errors)).not.toContain('lost failed');
  });

  it('one whose thread dies after it is reported, and does not come twice', async () => {
    const { line, errors } = await startLine({
      ordered,
      handler: streamsHandler('dyingAtSecond'),
      retries: 1,
      threads: 1,
      concurrency: 1,
    });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 3);
    const expected = ['0 first', '0 second', '1 first', '2 first', '2 second'];
    expect(inOrder(await take(pull, 5))).toEqual(expected);
    await until('the death is reported', () => errors.length > 1);
    expect(kinds(errors)).toEqual(['lost unknown', 'thread']);
    expect(pull.tryRecv()).toBeUndefined();
  });

  it('one that throws has its results until then sent, and is reported', async () => {
    const { line, errors } = await startLine({ ordered, handler: streamsHandler('failing') });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 3);
    const expected = ['0 first', '0 second', '1 first', '2 first', '2 second'];
    expect(inOrder(await take(pull, 5))).toEqual(expected);
    await until('the failure is reported', () => errors.length > 0);
    expect(kinds(errors)).toEqual(['handler']);
  });

  it('one that does not do it right is reported, and its thread goes on', async () => {
    const { line, errors } = await startLine({ ordered, handler: streamsHandler('misbehaving'), threads: 1 });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 3);
    expect(inOrder(await take(pull, 3))).toEqual(['0 first', '1 first', '2 first']);
    await until('the failures are reported', () => errors.length > 1);
    expect(kinds(errors)).toEqual(['handler', 'handler']);
    await until('all are settled', () => line.stats().stages[0]!.inFlight === 0);
    expect(line.stats().stages[0]!.threads[0]).toMatchObject({ handled: 3, failed: 2, deaths: 0 });
  });

  it.each(['many', 'manyLater'])(
    'a sink that nobody reads holds it back, and that is not its time: %s',
    async (name) => {
      const count = 900;
      const { line, errors } = await startLine({
        ordered,
        handler: streamsHandler(name),
        timeout: 1000,
        sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*', socketOptions: { sendHighWaterMark: 4 } },
      });
      const log = logOf(line);
      const { push } = endsOf({ endpoint: line.endpoint, sinks: [] } as never);
      await push.send(['0', String(count)]);
      // Longer than its time, and until it does not get any further.
      let before = -1;
      for (let looks = 0; looks < 12 || before !== log.length; looks += 1) {
        before = log.length;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(log.length).toBeGreaterThan(0);
      expect(log.length).toBeLessThan(count / 2);
      const pull = ofTest(new Pull());
      pull.connect(line.sinks[0]!);
      for (let n = 0; n < count; n += 1) {
        const message = await within(`result ${n}`, pull.recv());
        expect(message.readUInt32LE()).toBe(n);
      }
      expect(errors).toEqual([]);
    },
  );
});

it('ordered: one whose turn has not come is few results ahead', async () => {
  const { line, errors } = await startLine({
    ordered: true,
    handler: streamsHandler('oneStuck'),
    timeout: 1000,
  });
  const log = logOf(line);
  let ahead: number | undefined;
  line.once('error', () => {
    ahead = log.length;
  });
  const { push, pull } = endsOf(line);
  for (const n of [0, 1, 2]) await push.send([String(n), '500']);
  for (let n = 0; n < 1000; n += 1) {
    const message = await within(`result ${n}`, pull.recv());
    expect(message.readUInt32LE()).toBe(n % 500);
  }
  expect(errors.map(({ error }) => error.name)).toEqual(['TimeoutError']);
  expect(ahead).toBeGreaterThan(0);
  expect(ahead).toBeLessThanOrEqual(40);
});
