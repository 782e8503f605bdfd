/** Pipelines: where messages come from, what handlers make of them, and where they go. */
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  Dealer,
  HandlerError,
  Publisher,
  Pull,
  pipeline,
  Router,
  Subscriber,
  ZmqError,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { endsOf, linesHandler, sendNumbers, startLine, take } from './lines.js';
import { ofTest } from './linked.js';
import { endpoints, startPeer } from './peers/index.js';

/** What `forms` in handlers/lines.mjs makes of a number. */
function expectedOf(n: number): string[][] {
  const text = String(n);
  const all = [
    [],
    [[`${text} text`]],
    [[text, 'two frames']],
    [
      [text, 'first'],
      [text, 'second'],
    ],
    [[`${text} a`], [text, 'b']],
    [[`${text} x`], [`${text} y`]],
    [[text]],
    [],
  ];
  return all[n % 8]!;
}

const sorted = (messages: string[][]): string[] => messages.map((frames) => frames.join('|')).sort();

describe('sources and sinks', () => {
  it.each(['c', 'python'] as const)('PULL to PUSH, with %s peers', async (language) => {
    const { line } = await startLine({ handler: linesHandler('same') });
    const receiver = await startPeer(language, 'recv', {
      connect: line.sinks[0]!,
      count: 500,
      size: 40,
      unordered: true,
    });
    const sender = await startPeer(language, 'send', { connect: line.endpoint, count: 500, size: 40 });
    expect((await sender.result()).sent).toBe(500);
    expect((await receiver.result()).received).toBe(500);
  });

  it('SUB to PUB, by topic', async () => {
    const publisher = ofTest(new Publisher());
    const { line } = await startLine({
      source: { type: 'SUB', connect: publisher.bind(endpoints.tcp()), subscribe: ['a', 'c'] },
      sink: { type: 'PUB', bind: 'tcp://127.0.0.1:*' },
      handler: linesHandler('same'),
    });
    const subscriber = ofTest(new Subscriber());
    subscriber.subscribe();
    subscriber.connect(line.sinks[0]!);
    // Both subscriptions are on their way: what comes first says that they are there.
    let first: string[] | undefined;
    while (first === undefined) {
      await publisher.send(['a', 'sync']);
      first = (await subscriber.recvMultipart({ timeout: 20 }).catch(() => undefined))?.map(String);
    }
    for (const topic of ['a', 'b', 'c']) await publisher.send([topic, 'end']);
    const got = new Set<string>();
    while (got.size < 2) {
      const [topic, text] = (await within('a message', subscriber.recvMultipart())).map(String);
      if (text === 'end') got.add(topic!);
    }
    expect([...got].sort()).toEqual(['a', 'c']);
  });

  it('DEALER to DEALER', async () => {
    const [from, to] = [ofTest(new Dealer()), ofTest(new Dealer())];
    const { line } = await startLine({
      source: { type: 'DEALER', connect: from.bind(endpoints.tcp()) },
      sink: { type: 'DEALER', connect: to.bind(endpoints.tcp()) },
      handler: linesHandler('same'),
    });
    expect(line.sources.length + line.sinks.length).toBe(2);
    await from.send(['x', 'y']);
    expect((await within('the message', to.recvMultipart())).map(String)).toEqual(['x', 'y']);
  });

  it('ROUTER: the handler gets the frames without the routing id', async () => {
    const { line } = await startLine({ source: { type: 'ROUTER', bind: 'tcp://127.0.0.1:*' } });
    const dealer = ofTest(new Dealer({ routingId: 'me' }));
    dealer.connect(line.endpoint);
    const { pull } = endsOf(line);
    await dealer.send(['x', 'y']);
    expect((await take(pull, 1))[0]!.slice(0, 2)).toEqual(['x', 'y']);
  });

  it('no sink: results are dropped, and counted as handled', async () => {
    const { line, errors } = await startLine({ sink: undefined, handler: linesHandler('same') });
    const { push } = endsOf(line);
    await sendNumbers(push, 100);
    await within(
      'all are handled',
      until(() => line.stats().stages[0]!.handled === 100),
    );
    expect(errors).toEqual([]);
  });

  it('several of each: all sources are served, and every sink gets every message', async () => {
    const { line } = await startLine({
      source: [
        { type: 'PULL', bind: 'tcp://127.0.0.1:*' },
        { type: 'PULL', bind: ['tcp://127.0.0.1:*', 'tcp://127.0.0.1:*'] },
      ],
      sink: [
        { type: 'PUSH', bind: 'tcp://127.0.0.1:*' },
        { type: 'PUSH', bind: 'tcp://127.0.0.1:*' },
      ],
      handler: linesHandler('same'),
    });
    expect(line.sources.length).toBe(3);
    const pulls = line.sinks.map((endpoint) => {
      const pull = ofTest(new Pull());
      pull.connect(endpoint);
      return pull;
    });
    for (const [index, endpoint] of line.sources.entries()) {
      const { push } = endsOf({ endpoint, sinks: [] } as never);
      expect(endpoint).toMatch(/^tcp:/);
      await push.send(`from ${index}`);
    }
    for (const pull of pulls) {
      expect((await take(pull, 3)).flat().sort()).toEqual(['from 0', 'from 1', 'from 2']);
    }
  });

  it('by name, to one of several sinks', async () => {
    const { line } = await startLine({
      sink: [
        { type: 'PUSH', name: 'left', bind: 'tcp://127.0.0.1:*' },
        { type: 'PUSH', name: 'right', bind: 'tcp://127.0.0.1:*' },
      ],
      handler: linesHandler('routed'),
    });
    const { push, pull: left } = endsOf(line);
    const right = ofTest(new Pull());
    right.connect(line.sinks[1]!);
    await sendNumbers(push, 3);
    expect(sorted(await take(left, 3))).toEqual(['0', '2', 'copy|1']);
    expect(sorted(await take(right, 2))).toEqual(['1', '2']);
  });
});

