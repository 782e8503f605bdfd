/** What a handler does wrong costs its own request, and whoever asked is told; a thread that dies is replaced. */
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Dealer, HandlerError, type ServeOptions, type ThreadEvent } from 'zeromq-threads';

import { within } from './bounded.js';
import { clientOf, dealerTo, handlerOf, start } from './serving.js';

/** What the default error reply says. */
const errorIn = ([reply]: string[]): { name: string; message: string; code?: string } =>
  JSON.parse(reply!).error;

/** Asks for all of it at once, with what is asked for as the first frame of the envelope; the replies by that. */
async function askAll(endpoint: string, requests: Record<string, string[]>): Promise<Map<string, string[]>> {
  const dealer = dealerTo(endpoint);
  for (const [name, request] of Object.entries(requests)) await dealer.send([name, '', ...request]);
  const replies = new Map<string, string[]>();
  while (replies.size < Object.keys(requests).length) {
    const [name, , ...reply] = (
      await within(`reply ${replies.size + 1}`, dealer.recvMultipart(), 20_000)
    ).map(String);
    expect(replies.has(name!), `${name} is answered once`).toBe(false);
    replies.set(name!, reply);
  }
  return replies;
}

const echoes = (count: number): Record<string, string[]> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`echo ${n}`, ['echo', `${n}`]]));

