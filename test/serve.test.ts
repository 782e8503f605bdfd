/** serve(): requests and replies, contexts, options. Faults are in serve-faults.test.ts. */
import { describe, expect, it } from 'vitest';
import { ArgumentError, Dealer, HandlerError, Reply, Router, serve, ZmqError } from 'zeromq-threads';

import { within } from './bounded.js';
import { clientOf, dealerTo, handlerOf, start } from './serving.js';

describe('requests and replies', () => {
  it('answers REQ peers, one frame or many', async () => {
    const { server } = await start();
    const ask = clientOf(server.endpoint);
    expect(await ask('hello')).toEqual(['hello']);
    expect(await ask('one', '', 'three')).toEqual(['one', '', 'three']);
    expect(await ask('parts')).toEqual(['a', 'b', '3', '']);
    expect(await ask('')).toEqual(['']);
  });

  it('answers with an empty frame where a handler returns nothing', async () => {
    const { server } = await start();
    expect(await clientOf(server.endpoint)('nothing')).toEqual(['']);
  });

  it('keeps a DEALER peer’s envelope as it came: with a delimiter, without, and of any height', async () => {
    const { server } = await start();
    const dealer = dealerTo(server.endpoint);
    const exchange = async (frames: string[]): Promise<string[]> => {
      await dealer.send(frames);
      return (await within('the reply', dealer.recvMultipart())).map(String);
    };
    expect(await exchange(['plain'])).toEqual(['plain']);
    expect(await exchange(['', 'delimited'])).toEqual(['', 'delimited']);
    expect(await exchange(['hop 1', 'hop 2', '', 'stacked', 'body'])).toEqual([
      'hop 1',
      'hop 2',
      '',
      'stacked',
      'body',
    ]);
  });

  it('takes empty frames for content where no delimiter is agreed on', async () => {
    const { server } = await start({ delimiter: false, export: 'upper' });
    const dealer = dealerTo(server.endpoint);
    await dealer.send(['head', '', 'tail']);
    expect((await within('the reply', dealer.recvMultipart())).map(String)).toEqual(['HEAD', '', 'TAIL']);
  });

  it('gives each of many requests in flight its own reply', async () => {
    const { server } = await start({ concurrency: 8 });
    const dealers = Array.from({ length: 4 }, () => dealerTo(server.endpoint));
    const count = 500;
    await Promise.all(
      dealers.map(async (dealer, who) => {
        const expected = new Set<string>();
        for (let index = 0; index < count; index += 1) {
          const text = `${who}/${index}`;
          expected.add(text);
          await dealer.send(index % 50 === 0 ? [text, '', 'sleep', '1'] : [text, '', 'x']);
        }
        for (let index = 0; index < count; index += 1) {
          const [id] = await within('a reply', dealer.recvMultipart(), 20_000);
          expect(expected.delete(String(id)), `${id} for ${who}, once`).toBe(true);
        }
      }),
    );
  });

  it('carries large requests and replies', async () => {
    const { server } = await start();
    const dealer = dealerTo(server.endpoint);
    for (const size of [100_000, 1_000_000, 5_000_000]) {
      const sent = Buffer.alloc(size, `${size} `);
      await dealer.send(['id', '', sent]);
      const reply = await within('the reply', dealer.recvMultipart(), 20_000);
      expect(sent.equals(reply[2]!), `${size} bytes`).toBe(true);
    }
  });

  it('serves over ipc and inproc, and several endpoints at once', async () => {
    const { server } = await start({ bind: ['inproc://served', 'tcp://127.0.0.1:*'] });
    expect(server.endpoints).toHaveLength(2);
    for (const endpoint of server.endpoints) expect(await clientOf(endpoint)('there')).toEqual(['there']);
  });

  it('connects to a broker’s DEALER, and answers through it', async () => {
    const front = new Router({ linger: 0 });
    const back = new Dealer({ linger: 0 });
    const frontEnd = front.bind('tcp://127.0.0.1:*');
    const { server } = await start({ bind: undefined, connect: back.bind('tcp://127.0.0.1:*') } as never);
    expect(server.endpoint).toMatch(/^tcp:/);
    void (async () => {
      for await (const frames of front) await back.send(frames);
    })();
    void (async () => {
      for await (const frames of back) await front.send(frames);
    })();
    const ask = clientOf(frontEnd);
    expect(await ask('through a broker')).toEqual(['through a broker']);
    expect(await ask('throw', 'far away')).toEqual([
      JSON.stringify({ error: { name: 'RangeError', message: 'far away' } }),
    ]);
    front.close();
    back.close();
  });
});

