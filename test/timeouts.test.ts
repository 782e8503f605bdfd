/** Timeouts and signals: when a wait ends without what it waited for, and that nothing is lost then. */
import { constants } from 'node:os';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  ArgumentError,
  Pair,
  Pull,
  Push,
  Request,
  Requester,
  Socket,
  TimeoutError,
  ZmqError,
} from 'zeromq-threads';

import { isPending, turn, within } from './bounded.js';
import { endings, raceFirstPeer, raceReceives, raceSends } from './cancel-races.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

type Waits = { timeout?: number | undefined; signal?: AbortSignal } | undefined;

/** Every call that waits for a message, by the name that its TimeoutError gives. */
const receives: Record<string, (socket: Pull, options?: Waits) => Promise<unknown>> = {
  recv: (socket, options) => socket.recv(options),
  recvMultipart: (socket, options) => socket.recvMultipart(options),
  receive: (socket, options) => socket.receive(options),
  recvSync: async (socket, options) => socket.recvSync(options),
  recvMultipartSync: async (socket, options) => socket.recvMultipartSync(options),
};
/** Every call that waits for room. */
const sends: Record<string, (socket: Push, options?: Waits) => Promise<unknown>> = {
  send: (socket, options) => socket.send('x', options),
  sendMultipart: (socket, options) => socket.sendMultipart(['x', 'y'], options),
  sendSync: async (socket, options) => socket.sendSync('x', options),
};
const asynchronous = (name: string): boolean => !name.endsWith('Sync');

async function failure(promise: Promise<unknown>): Promise<TimeoutError> {
  const reason = await within('the call ends', promise).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(reason).toBeInstanceOf(TimeoutError);
  expect(reason).toBeInstanceOf(ZmqError);
  expect(reason).toMatchObject({ code: 'EAGAIN', errno: constants.errno.EAGAIN, name: 'TimeoutError' });
  return reason as TimeoutError;
}

describe.each(Object.entries(receives))('%s', (name, receive) => {
  it.each([0, 10, 30])('fails after receiveTimeout %d, with it in seconds', async (timeout) => {
    const pull = ofTest(new Pull({ receiveTimeout: timeout }));
    pull.bind(endpoints.tcp());
    const begun = performance.now();
    const error = await failure(receive(pull));
    expect(performance.now() - begun).toBeGreaterThanOrEqual(timeout - 1);
    expect(error.timeoutSecs).toBe(timeout / 1000);
    expect(error.message).toBe(`${name} timed out after ${timeout / 1000} s`);
  });

  it.each([0, 1, 10, 0.5])('fails after a timeout of its own of %d', async (timeout) => {
    const pull = ofTest(new Pull({ receiveTimeout: 60_000 }));
    expect((await failure(receive(pull, { timeout }))).timeoutSecs).toBe(timeout / 1000);
  });

  it('waits for what comes in time', async () => {
    const [pull, push] = linked(new Pull({ receiveTimeout: 20_000 }), new Push());
    for (const options of [
      undefined,
      {},
      { timeout: undefined },
      { timeout: 20_000 },
      { timeout: 2 ** 40 },
    ]) {
      await push.send('in time');
      expect(String(await within('receiving', receive(pull, options)))).toBe('in time');
    }
  });

  it('takes what is there already with a timeout of 0', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    for (let n = 0; n < 100; n += 1) {
      await push.send(`${n}`);
      expect(String(await receive(pull, { timeout: 0 }))).toBe(`${n}`);
      expect((await failure(receive(pull, { timeout: 0 }))).timeoutSecs).toBe(0);
    }
  });

  it('does not even look when the signal is aborted already', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    await push.send('still there');
    const reason = new Error('changed my mind');
    await expect(receive(pull, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(receive(pull, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(String(await receive(pull, { timeout: 0 }))).toBe('still there');
  });

  it('leaves the option as it was', async () => {
    const [pull, push] = linked(new Pull({ receiveTimeout: 4321 }), new Push());
    for (const timeout of [4321, -1, 60_000]) {
      pull.receiveTimeout = timeout;
      await push.send('x');
      await within('receiving', receive(pull));
      expect(pull.receiveTimeout).toBe(timeout);
      await failure(receive(pull, { timeout: 5 }));
      expect(pull.getOption('rcvtimeo')).toBe(timeout);
    }
  });

  it('receiving after a timeout gets what came later', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await failure(receive(pull, { timeout: 1 }));
    await push.send('later');
    expect(String(await within('receiving', receive(pull)))).toBe('later');
  });

  if (!asynchronous(name)) return;

  it('waits for ever with -1', async () => {
    const [pull, push] = linked(new Pull({ receiveTimeout: 5 }), new Push());
    const pending = receive(pull, { timeout: -1 });
    expect(await isPending(pending)).toBe(true);
    pull.receiveTimeout = -1;
    const other = receive(pull);
    expect(await isPending(other)).toBe(true);
    await push.send('one');
    await push.send('two');
    expect(String(await within('the first', pending))).toBe('one');
    expect(String(await within('the second', other))).toBe('two');
  });

  it('ends when the signal is aborted, and gives the message to the next', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const controller = new AbortController();
    const pending = receive(pull, { signal: controller.signal });
    expect(await isPending(pending, 5)).toBe(true);
    controller.abort('enough');
    await expect(pending).rejects.toBe('enough');
    await push.send('for the next');
    expect(String(await within('the next', receive(pull)))).toBe('for the next');
  });

  it('aborting after the message has come changes nothing', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const controller = new AbortController();
    const pending = receive(pull, { signal: controller.signal });
    await push.send('mine');
    expect(String(await within('receiving', pending))).toBe('mine');
    controller.abort();
    expect(String(await pending)).toBe('mine');
    await expect(receive(pull, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('withdraws one of many that wait, and the others stay in order', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const controller = new AbortController();
    const waits = Array.from({ length: 10 }, (_, index) =>
      receive(pull, index % 3 === 1 ? { signal: controller.signal } : index % 3 === 2 ? { timeout: 1 } : {}),
    );
    const settled = Promise.allSettled(waits);
    await expect(waits[2]).rejects.toThrow(TimeoutError);
    await expect(waits[8]).rejects.toThrow(TimeoutError);
    controller.abort();
    for (const text of ['a', 'b', 'c', 'd']) await push.send(text);
    const outcomes = await within('all ten settle', settled);
    const texts = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? String(outcome.value) : '-'));
    expect(texts.join('')).toBe('a--b--c--d');
  });

  it('gives a message that came while the event loop was busy, rather than timing out', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('warm');
    await within('the connection is there', pull.recv());
    const pending = receive(pull, { timeout: 20 });
    push.sendSync('in time');
    const until = performance.now() + 200;
    while (performance.now() < until); // a handler that computes
    expect(String(await within('receiving', pending))).toBe('in time');
  });
});

