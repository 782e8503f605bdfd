/** Where messages go that no handler is done with, and what handlers send past the stages behind theirs. */
import { describe, expect, it } from 'vitest';
import { ArgumentError, type PipelineOptions, Pull, pipeline } from 'zeromq-threads';

import { within } from './bounded.js';
import { endsOf, linesHandler, sendNumbers, startLine, take } from './lines.js';
import { ofTest } from './linked.js';

const streams = (name: string): URL => new URL(`./handlers/streams.mjs#${name}`, import.meta.url);

const push = { type: 'PUSH' as const, bind: 'tcp://127.0.0.1:*' };
const withDead: Partial<PipelineOptions> = {
  sink: [push, { ...push, name: 'dead' }],
  deadLetterSink: 'dead',
};

function deadOf(line: { sinks: readonly string[] }): Pull {
  const pull = ofTest(new Pull());
  pull.connect(line.sinks[1]!);
  return pull;
}

const numbers = (messages: string[][]): number[] => messages.map((frames) => Number(frames.at(-1)));
const all = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const ascending = (list: number[]): number[] => [...list].sort((a, b) => a - b);
const fails = (n: number): boolean => [3, 7, 9].includes(n % 10);

describe.each([false, true])('ordered: %s', (ordered) => {
  const inOrder = (list: number[]): number[] => (ordered ? list : ascending(list));

  it('what fails goes there as it came, whatever its handler did with the array that it got', async () => {
    const { line, errors } = await startLine({ ...withDead, ordered, handler: linesHandler('spoiling') });
    const { push: source } = endsOf(line);
    const dead = deadOf(line);
    for (let n = 0; n < 30; n += 1) await source.send(['head', String(n)]);
    const letters = await take(dead, 30);
    expect(inOrder(numbers(letters))).toEqual(all(30));
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBe(30);
    const told = errors.map(({ info }) => info.message!.map(String));
    expect(ascending(numbers(told))).toEqual(all(30));
    for (const [head] of [...letters, ...told]) expect(head).toBe('head');
  });

  it('what fails goes to the sink for it, as it came, and nothing else does', async () => {
    const { line, errors } = await startLine({ ...withDead, ordered, handler: linesHandler('failing') });
    const { push: source, pull } = endsOf(line);
    const dead = deadOf(line);
    const sending = (async () => {
      for (let n = 0; n < 200; n += 1) await source.send(['head', String(n)]);
    })();
    const letters = await take(dead, 60);
    expect(inOrder(numbers(letters))).toEqual(all(200).filter(fails));
    expect(new Set(letters.map(([head]) => head))).toEqual(new Set(['head']));
    expect(inOrder(numbers(await take(pull, 140)))).toEqual(all(200).filter((n) => !fails(n)));
    await sending;
    expect(await within('the pipeline closes', line.close())).toEqual({ unfinished: 0 });
    expect(errors.map(({ info }) => info.type)).toEqual(Array(60).fill('handler'));
    expect(dead.tryRecv()).toBeUndefined();
    expect(pull.tryRecv()).toBeUndefined();
  });

  it('what is out of time, too', async () => {
    const { line } = await startLine({ ...withDead, ordered, handler: linesHandler('stuck'), timeout: 50 });
    const { push: source } = endsOf(line);
    await sendNumbers(source, 5);
    expect(inOrder(numbers(await take(deadOf(line), 5)))).toEqual(all(5));
  });

  it.each([0, 1])('what its thread died of, when it is not tried again (retries: %d)', async (retries) => {
    const { line } = await startLine({
      ...withDead,
      ordered,
      retries,
      handler: linesHandler('deadly'),
      threads: 1,
      concurrency: 1,
      circuit: { deaths: 100 },
    });
    const { push: source, pull } = endsOf(line);
    const sending = sendNumbers(source, 40);
    expect(inOrder(numbers(await take(deadOf(line), 4)))).toEqual([5, 15, 25, 35]);
    expect(inOrder(numbers(await take(pull, 36)))).toEqual(all(40).filter((n) => n % 10 !== 5));
    await sending;
    await expect.poll(() => line.stats().stages[0]!.threads[0]!.deaths).toBe(4 * (retries + 1));
  });

  it('those of dead threads count as sent, too', async () => {
    const { line } = await startLine({
      ...withDead,
      ordered,
      handler: linesHandler('deadly'),
      threads: 1,
      concurrency: 1,
    });
    const { push: source, pull } = endsOf(line);
    await sendNumbers(source, 10);
    expect(numbers(await take(deadOf(line), 1))).toEqual([5]);
    expect(inOrder(numbers(await take(pull, 9)))).toEqual(all(10).filter((n) => n !== 5));
    await expect.poll(() => line.stats().stages[0]).toMatchObject({ sent: 10, dropped: 0, inFlight: 0 });
    await within('the pipeline closes', line.close());
    expect(line.stats().stages[0]!.threads.map(({ state }) => state)).toEqual(['ended']);
  });

  it('what had yielded a part when its thread died', async () => {
    const handler = streams('dyingAtSecond');
    const { line } = await startLine({ ...withDead, ordered, handler, threads: 1, concurrency: 1 });
    const { push: source, pull } = endsOf(line);
    await sendNumbers(source, 3);
    expect(numbers(await take(deadOf(line), 1))).toEqual([1]);
    const got = (await take(pull, 5)).flat();
    expect(ordered ? got : got.sort()).toEqual(['0 first', '0 second', '1 first', '2 first', '2 second']);
  });

  it('a sink that nobody reads holds the source back, and nothing is lost', async () => {
    const count = 120;
    const { line, errors } = await startLine({
      ordered,
      sink: { ...push, name: 'dead', socketOptions: { sendHighWaterMark: 1 } },
      deadLetterSink: 'dead',
      handler: linesHandler('throwing'),
      maxInFlight: 4,
    });
    const { push: source } = endsOf({ endpoint: line.endpoint, sinks: [] } as never);
    const sending = (async () => {
      for (let n = 0; n < count; n += 1) await source.send([Buffer.alloc(100_000), String(n)]);
    })();
    await expect.poll(() => errors.length).toBeGreaterThan(0);
    await expect.poll(() => line.stats().stages[0]!.inFlight).toBe(4);
    const dead = ofTest(new Pull());
    dead.connect(line.sinks[0]!);
    expect(inOrder(numbers(await take(dead, count)))).toEqual(all(count));
    await sending;
    expect(await within('the pipeline closes', line.close())).toEqual({ unfinished: 0 });
    expect(errors.length).toBe(count);
  });

  it('stages in front of others have it, and reach sinks by name', async () => {
    const { line, errors } = await startLine({
      ordered,
      sink: [push, { ...push, name: 'dead' }, { ...push, name: 'aside' }],
      deadLetterSink: 'dead',
      stages: [
        { handler: linesHandler('aside'), threads: 2 },
        { handler: linesHandler('failing'), threads: 2 },
        { handler: linesHandler('same'), threads: 1 },
      ],
    });
    const { push: source, pull } = endsOf(line);
    const aside = ofTest(new Pull());
    aside.connect(line.sinks[2]!);
    const dead = deadOf(line);
    await sendNumbers(source, 100);
    const rest = all(100).filter((n) => ![2, 3, 4, 7, 9].includes(n % 10));
    const [common, letters, apart] = await Promise.all([
      take(pull, rest.length),
      take(dead, 40),
      take(aside, rest.length + 10),
    ]);
    expect(inOrder(numbers(common))).toEqual(rest);
    expect(ascending(numbers(letters))).toEqual(all(100).filter((n) => [3, 4, 7, 9].includes(n % 10)));
    const twos = all(100).filter((n) => n % 10 === 2);
    expect(inOrder(numbers(apart).filter((n) => n % 10 === 2))).toEqual(twos);
    expect(inOrder(numbers(apart).filter((n) => n % 10 !== 2))).toEqual(rest);
    await within('the pipeline closes', line.close());
    expect(errors.map(({ info }) => info.stage).sort()).toEqual([...Array(10).fill(0), ...Array(30).fill(1)]);
  });
});