describe('the handler’s context', () => {
  it('tells the peer’s address and routing id, and the attempt', async () => {
    const { server } = await start();
    const dealer = new Dealer({ routingId: 'me', linger: 0 });
    dealer.connect(server.endpoint);
    await dealer.send(['', 'peer']);
    const [, address, id, attempt] = await within('the reply', dealer.recvMultipart());
    dealer.close();
    expect([String(address), String(id), String(attempt)]).toEqual(['127.0.0.1', 'me', '0']);
  });

  it('has a logger that leads to the server’s events', async () => {
    const { server } = await start();
    const line = new Promise((resolve) => {
      server.on('log', (level, args, thread) => resolve([level, ...args, typeof thread]));
    });
    expect(await clientOf(server.endpoint)('log', 'a word')).toEqual(['logged']);
    expect(await within('the line', line)).toEqual(['warn', 'said', 'a word', 'number']);
  });

  it('runs setup once per thread, and gives threads their data and environment', async () => {
    const { server } = await start({
      workerData: { answer: 42 },
      // With the addon that is tested.
      env: { OF_TEST: 'yes', ZEROMQ_THREADS_ADDON: process.env.ZEROMQ_THREADS_ADDON ?? '' },
      route: 'round-robin',
    });
    const ask = clientOf(server.endpoint);
    expect(JSON.parse((await ask('data'))[0]!)).toEqual({ workerData: { answer: 42 }, env: 'yes' });
    const seen = new Map<string, string>();
    for (let index = 0; index < 10; index += 1) {
      const [thread, id, setups] = await ask('thread');
      expect(setups).toBe('1');
      seen.set(thread!, id!);
    }
    expect([...seen.keys()].sort()).toEqual(['0', '1']);
    expect(new Set(seen.values()).size).toBe(2);
  });
});

describe('the handler’s module', () => {
  it('may be named by path, file URL or with the export after #', async () => {
    const url = handlerOf('echo.mjs');
    for (const options of [
      { handler: url.pathname, export: 'upper' },
      { handler: url.href, export: 'upper' },
      { handler: `${url.href}#upper` },
      { handler: new URL('#upper', url) },
      { handler: './test/handlers/echo.mjs', export: 'upper' },
    ]) {
      const { server } = await start({ ...options, threads: 1 });
      expect(await clientOf(server.endpoint)('text')).toEqual(['TEXT']);
    }
  });

  it('may be CommonJS', async () => {
    const { server } = await start({ handler: handlerOf('common.cjs'), export: 'named' });
    expect(await clientOf(server.endpoint)('x')).toEqual(['from CommonJS']);
  });

  it.each([
    ['is missing', { handler: handlerOf('missing.mjs') }, ArgumentError, /there is no .*missing\.mjs/],
    ['throws on import', { handler: handlerOf('broken.mjs') }, HandlerError, /broken while loading/],
    ['lacks the export', { export: 'absent' }, HandlerError, /no function 'absent'.*it has .*upper/],
    ['exports something else', { export: 'notAFunction' }, HandlerError, /no function 'notAFunction'/],
    ['is a function', { handler: () => 'x' }, ArgumentError, /got a function/],
    ['is a number', { handler: 42 }, ArgumentError, /handler: expected the URL or path/],
  ])('is refused with a clear error when it %s', async (_, options, type, words) => {
    const failed = serve({
      bind: 'tcp://127.0.0.1:*',
      handler: handlerOf('echo.mjs'),
      threads: 2,
      ...(options as object),
    });
    const error = await within(
      'it fails',
      failed.catch((reason: unknown) => reason),
      20_000,
    );
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toMatch(words);
  });
});