describe('a handler that', () => {
  it.each([
    ['throws', ['throw', 'no'], { name: 'RangeError', message: 'no' }],
    ['rejects', ['reject', 'no'], { name: 'Error', message: 'no', code: 'E_MINE' }],
    ['throws what is no error', ['string'], { message: 'only a string' }],
    ['gives what cannot be sent', ['object'], { name: 'ArgumentError', code: 'ERR_INVALID_ARG' }],
    ['gives a thenable without a then', ['badThenable', 'get'], { name: 'RangeError', message: 'no then' }],
    ['gives a thenable that throws', ['badThenable', 'call'], { name: 'RangeError', message: 'no then' }],
    ['gives a promise without a then', ['badPromise', 'then get'], { message: 'no then get' }],
    ['gives a promise whose then throws', ['badPromise', 'then call'], { message: 'no then call' }],
    [
      'gives a promise without a constructor',
      ['badPromise', 'constructor get'],
      { message: 'no constructor get' },
    ],
    ['gives an array without a length', ['countless'], { name: 'RangeError', message: 'no length' }],
    ['throws a revoked proxy', ['revoked'], { message: '<Revoked Proxy>' }],
    ['takes a frame out of its request, and throws', ['shift', 'it'], { message: 'shifted' }],
    ['empties its request, and rejects', ['cut', 'it'], { message: 'cut' }],
    ['replaces a frame of its request, and throws', ['replace', 'it'], { message: 'replaced' }],
  ])('%s: the error is the reply, and an event has the request', async (_, request, expected) => {
    const { server, told } = await start({ threads: 1 });
    const ask = clientOf(server.endpoint);
    expect(errorIn(await ask(...request))).toMatchObject(expected);
    const { error, info } = await told('handler');
    expect(error).toMatchObject(expected);
    expect(info).toMatchObject({ type: 'handler', thread: 0 });
    expect(info.request!.map(String)).toEqual(request);
    expect(info.routingId!.length).toBeGreaterThan(0);
    expect(await ask('echo', 'still there')).toEqual(['echo', 'still there']);
    expect(server.stats()).toMatchObject({ failed: 1, threads: [{ failed: 1, timedOut: 0, deaths: 0 }] });
  });

  it('gives a thenable that settles again and again: what came first is the reply', async () => {
    const { server } = await start({ threads: 1 });
    const ask = clientOf(server.endpoint);
    expect(await ask('badThenable', 'often')).toEqual(['once']);
    expect(await ask('echo')).toEqual(['echo']);
    await expect.poll(() => server.stats()).toMatchObject({ handled: 2, sent: 2, failed: 0, inFlight: 0 });
  });

  it('throws an error that cannot be read: that is what is told', async () => {
    const { server, told } = await start({ threads: 1 });
    expect(errorIn(await clientOf(server.endpoint)('unreadable')).message).toBe('no message');
    expect((await told('handler')).error.message).toMatch(
      /properties cannot be read: RangeError: no message/,
    );
    expect(server.stats().threads[0]!.deaths).toBe(0);
  });

  it('gives what cannot be sent is told so in its own terms', async () => {
    const { server } = await start({ threads: 1 });
    const ask = clientOf(server.endpoint);
    expect(errorIn(await ask('object')).message).toMatch(/^the reply: expected a string, .*, got object/);
    expect(errorIn(await ask('objects')).message).toMatch(
      /^the reply\[1\]: expected a string, .*, got object/,
    );
    expect(errorIn(await ask('empty')).message).toMatch(/^the reply: expected at least one frame/);
  });

  it('gives what cannot be sent to a peer that does not read is answered like any other', async () => {
    const { server } = await start({ threads: 1, socketOptions: { sendHighWaterMark: 1 } });
    const dealer = new Dealer({ receiveHighWaterMark: 1, linger: 0 });
    onTestFinished(() => dealer.close());
    dealer.connect(server.endpoint);
    const large = Buffer.alloc(1_000_000);
    const count = 60; // more than the connection's buffers hold
    for (let n = 0; n < count; n += 1) await dealer.send([`${n}`, '', large]);
    await expect.poll(() => server.stats().inFlight, { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(() => server.stats().threads[0]!.queued, { timeout: 20_000 }).toBe(0);
    await dealer.send(['last', '', 'object']);
    await expect.poll(() => server.stats().failed, { timeout: 20_000 }).toBe(1);
    for (let n = 0; n < count; n += 1) {
      const [name] = await within(`reply ${n}`, dealer.recvMultipart(), 20_000);
      expect(String(name)).toBe(String(n));
    }
    const [name, , reply] = await within('the last', dealer.recvMultipart(), 20_000);
    expect(String(name)).toBe('last');
    expect(errorIn([String(reply)]).message).toMatch(/^the reply: expected a string/);
  });

  it('asks for its signal only after its time was up: it is aborted', async () => {
    const { server } = await start({ threads: 1, timeout: 30 });
    const line = new Promise<unknown[]>((resolve) => server.on('log', (_level, args) => resolve(args)));
    await clientOf(server.endpoint)('lateSignal', '60');
    expect(await within('it looks', line)).toEqual([true, 'TimeoutError']);
  });

  it('takes too long and waits: its signal is aborted, and the thread goes on', async () => {
    const { server, told } = await start({ threads: 1, timeout: 30 });
    const ask = clientOf(server.endpoint);
    expect(errorIn(await ask('sleep', '60000'))).toMatchObject({ name: 'TimeoutError', code: 'EAGAIN' });
    expect((await told('handler')).error.message).toBe('handler timed out after 0.03 s');
    // Its own answer comes too late.
    expect(errorIn(await ask('signal'))).toMatchObject({ name: 'TimeoutError' });
    expect(await ask('echo')).toEqual(['echo']);
    expect(server.stats().threads[0]).toMatchObject({ failed: 2, timedOut: 2, deaths: 0 });
  });

  it('takes too long and blocks: its thread is ended, and others have been served meanwhile', async () => {
    const { server, told } = await start({ threads: 2, timeout: 50, grace: 100 });
    const replies = await askAll(server.endpoint, { ...echoes(5), blocks: ['spin', '60000'] });
    expect(errorIn(replies.get('blocks')!)).toMatchObject({ name: 'HandlerError' });
    const { error, info } = await told('lost');
    expect(error.cause).toMatchObject({ name: 'TimeoutError' });
    expect(info).toMatchObject({ outcome: 'failed', request: [Buffer.from('spin'), Buffer.from('60000')] });
    const [busy] = server.stats().threads.filter(({ deaths }) => deaths > 0);
    expect(busy).toMatchObject({ deaths: 1, timedOut: 1, lost: 1 });
  });

  const FATAL: [string, string[], Partial<ServeOptions>][] = [
    ['calls process.exit()', ['exit', '0'], {}],
    ['calls process.exit() with a status', ['exit', '7'], {}],
    ['leaves a stray error', ['stray'], {}],
    ['leaves a stray null', ['strayNull'], {}],
    ['leaves a stray rejection', ['strayRejection'], {}],
    ['runs out of memory', ['memory'], { resourceLimits: { maxOldGenerationSizeMb: 24 } }],
  ];

  it.each(FATAL)(
    '%s: its thread is replaced, its request answered and reported',
    async (_, request, options) => {
      const { server, told } = await start({ threads: 1, concurrency: 1, ...options });
      const events: ThreadEvent[] = [];
      server.on('thread', (event) => events.push(event));
      const replies = await askAll(server.endpoint, {
        ...echoes(3),
        fatal: request,
        after: ['echo', 'after'],
      });
      expect(errorIn(replies.get('fatal')!)).toMatchObject({ name: 'HandlerError' });
      expect(replies.get('after')).toEqual(['echo', 'after']);
      const { error, info } = await told('lost');
      expect(error).toBeInstanceOf(HandlerError);
      expect(info).toMatchObject({ type: 'lost', thread: 0, outcome: 'failed' });
      expect(info.request!.map(String)).toEqual(request);
      expect((await told('thread')).info).toMatchObject({ thread: 0, request: undefined });
      // Its successor may answer before it is told of.
      while (events.length < 2) await within('its successor is told of', once(server, 'thread'));
      expect(events.map(({ type }) => type)).toEqual(['died', 'started']);
      expect(server.stats().threads[0]).toMatchObject({ deaths: 1, lost: 1, retried: 0, state: 'running' });
    },
  );

  it.each([
    ['answered with an error', 0],
    ['tried again', 1],
  ])('kills its thread: replies that wait there for a peer to read are %s', async (_, retries) => {
    const { server, errors } = await start({ threads: 1, retries, socketOptions: { sendHighWaterMark: 1 } });
    const slow = new Dealer({ receiveHighWaterMark: 1, linger: 0 });
    onTestFinished(() => slow.close());
    slow.connect(server.endpoint);
    const large = Buffer.alloc(1_000_000);
    const count = 60; // more than the connection's buffers hold
    for (let n = 0; n < count; n += 1) await slow.send([`${n}`, '', large]);
    const waiting = (): boolean => {
      const { handled, inFlight, threads } = server.stats();
      return handled + inFlight === count && threads[0]!.queued === 0 && threads[0]!.inProgress > 1;
    };
    await expect.poll(waiting, { timeout: 20_000 }).toBe(true);
    const other = dealerTo(server.endpoint);
    await other.send(['fatal', '', 'until', '1']);
    await expect.poll(() => server.stats().threads[0]!.deaths, { timeout: 20_000 }).toBeGreaterThan(0);
    const answers = new Map<string, Buffer>();
    for (let n = 0; n < count; n += 1) {
      const [name, , reply] = await within(`reply ${n}`, slow.recvMultipart(), 20_000);
      expect(answers.has(String(name)), `${name} is answered once`).toBe(false);
      answers.set(String(name), reply!);
    }
    const failed = [...answers.values()].filter((reply) => reply.length < large.length);
    if (retries > 0) expect(failed.length).toBe(0);
    else expect(failed.length).toBeGreaterThan(1);
    for (const reply of failed) expect(errorIn([String(reply)]).name).toBe('HandlerError');
    const lost = errors.filter(({ info }) => info.type === 'lost' && info.request!.length === 1);
    const outcome = retries > 0 ? 'retried' : 'failed';
    expect(new Set(lost.map(({ info }) => info.outcome))).toEqual(new Set([outcome]));
  });

  it('kills its thread: what that had not begun is done by others, and what others do goes on', async () => {
    const { server } = await start({ threads: 2, concurrency: 1, route: 'round-robin' });
    const requests = { ...echoes(2), one: ['spin', '30'], two: ['spin', '30'], fatal: ['exit', '1'] };
    const replies = await askAll(server.endpoint, {
      ...requests,
      ...Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`later ${n}`, ['echo', `${n}`]])),
    });
    expect(errorIn(replies.get('fatal')!).message).toMatch(/handler thread \d died/);
    for (let n = 0; n < 100; n += 1) expect(replies.get(`later ${n}`)).toEqual(['echo', `${n}`]);
    expect(replies.get('one')).toEqual(['spun']);
    expect(server.stats().threads.reduce((sum, { lost }) => sum + lost, 0)).toBe(1);
  });
});