it('ordered: letters of dead threads come in their places among the others', async () => {
  const { line } = await startLine({
    ...withDead,
    ordered: true,
    handler: linesHandler('deadlyOrFailing'),
    threads: 2,
    circuit: { deaths: 100 },
    concurrency: 1,
  });
  const { push: source } = endsOf(line);
  const dead = deadOf(line);
  await sendNumbers(source, 60);
  expect(numbers(await take(dead, 60))).toEqual(all(60));
});

it.each([
  ['without sinks', { sink: undefined }],
  ['of another name', {}],
  ['that is no name', { deadLetterSink: 1 }],
])('a sink for it %s is refused', async (_, options) => {
  const starting = pipeline({
    source: { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
    sink: { ...push, name: 'alive' },
    deadLetterSink: 'dead',
    handler: linesHandler(),
    ...options,
  } as never);
  await expect(starting).rejects.toThrow(ArgumentError);
  await expect(starting).rejects.toThrow(/^deadLetterSink: expected the name of a sink, got/);
});

it('the context names the source in the first stage only', async () => {
  const { line } = await startLine({
    source: [
      { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
      { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
    ],
    stages: [
      { handler: linesHandler('sourced'), threads: 1 },
      { handler: linesHandler('sourced'), threads: 1 },
    ],
  });
  const { push: source, pull } = endsOf({ endpoint: line.sources[1], sinks: line.sinks } as never);
  await source.send('x');
  expect(await take(pull, 1)).toEqual([['x', '1', 'undefined']]);
});