describe('what a handler may return', () => {
  it.each([false, true])(
    'nothing, one message, several, generators of either kind (ordered: %s)',
    async (ordered) => {
      const { line } = await startLine({ handler: linesHandler('forms'), ordered });
      const { push, pull } = endsOf(line);
      await sendNumbers(push, 64);
      const expected = Array.from({ length: 64 }, (_, n) => expectedOf(n)).flat();
      const got = await take(pull, expected.length);
      if (ordered) expect(got).toEqual(expected);
      else expect(sorted(got)).toEqual(sorted(expected));
      expect(pull.tryRecv()).toBeUndefined();
    },
  );
});

describe('stages', () => {
  it('follow each other without a socket, each in threads of its own', async () => {
    const { line } = await startLine({
      stages: [
        { handler: linesHandler(), threads: 2 },
        { handler: linesHandler('late'), threads: 2, concurrency: 8 },
        { handler: linesHandler(), threads: 1 },
      ].map((stage, index) => (index === 1 ? { ...stage, handler: linesHandler('same') } : stage)),
    });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 300);
    const got = await take(pull, 300);
    expect(got.map(([number]) => Number(number)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_, n) => n),
    );
    for (const [, first, last] of got) {
      expect(['0', '1']).toContain(first);
      expect(last).toBe('0');
    }
    const { stages } = line.stats();
    expect(stages.map(({ handled }) => handled)).toEqual([300, 300, 300]);
    expect(stages[1]!.threads.length).toBe(2);
  });

  it('multiply messages, or keep them', async () => {
    const { line } = await startLine({
      stages: [
        { handler: linesHandler('forms'), threads: 2 },
        { handler: linesHandler('same'), threads: 2 },
      ],
    });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 64);
    const expected = Array.from({ length: 64 }, (_, n) => expectedOf(n)).flat();
    expect(sorted(await take(pull, expected.length))).toEqual(sorted(expected));
  });
});

describe('routing', () => {
  it('keeps the order of each key, and a key in one thread', async () => {
    const { line } = await startLine({ route: { key: 'header' }, threads: 3 });
    const { push, pull } = endsOf(line);
    for (let n = 0; n < 300; n += 1) await push.send([`key ${n % 7}`, String(n)]);
    const last = new Map<string, number>();
    const threads = new Map<string, string>();
    for (const [key, number, thread] of await take(pull, 300)) {
      expect(Number(number), `after ${last.get(key!)}`).toBeGreaterThan(last.get(key!) ?? -1);
      last.set(key!, Number(number));
      expect(threads.get(key!) ?? thread).toBe(thread);
      threads.set(key!, thread!);
    }
    expect(new Set(threads.values()).size).toBeGreaterThan(1);
  });

  it('by least load: a slow thread does not hold up the others', async () => {
    const { line } = await startLine({ handler: linesHandler('slowThread'), concurrency: 1, maxInFlight: 8 });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 400);
    const threads = (await take(pull, 300)).map(([, thread]) => thread);
    expect(threads.filter((thread) => thread === '1').length).toBeGreaterThan(250);
  });
});

describe('back-pressure', () => {
  it('a sink that nobody reads stops the source, and nothing is lost', async () => {
    const { line } = await startLine({
      source: { type: 'PULL', bind: 'tcp://127.0.0.1:*', socketOptions: { receiveHighWaterMark: 10 } },
      sink: { type: 'PUSH', bind: 'tcp://127.0.0.1:*', socketOptions: { sendHighWaterMark: 10 } },
      handler: linesHandler('same'),
      maxInFlight: 20,
    });
    const push = ofTest(new (await import('zeromq-threads')).Push({ sendHighWaterMark: 10, linger: 0 }));
    push.connect(line.endpoint);
    const size = 10_000;
    let sent = 0;
    // More than the connection's buffers hold.
    const sending = (async () => {
      for (; sent < 3000; sent += 1) await push.send(Buffer.alloc(size, sent & 255));
    })();
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(sent).toBeLessThan(3000);
    const pull = ofTest(new Pull({ receiveHighWaterMark: 10 }));
    pull.connect(line.sinks[0]!);
    const counts = new Uint32Array(256);
    for (let n = 0; n < 3000; n += 1) {
      const message = await within(`message ${n}`, pull.recv());
      expect(message.length).toBe(size);
      counts[message[0]!]! += 1;
    }
    await within('all is sent', sending);
    expect([...counts]).toEqual(Array.from({ length: 256 }, (_, n) => Math.ceil((3000 - n) / 256)));
  });
});