describe('retries', () => {
  it('a request whose thread died is tried again, as often as was said', async () => {
    const { server, errors } = await start({ threads: 2, retries: 2 });
    const ask = clientOf(server.endpoint);
    expect(await ask('until', '2')).toEqual(['at attempt 2']);
    expect(errors.filter(({ info }) => info.type === 'lost').map(({ info }) => info.outcome)).toEqual([
      'retried',
      'retried',
    ]);
    const count = (name: 'deaths' | 'retried' | 'lost'): number =>
      server.stats().threads.reduce((sum, stats) => sum + stats[name], 0);
    expect([count('deaths'), count('retried'), count('lost')]).toEqual([2, 2, 0]);
  });

  it('and no more often: then it is answered with an error', async () => {
    const { server, told } = await start({ threads: 2, retries: 1 });
    expect(errorIn(await clientOf(server.endpoint)('until', '5'))).toMatchObject({ name: 'HandlerError' });
    await told('lost');
    await expect.poll(() => server.stats().threads.reduce((sum, { lost }) => sum + lost, 0)).toBe(1);
  });

  it('not one that failed: only its thread’s death is a reason', async () => {
    const { server, errors, told } = await start({ threads: 1, retries: 5 });
    expect(errorIn(await clientOf(server.endpoint)('throw', 'once'))).toMatchObject({ message: 'once' });
    await told('handler');
    expect(errors.map(({ info }) => info.type)).toEqual(['handler']);
  });
});