describe.each(Object.entries(sends))('%s', (name, send) => {
  it.each([0, 10])('fails after sendTimeout %d, with it in seconds', async (timeout) => {
    const push = ofTest(new Push({ sendTimeout: timeout }));
    const error = await failure(send(push));
    expect(error.timeoutSecs).toBe(timeout / 1000);
    expect(error.message).toBe(`${name} timed out after ${timeout / 1000} s`);
  });

  it.each([0, 1, 10])('fails after a timeout of its own of %d, and sends nothing then', async (timeout) => {
    const push = ofTest(new Push({ sendTimeout: 60_000 }));
    expect((await failure(send(push, { timeout }))).timeoutSecs).toBe(timeout / 1000);
    const pull = ofTest(new Pull());
    pull.connect(push.bind(endpoints.inproc()));
    await push.send('only this');
    expect(String(await within('receiving', pull.recv()))).toBe('only this');
    expect(pull.tryRecv()).toBe(undefined);
  });

  it('does nothing when the signal is aborted already', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    await expect(send(push, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(pull.tryRecv()).toBe(undefined);
  });

  it('succeeds with a timeout of 0 when there is room', async () => {
    const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
    await send(push, { timeout: 0 });
    expect(String(await within('receiving', pull.recv()))).toBe('x');
  });

  if (!asynchronous(name)) return;

  it('ends when the signal is aborted, and the sends behind it go on', async () => {
    const push = ofTest(new Push());
    const controller = new AbortController();
    const first = push.send('first');
    const cancelled = send(push, { signal: controller.signal });
    const last = push.send('last');
    const rejected = expect(cancelled).rejects.toBe('enough');
    controller.abort('enough');
    await within('the cancelled send rejects', rejected);
    const pull = ofTest(new Pull());
    pull.connect(push.bind(endpoints.inproc()));
    await within('the others are sent', Promise.all([first, last]));
    expect(String(await within('receiving', pull.recv()))).toBe('first');
    expect(String(await within('receiving', pull.recv()))).toBe('last');
  });

  it('waits for ever with -1', async () => {
    const push = ofTest(new Push({ sendTimeout: 5 }));
    const pending = send(push, { timeout: -1 });
    expect(await isPending(pending)).toBe(true);
    const pull = ofTest(new Pull());
    pull.connect(push.bind(endpoints.inproc()));
    await within('the send is accepted', pending);
  });
});

describe('one signal', () => {
  it('cancels any number of operations, without a warning', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const controller = new AbortController();
    const { signal } = controller;
    const pull = ofTest(new Pull());
    const push = ofTest(new Push());
    const requester = new Requester({ connect: endpoints.inproc() });
    onTestFinished(() => requester.close());
    const operations = Array.from({ length: 60 }, (_, index) => {
      const operation = [
        () => pull.recv({ signal }),
        () => push.send('x', { signal }),
        () => requester.request('x', { signal }),
      ][index % 3]!;
      return operation().catch((reason: unknown) => reason);
    });
    const late = push.send('stays').then(() => 'sent');
    controller.abort('all of it');
    expect(await within('all are cancelled', Promise.all(operations))).toEqual(Array(60).fill('all of it'));
    pull.connect(push.bind(endpoints.inproc()));
    expect(await within('the send without a signal', late)).toBe('sent');
    expect(await within('its message', pull.recv('utf8'))).toBe('stays');
    await turn();
    expect(warnings).toEqual([]);
  });
});