describe('options', () => {
  it.runIf(process.platform === 'linux').each([
    [undefined, '0'],
    ['other' as const, '0'],
    ['batch' as const, '3'],
  ])('handler threads are scheduled as told: %s', async (threadSchedulingPolicy, policy) => {
    const { server } = await start({
      handler: handlerOf('policy.mjs'),
      ...(threadSchedulingPolicy !== undefined && { threadSchedulingPolicy }),
    });
    const ask = clientOf(server.endpoint);
    expect(await ask('which?')).toEqual([policy]);
  });

  it.each([
    ['neither bind nor connect', { bind: undefined }, /'bind' or 'connect'/],
    ['threads', { threads: 0 }, /threads: expected an integer from 1/],
    ['concurrency', { concurrency: 1.5 }, /concurrency: expected an integer/],
    ['maxInFlight', { maxInFlight: '7' }, /maxInFlight: expected an integer/],
    ['timeout', { timeout: -2 }, /timeout: expected a number of milliseconds/],
    ['retries', { retries: -1 }, /retries: expected/],
    [
      'scheduling',
      { threadSchedulingPolicy: 3 },
      /threadSchedulingPolicy: expected 'other' or 'batch', got .*3/,
    ],
    ['route', { route: 'random' }, /route: expected 'least-loaded'/],
    ['route.key', { route: { key: 'tail' } }, /route\.key: expected 'header'/],
    [
      'route.key.end',
      { route: { key: { start: 4, end: 2 } } },
      /route\.key\.end: expected an integer above start/,
    ],
    ['errorReply', { errorReply: 'x' }, /errorReply: expected a function or false/],
    ['bind', { bind: 5 }, /bind: expected an endpoint/],
    ['circuit', { circuit: { deaths: 0 } }, /circuit\.deaths/],
    ['names', { thread: 4 }, /options: expected only handler, .*, got 'thread'/],
    ['names of the circuit', { circuit: { death: 1 } }, /circuit: expected only deaths, .*, got 'death'/],
  ])('refuses bad %s', async (_, options, words) => {
    const failed = serve({
      bind: 'tcp://127.0.0.1:*',
      handler: handlerOf('echo.mjs'),
      ...(options as object),
    });
    const error = await failed.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(words);
  });

  it('passes socket options on, and fails as bind does', async () => {
    const other = new Reply({ linger: 0 });
    const taken = other.bind('tcp://127.0.0.1:*');
    const error = await serve({ bind: taken, handler: handlerOf('echo.mjs'), threads: 1 }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ZmqError);
    expect(error.code).toBe('EADDRINUSE');
    other.close();
    const { server } = await start({ socketOptions: { maxMessageSize: 100n as never } });
    expect(await clientOf(server.endpoint)('short')).toEqual(['short']);
  });
});

describe('stats', () => {
  it('count what was handled, failed and sent, thread by thread', async () => {
    const { server, told } = await start();
    const ask = clientOf(server.endpoint);
    for (let index = 0; index < 20; index += 1) await ask('x');
    await ask('throw');
    await told('handler');
    // The last is counted right after its reply is on its way.
    await expect.poll(() => server.stats().handled).toBe(21);
    const stats = server.stats();
    expect(stats).toMatchObject({ handled: 21, failed: 1, sent: 21, dropped: 0, inFlight: 0 });
    expect(stats.threads.map(({ thread, state }) => [thread, state])).toEqual([
      [0, 'running'],
      [1, 'running'],
    ]);
    expect(stats.threads.reduce((sum, { latency }) => sum + latency.count, 0)).toBe(21);
    for (const { latency } of stats.threads.filter(({ handled }) => handled > 0)) {
      expect(latency.p50).toBeGreaterThan(0);
      expect(latency.p99).toBeGreaterThanOrEqual(latency.p50);
    }
  });
});