describe('close', () => {
  it('finishes what was accepted, and says so', async () => {
    const { line } = await startLine({ handler: linesHandler('late') });
    const { push, pull } = endsOf(line);
    await sendNumbers(push, 200);
    const first = take(pull, 1);
    await first;
    const result = await within('the pipeline closes', line.close());
    expect(result).toEqual({ unfinished: 0 });
    expect(line.closed).toBe(true);
    // What had been taken from the source comes out; the rest was never accepted.
    const { handled } = line.stats().stages[0]!;
    expect((await take(pull, handled - 1)).length).toBe(handled - 1);
  });

  it('counts and reports what it could not finish', async () => {
    const { line, errors } = await startLine({ handler: linesHandler('stuck'), concurrency: 4 });
    const { push } = endsOf(line);
    await sendNumbers(push, 20);
    await within(
      'some run',
      until(() => line.stats().stages[0]!.inFlight === 20),
    );
    const { unfinished } = await within('the pipeline closes', line.close({ timeout: 50 }));
    expect(unfinished).toBeGreaterThan(0);
    expect(errors.filter(({ info }) => info.type === 'close').length).toBe(unfinished);
    expect(errors[0]!.error).toBeInstanceOf(ZmqError);
    expect(Number(String(errors[0]!.info.message![0]))).toBeGreaterThanOrEqual(0);
  });
});

describe('bad options', () => {
  const source = { type: 'PULL', bind: 'inproc://x' };
  const handler = linesHandler();
  it.each([
    ['nothing', undefined, /options: expected an object/],
    ['no source', { handler }, /source: expected an object/],
    ['an empty list of sources', { source: [], handler }, /source: expected at least one/],
    [
      'a source of no type',
      { source: { bind: 'inproc://x' }, handler },
      /source\.type: expected one of PULL/,
    ],
    ['a source that sends', { source: { type: 'PUSH', bind: 'inproc://x' }, handler }, /source\.type/],
    [
      'a source without an endpoint',
      { source: { type: 'PULL' }, handler },
      /'bind' or 'connect', got neither/,
    ],
    [
      'an endpoint that is none',
      { source: { type: 'PULL', bind: 5 }, handler },
      /source\.bind: expected an endpoint/,
    ],
    ['topics for a PULL', { source: { ...source, subscribe: 'a' }, handler }, /subscribe: expected a SUB/],
    [
      'a ROUTER among others',
      { source: [source, { type: 'ROUTER', bind: 'inproc://y' }], handler },
      /ROUTER sources only/,
    ],
    [
      'a sink that receives',
      { source, sink: { type: 'PULL', bind: 'inproc://y' }, handler },
      /sink\.type: expected one of PUSH/,
    ],
    [
      'two sinks of one name',
      {
        source,
        sink: [
          { type: 'PUSH', name: 'a', bind: 'inproc://y' },
          { type: 'PUSH', name: 'a', bind: 'inproc://z' },
        ],
        handler,
      },
      /'a' twice/,
    ],
    ['no handler', { source }, /handler: expected the URL or path/],
    [
      'a handler and stages',
      { source, handler, stages: [{ handler }] },
      /handler: expected 'stages' or a handler/,
    ],
    ['no stages', { source, stages: [] }, /stages: expected an array of at least one/],
    ['a stage that is none', { source, stages: [5] }, /stages\[0\]: expected an object/],
    ['a route that is none', { source, handler, route: 'best' }, /route: expected/],
    ['an option that is none', { source, handler, order: true }, /options: expected only .*, got 'order'/],
    [
      'an option of the source that is none',
      { source: { ...source, binds: 'inproc://y' }, handler },
      /source: expected only type, .*, got 'binds'/,
    ],
    [
      'an option of a stage that is none',
      { source, stages: [{ handler, sink: {} }] },
      /stages\[0\]: expected only handler, .*, got 'sink'/,
    ],
    ['order by a number', { source, handler, ordered: 1 }, /ordered: expected a boolean/],
  ])('%s', async (_name, options, message) => {
    const starting = pipeline(options as never);
    await expect(starting).rejects.toThrow(ArgumentError);
    await expect(starting).rejects.toThrow(message);
  });

  it('a handler that is not there, and an address in use: nothing is left behind', async () => {
    const endpoint = endpoints.tcp();
    const options = { source: { type: 'PULL' as const, bind: endpoint } };
    await expect(pipeline({ ...options, handler: linesHandler('nobody') })).rejects.toThrow(HandlerError);
    const router = ofTest(new Router());
    const taken = router.bind(endpoint);
    await expect(
      pipeline({ source: { type: 'PULL', bind: taken }, handler: linesHandler() }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