describe('one deadline for a whole message', () => {
  it('covers all frames', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('first', { more: true });
    await expect(pull.recvMultipart({ timeout: 20 })).rejects.toThrow(TimeoutError);
    await push.send('second');
    const frames = await within('the message is whole', pull.recvMultipart({ timeout: 10_000 }));
    expect(frames.map(String)).toEqual(['first', 'second']);
  });
});

describe('REQ', () => {
  it('can go on after a receive timed out, or was cancelled', async () => {
    const [reply, request] = linked(new Socket('REP'), new Request());
    await request.send('question');
    await expect(request.recv({ timeout: 5 })).rejects.toThrow(TimeoutError);
    const controller = new AbortController();
    const pending = request.recv({ signal: controller.signal });
    await turn();
    controller.abort('no patience');
    await expect(pending).rejects.toBe('no patience');
    expect(await within('the question', reply.recv('utf8'))).toBe('question');
    await reply.send('answer');
    expect(await within('the answer', request.recv('utf8'))).toBe('answer');
    await request.send('another');
    expect(await within('the other question', reply.recv('utf8'))).toBe('another');
  });
});

describe('bad timeouts and signals', () => {
  const timeouts = [Number.NaN, -2, -0.5, -Infinity, Infinity, '10', 10n, null, true, {}, [], new Date()];
  const signals = [null, 'abort', 5, {}, new AbortController(), { aborted: true, addEventListener() {} }];
  const calls = { ...receives, ...sends } as unknown as Record<
    string,
    (socket: Pair, options: unknown) => Promise<unknown>
  >;

  it.each(Object.entries(calls))('%s refuses them and loses nothing', async (_, call) => {
    const [pair, other] = linked(new Pair(), new Pair(), endpoints.inproc());
    await other.send('still there');
    const outcome = async (options: unknown): Promise<string> => {
      const error = await call(pair, options).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ArgumentError);
      return (error as Error).message;
    };
    for (const timeout of timeouts) {
      expect(await outcome({ timeout })).toMatch(
        /^timeout: expected a number of milliseconds from 0 up, or -1 for no limit, got /,
      );
    }
    for (const signal of signals) {
      expect(await outcome({ signal })).toMatch(/^signal: expected an AbortSignal, got /);
    }
    for (const options of [null, 5, 'fast', true, Symbol('s'), ['frame']]) {
      expect(await outcome(options)).toMatch(/^(options: expected an object|as: expected a format)/);
    }
    expect(String(pair.tryRecv())).toBe('still there');
    expect(other.tryRecv()).toBe(undefined);
  });
});

describe('a race between the end of a wait and what it waits for', () => {
  it.each(['timeout', 'abort'] as const)(
    'receives, ended by %s: 10,000 times never both, never neither, and nothing is lost',
    async (ending) => {
      const { received, ended } = await raceReceives(endings[ending], 50, 200);
      expect(received + ended).toBe(10_000);
      expect(received, 'some messages have to win').toBeGreaterThan(100);
      expect(ended, `some ${ending}s have to win`).toBeGreaterThan(100);
    },
    120_000,
  );

  it.each(['timeout', 'abort'] as const)(
    'sends that wait, ended by %s: what was accepted arrives, and nothing else',
    async (ending) => {
      const { received, ended } = await raceSends(endings[ending], 20, 100);
      expect(received + ended).toBe(2000);
      expect(received, 'some sends have to win').toBeGreaterThan(20);
      expect(ended, `some ${ending}s have to win`).toBeGreaterThan(20);
    },
    120_000,
  );

  it('the first peer against an abort', async () => {
    const { received, ended } = await raceFirstPeer(300);
    expect(received).toBeGreaterThan(10);
    expect(ended).toBeGreaterThan(10);
  });
});
