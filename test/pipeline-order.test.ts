/** Ordered pipelines, and what becomes of messages when handlers or their threads fail. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { Context, type Pipeline, type PipelineOptions, Pull, Push } from 'zeromq-threads';

import { within } from './bounded.js';
import { endsOf, linesHandler, sendNumbers, startLine, take } from './lines.js';

const numbers = (messages: string[][], frame = 0): number[] =>
  messages.map((frames) => Number(frames[frame]));
const all = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('ordered', () => {
  it.each([
    ['asynchronous handlers', 'late', { concurrency: 16 }],
    ['blocking handlers', 'busy', {}],
    ['handlers of one at a time', 'late', { concurrency: 1 }],
    ['few in flight', 'late', { maxInFlight: 3 }],
    ['one after another', 'busy', { route: 'round-robin' as const }],
    ['many threads', 'late', { threads: 5 }],
  ])('results leave in the order of what they came from: %s', async (_name, handler, options) => {
    const { line } = await startLine({ ordered: true, handler: linesHandler(handler), ...options });
    const { push, pull } = endsOf(line);
    const count = 'concurrency' in options && options.concurrency === 1 ? 200 : 1000;
    const sending = sendNumbers(push, count);
    expect(numbers(await take(pull, count))).toEqual(all(count));
    await sending;
  });

  // The keys of some messages are taken by threads that have no room, and others overtake them.
  it.each([
    [3, 4, 'late'],
    [3, 7, 'busy'],
    [5, 6, 'late'],
    [4, 4, 'same'],
  ])(
    'messages of a key keep their order, and nobody waits for good: %d threads, %d in flight',
    async (threads, maxInFlight, handler) => {
      const { line } = await startLine({
        ordered: true,
        threads,
        maxInFlight,
        route: { key: 0 },
        handler: linesHandler(handler),
      });
      const { push, pull } = endsOf(line);
      const count = 1000;
      const sending = (async () => {
        // Runs of one key, longer than what may be in flight, and changes of it.
        for (let n = 0; n < count; n += 1) await push.send([`key ${(n >> 3) % 7}`, String(n)]);
      })();
      expect(numbers(await take(pull, count), 1)).toEqual(all(count));
      await sending;
    },
  );

  it('threads that die leave no gap among messages of a key, with few in flight', async () => {
    const { line, errors } = await startLine({
      ordered: true,
      threads: 3,
      maxInFlight: 4,
      retries: 1,
      route: { key: 0 },
      circuit: { deaths: 100 },
      handler: linesHandler('dying'),
    });
    const { push, pull } = endsOf(line);
    const sending = (async () => {
      for (let n = 0; n < 1000; n += 1) await push.send([`key ${(n >> 2) % 5}`, String(n)]);
    })();
    expect(numbers(await take(pull, 1000), 1)).toEqual(all(1000));
    await sending;
    const lost = errors.filter(({ info }) => info.type === 'lost');
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(lost.map(({ info }) => info.outcome))).toEqual(new Set(['retried']));
  });

  it('over several stages', async () => {
    const stage = { threads: 2, concurrency: 8 };
    const { line } = await startLine({
      ordered: true,
      stages: [
        { ...stage, handler: linesHandler('late') },
        { ...stage, handler: linesHandler('busy') },
        { ...stage, handler: linesHandler('late') },
      ],
    });
    const { push, pull } = endsOf(line);
    const sending = sendNumbers(push, 1000);
    expect(numbers(await take(pull, 1000))).toEqual(all(1000));
    await sending;
  });

  it('what fails leaves no gap, and is reported with the message', async () => {
    const { line, errors } = await startLine({ ordered: true, handler: linesHandler('failing') });
    const { push, pull } = endsOf(line);
    const sending = sendNumbers(push, 500);
    const good = all(500).filter((n) => ![3, 7, 9].includes(n % 10));
    expect(numbers(await take(pull, good.length))).toEqual(good);
    await sending;
    await within('the pipeline closes', line.close());
    expect(errors.length).toBe(150);
    expect(errors.map(({ info }) => Number(String(info.message![0]))).sort((a, b) => a - b)).toEqual(
      all(500).filter((n) => [3, 7, 9].includes(n % 10)),
    );
    expect(line.stats().stages[0]).toMatchObject({ handled: 500, failed: 150, inFlight: 0 });
  });

  it.each([0, 1])('a thread that dies leaves no gap (retries: %d)', async (retries) => {
    const { line, errors } = await startLine({
      ordered: true,
      handler: linesHandler('dying'),
      retries,
      circuit: { deaths: 100 },
    });
    const { push, pull } = endsOf(line);
    const sending = sendNumbers(push, 1000);
    const lost = (): number[] =>
      errors
        .filter(({ info }) => info.type === 'lost' && info.outcome !== 'retried')
        .map(({ info }) => Number(String(info.message!.at(-1))));
    const got: number[] = [];
    const receiving = (async () => {
      while (got.length + lost().length < 1000) {
        const message = await pull.recvMultipart({ timeout: 100 }).catch(() => undefined);
        if (message !== undefined) got.push(Number(String(message[0])));
      }
    })();
    await within('all come, or are reported', receiving, 25_000);
    await sending;
    expect(got).toEqual([...got].sort((a, b) => a - b));
    expect([...got, ...lost()].sort((a, b) => a - b)).toEqual(all(1000));
    expect(errors.filter(({ info }) => info.type === 'thread').length).toBeGreaterThanOrEqual(4);
    if (retries === 1) expect(lost()).toEqual([]);
    else expect(lost().length).toBeGreaterThanOrEqual(4);
  });
});

const inprocSinks = (sinks: number, mark: number): Partial<PipelineOptions> => ({
  source: { type: 'PULL', bind: 'inproc://source' },
  sink: Array.from({ length: sinks }, (_, index) => ({
    type: 'PUSH' as const,
    bind: `inproc://sink ${index}`,
    socketOptions: { sendHighWaterMark: mark },
  })),
});

/** Sends numbers, and has every sink's reader, which is slower than the pipeline, get them all, once, in order. */
async function passAll(line: Pipeline, count: number): Promise<void> {
  const push = new Push({ linger: 0 });
  const pulls = line.sinks.map((endpoint) => {
    const pull = new Pull({ receiveHighWaterMark: 1 });
    pull.connect(endpoint);
    return pull;
  });
  onTestFinished(() => {
    for (const socket of [push, ...pulls]) socket.close();
  });
  push.connect(line.endpoint);
  const sending = sendNumbers(push, count);
  const received = pulls.map(async (pull, index) => {
    const got: number[] = [];
    while (got.length < count) {
      const [frame] = await within(`message ${got.length} of sink ${index}`, pull.recvMultipart(), 20_000);
      got.push(Number(String(frame)));
      if (got.length % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return got;
  });
  for (const got of await Promise.all(received)) expect(got).toEqual(all(count));
  await sending;
  expect(await within('the pipeline closes', line.close())).toEqual({ unfinished: 0 });
  for (const pull of pulls) expect(await pull.tryRecv(), 'nothing is left over').toBeUndefined();
}

// The sink is full nearly all of the time, so that results are waiting to be sent when the thread that sends them dies.
describe('results that wait for room when their thread dies leave once, and in order', () => {
  it.each([
    ['one sink', { sinks: 1, mark: 4, stages: 1 }],
    ['one sink with a high mark', { sinks: 1, mark: 200, stages: 1 }],
    ['every sink', { sinks: 3, mark: 4, stages: 1 }],
    ['between stages', { sinks: 1, mark: 4, stages: 2 }],
  ])('%s', async (_name, { sinks, mark, stages }) => {
    const dying = {
      handler: linesHandler('fleeting'),
      threads: 2,
      retries: 100,
      circuit: { deaths: 1_000_000 },
    };
    const narrow = { handler: linesHandler('same'), threads: 1, maxInFlight: 2 };
    const { line, errors } = await startLine({
      ordered: true,
      ...inprocSinks(sinks, mark),
      stages: stages === 1 ? [dying] : [dying, narrow],
    });
    await passAll(line, 1500);
    expect(errors.filter(({ info }) => info.type === 'thread').length).toBeGreaterThan(0);
  });
});

it('results reach several sinks in order from threads that are busy, whose sends others see to', async () => {
  const { line } = await startLine({
    ordered: true,
    ...inprocSinks(3, 4),
    threads: 2,
    handler: linesHandler('occupying'),
  });
  await passAll(line, 1000);
});

it.each([true, false])(
  'a context that closes under a pipeline: results in progress are told of as such (ordered: %s)',
  async (ordered) => {
    const context = new Context();
    const word = new Int32Array(new SharedArrayBuffer(4));
    const end = { bind: 'tcp://127.0.0.1:*', socketOptions: { context } };
    const { line, errors } = await startLine({
      source: { type: 'PULL', ...end },
      sink: { type: 'PUSH', ...end },
      handler: linesHandler('told'),
      workerData: { word },
      ordered,
    });
    const { push } = endsOf(line);
    await sendNumbers(push, 6);
    await expect.poll(() => Atomics.load(word, 0), { timeout: 20_000 }).toBe(6);
    await within('the context closes', context.close());
    Atomics.store(word, 0, 100);
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBe(6);
    for (const { error, info } of errors) {
      expect(info.type).toBe('sink');
      expect(error).toMatchObject({ name: 'ContextClosedError', code: 'ETERM' });
    }
    expect(errors.map(({ info }) => Number(String(info.message![0]))).sort()).toEqual(all(6));
  },
);

describe('unordered', () => {
  it('a thread that dies takes nothing else with it', async () => {
    const { line, errors } = await startLine({
      handler: linesHandler('dying'),
      retries: 1,
      circuit: { deaths: 100 },
    });
    const { push, pull } = endsOf(line);
    const sending = sendNumbers(push, 1000);
    const got = numbers(await take(pull, 1000));
    await sending;
    expect(got.sort((a, b) => a - b)).toEqual(all(1000));
    expect(
      errors.filter(({ info }) => info.type === 'lost').every(({ info }) => info.outcome === 'retried'),
    ).toBe(true);
  });

  it('timeouts count as failures, and what waits for room is not timed out', async () => {
    const { line, errors } = await startLine({ handler: linesHandler('stuck'), timeout: 50 });
    const { push } = endsOf(line);
    await sendNumbers(push, 5);
    await within(
      'all time out',
      (async () => {
        while (errors.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));
      })(),
    );
    expect(new Set(errors.map(({ error }) => error.name))).toEqual(new Set(['TimeoutError']));
    expect(line.stats().stages[0]!.threads.reduce((sum, thread) => sum + thread.timedOut, 0)).toBe(5);
  });
});