describe('a thread that dies again and again', () => {
  it('is not replaced for a while; the others do its work', async () => {
    const circuit = { deaths: 2, within: 60_000, backOff: 150 };
    const { server, told } = await start({ threads: 2, circuit, route: 'round-robin', concurrency: 1 });
    const ask = clientOf(server.endpoint);
    for (let n = 0; n < 4; n += 1) await ask('exit', '1');
    const { error, info } = await told('circuit');
    expect(error).toBeInstanceOf(HandlerError);
    expect(error.message).toMatch(/^handler thread \d died too often and is replaced in 0\.15 s$/);
    expect(info).toMatchObject({ type: 'circuit', request: undefined });
    expect(server.stats().threads.map(({ state }) => state)).toContain('circuit-open');
    for (let n = 0; n < 20; n += 1) expect(await ask('echo', `${n}`)).toEqual(['echo', `${n}`]);
    await expect
      .poll(() => server.stats().threads.map(({ state }) => state), { timeout: 20_000 })
      .toEqual(['running', 'running']);
  });

  it('has requests wait when it is the only one, and answers them when it is back', async () => {
    const circuit = { deaths: 1, within: 60_000, backOff: 50 };
    const { server, told } = await start({ threads: 1, circuit });
    const replies = askAll(server.endpoint, { fatal: ['exit', '1'], ...echoes(50) });
    await told('circuit');
    expect((await replies).size).toBe(51);
  });
});

describe('errorReply', () => {
  const ask = async (options: Partial<ServeOptions>): Promise<string[]> => {
    const { server } = await start({ threads: 1, ...options });
    return clientOf(server.endpoint)('throw', 'of test');
  };

  it('as a function words the reply, from the error and the request', async () => {
    expect(
      await ask({
        errorReply: (error, request) => [`${error.name}!`, ...request.map((frame) => `${frame}?`)],
      }),
    ).toEqual(['RangeError!', 'throw?', 'of test?']);
  });

  it('as an export of the handler’s module does so in its thread', async () => {
    expect(await ask({ handler: handlerOf('worded.mjs') })).toEqual(['RangeError', 'throw', 'of test']);
  });

  it('as a function answers for a dead thread, too', async () => {
    const { server } = await start({ threads: 1, errorReply: (error) => `sorry: ${error.name}` });
    expect(await clientOf(server.endpoint)('exit', '1')).toEqual(['sorry: HandlerError']);
  });

  it('what is answered outside of handler threads counts as sent, too', async () => {
    const { server } = await start({ threads: 1, errorReply: (error) => `sorry: ${error.name}` });
    const ask = clientOf(server.endpoint);
    for (const request of [['echo'], ['throw', 'of test'], ['exit', '1'], ['echo']]) await ask(...request);
    await expect.poll(() => server.stats()).toMatchObject({ sent: 4, dropped: 0, failed: 1, inFlight: 0 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new SyntaxError('worded badly');
      },
      'worded badly',
    ],
    ['gives what cannot be sent', () => ({ not: 'sendable' }) as never, 'expected'],
  ])('that %s: that is the error then', async (_, errorReply, words) => {
    const { server } = await start({ threads: 1, errorReply });
    expect(errorIn(await clientOf(server.endpoint)('throw', 'of test')).message).toContain(words);
    expect(errorIn(await clientOf(server.endpoint)('exit', '1')).message).toContain(words);
  });

  it('false: nobody is answered, and the event is there all the same', async () => {
    const { server, told } = await start({ threads: 1, errorReply: false });
    const dealer = dealerTo(server.endpoint);
    await dealer.send(['a', '', 'throw', 'of test']);
    await dealer.send(['b', '', 'echo']);
    await told('handler');
    expect((await within('a reply', dealer.recvMultipart())).map(String)).toEqual(['b', '', 'echo']);
  });
});
