/** The end of a context: bounded, told to everybody who has a socket of it, and clear about what it waited for. */
import { describe, expect, test } from 'vitest';
import {
  ArgumentError,
  Context,
  ContextClosedError,
  context,
  Dealer,
  Pair,
  Poller,
  Publisher,
  Pull,
  Push,
  Socket,
  TimeoutError,
} from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { endpoints, startPeer } from './peers/index.js';
import { onBothThreads, spawn } from './threads.js';

describe('close', () => {
  onBothThreads(
    'closes the sockets; what they were asked for ends',
    async ({ zmq, assert, within, isPending }) => {
      const context = new zmq.Context();
      const [pull, dealer, push] = [
        new zmq.Pull({ context }),
        new zmq.Dealer({ context, linger: 0 }),
        new zmq.Push({ context, linger: 0 }),
      ];
      const pending = [
        pull.recv(),
        pull.recvMultipart({ timeout: 20_000 }),
        dealer.recv(),
        dealer.send('nobody is there'),
        push.send('nobody is there', { timeout: 20_000 }),
      ];
      const loop = (async () => {
        for await (const _ of dealer) assert.fail('nothing comes');
      })();
      for (const operation of pending) assert.equal(await isPending(operation, 2), true);
      assert.equal(context.closed, false);
      const closing = context.close();
      assert.equal(context.closed, true);
      for (const [index, operation] of pending.entries()) {
        await within(`operation ${index}`, assert.rejects(operation, zmq.ContextClosedError));
      }
      await within('the loop ends without an error', loop);
      await within('the context is closed', closing);
      for (const socket of [pull, dealer, push]) {
        assert.equal(socket.closed, true);
        assert.throws(() => socket.bind('tcp://127.0.0.1:*'), zmq.ContextClosedError);
        assert.throws(() => socket.lastEndpoint, zmq.ContextClosedError);
        socket.close();
      }
      assert.throws(() => pull.tryRecv(), zmq.ContextClosedError);
      assert.throws(() => pull.recvSync(), zmq.ContextClosedError);
      assert.throws(() => push.trySend('x'), zmq.ContextClosedError);
      assert.throws(() => push.sendSync('x'), zmq.ContextClosedError);
      await assert.rejects(pull.recv(), zmq.ContextClosedError);
      await assert.rejects(push.send('x'), zmq.ContextClosedError);
      assert.throws(() => pull.share(), zmq.ContextClosedError);
      assert.throws(() => new zmq.Pull({ context }), zmq.ContextClosedError);
      assert.throws(() => context.maxSockets, zmq.ContextClosedError);
      assert.throws(() => {
        context.maxSockets = 5;
      }, zmq.ContextClosedError);
    },
  );

  test('of a socket that was closed before: it stays a closed socket', async () => {
    const made = new Context();
    const pull = new Pull({ context: made });
    pull.close();
    await within('the context', made.close());
    await expect(pull.recv()).rejects.toMatchObject({ code: 'ENOTSOCK' });
  });

  test('can be called again: it is one and the same closing', async () => {
    const made = new Context();
    const push = new Push({ context: made, linger: 200 });
    push.connect(await endpoints.unboundTcp());
    await push.send('nobody is there');
    const first = made.close();
    const second = made.close({ timeout: 1 });
    expect(await isPending(second, 20)).toBe(true);
    await within('both', Promise.all([first, second, made[Symbol.asyncDispose]()]));
    await within('once more', made.close());
  });

  test('refuses a bad timeout, and stays open', async () => {
    const made = new Context();
    for (const timeout of [-2, Number.NaN, Infinity, '5']) {
      await expect(made.close({ timeout: timeout as number })).rejects.toThrow(ArgumentError);
    }
    expect(made.closed).toBe(false);
    await within('the context', made.close());
  });

  test('is not kept by sockets that wait for nobody', async () => {
    const made = new Context();
    const pair = new Pair({ context: made });
    const publisher = new Publisher({ context: made });
    publisher.bind(endpoints.tcp());
    pair.bind(endpoints.tcp());
    await publisher.send('nobody subscribes');
    await within('the context', made.close({ timeout: -1 }));
  });

  test('gives messages the time their linger grants, and no more', async () => {
    const made = new Context();
    const push = new Push({ context: made, linger: 300 });
    push.connect(await endpoints.unboundTcp());
    for (let n = 0; n < 10; n += 1) await push.send(`${n}`);
    const begun = performance.now();
    await within('the context', made.close(), 5000);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(250);
    expect(took).toBeLessThan(2000);
  });

  test.each([
    ['small messages', 100, 16],
    ['more messages than the high-water mark leaves room for', 1500, 16],
    ['large messages that were not copied', 10, 1 << 20],
  ])('with an unreachable peer, %s: says what it waited for', async (_name, count, size) => {
    const made = new Context();
    const idle = new Pull({ context: made });
    idle.bind(endpoints.tcp());
    const push = new Push({ context: made, sendHighWaterMark: 2000 });
    const endpoint = await endpoints.unboundTcp();
    push.connect(endpoint);
    const payload = new Uint8Array(new SharedArrayBuffer(size));
    for (let n = 0; n < count; n += 1) await push.send(payload);
    const begun = performance.now();
    const failure = await within(
      'the context',
      made.close({ timeout: 250 }).catch((error: unknown) => error),
      5000,
    );
    const took = performance.now() - begun;
    expect(failure).toBeInstanceOf(TimeoutError);
    expect(failure).toMatchObject({
      timeoutSecs: 0.25,
      message: expect.stringContaining(`PUSH ${endpoint}`),
    });
    expect((failure as Error).message).not.toContain('PULL');
    expect(took).toBeGreaterThan(200);
    expect(took).toBeLessThan(2000);
  });

  describe('speaks of unsent messages only if there were any, however busy the event loop is', () => {
    /** Blocks this thread. */
    const busy = (milliseconds: number) =>
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

    /** The timeout, and how long the event loop is busy after that began. */
    const rounds = [
      [1, 0],
      [5, 10],
      [50, 100],
      [50, 800],
    ] as const;

    const idle: [string, () => Promise<Context>][] = [
      ['no sockets', async () => new Context()],
      [
        'many sockets that never sent',
        async () => {
          const made = new Context();
          for (let n = 0; n < 200; n += 1) new Pull({ context: made }).bind(endpoints.tcp());
          new Push({ context: made }).connect(await endpoints.unboundTcp());
          return made;
        },
      ],
      [
        'messages that have arrived',
        async () => {
          const made = new Context();
          const [push, pull] = [new Push({ context: made }), new Pull({ context: made })];
          push.connect(pull.bind(endpoints.tcp()));
          for (let n = 0; n < 100; n += 1) await push.send(`${n}`);
          for (let n = 0; n < 100; n += 1) await within(`message ${n}`, pull.recv());
          return made;
        },
      ],
    ];
    test.each(idle)('%s: it is closed', async (_name, make) => {
      for (const [timeout, milliseconds] of [[0, 0], [0, 700], ...rounds] as const) {
        const closing = (await make()).close({ timeout });
        busy(milliseconds);
        await within(`the context, busy for ${milliseconds} ms of ${timeout}`, closing);
      }
    });

    test('a message that nobody took: it is late', async () => {
      const endpoint = await endpoints.unboundTcp();
      for (const [timeout, milliseconds] of rounds) {
        const made = new Context();
        const push = new Push({ context: made });
        new Dealer({ context: made }).connect(endpoint);
        push.connect(endpoint);
        await push.send('x');
        const closing = made.close({ timeout });
        busy(milliseconds);
        await expect(
          within(`the context, busy for ${milliseconds} ms of ${timeout}`, closing),
        ).rejects.toThrow(`(waiting for unsent messages of PUSH ${endpoint}) timed out`);
      }
    });
  });

  test.each([0, 50])('after shutdown, with a timeout of %i ms: says what it waited for', async (timeout) => {
    const made = new Context();
    const endpoint = await endpoints.unboundTcp();
    const push = new Push({ context: made });
    push.connect(endpoint);
    await push.send('nobody is there');
    made.shutdown();
    expect(push.writable).toBe(false); // it is closed when it finds out
    await expect(within('the context', made.close({ timeout }))).rejects.toThrow(
      `(waiting for unsent messages of PUSH ${endpoint}) timed out`,
    );
  });

  test('names sockets that were closed before it, in one way or another', async () => {
    const made = new Context();
    const push = new Push({ context: made });
    push.connect(await endpoints.unboundTcp());
    await push.send('x');
    push.close();
    await expect(within('the context', made.close({ timeout: 100 }))).rejects.toThrow(/closed before/);
  });

  test('waits until everything has left, for as long as it takes', async () => {
    const endpoint = await endpoints.unboundTcp();
    const made = new Context();
    const push = new Push({ context: made, sendHighWaterMark: 2000 });
    push.connect(endpoint);
    for (let n = 0; n < 1500; n += 1) await push.send(Buffer.alloc(100));
    const closing = made.close({ timeout: -1 });
    expect(await isPending(closing, 300)).toBe(true);
    const peer = await startPeer('c', 'recv', { bind: endpoint, count: 1500, any: true });
    expect((await peer.result()).received).toBe(1500);
    await within('the context', closing);
  });

  test('while other threads use its sockets', async () => {
    const made = new Context();
    for (let round = 0; round < 12; round += 1) {
      const ctx = round === 0 ? made : new Context();
      const dealer = new Dealer({ context: ctx, linger: 0 });
      const peer = new Dealer({ context: ctx, linger: 0 });
      peer.connect(dealer.bind(`inproc://round-${round}`));
      const user = spawn(
        async ({ zmq }, { handle, doing }, port) => {
          const socket = zmq.Socket.attach(handle);
          const poller = new zmq.Poller([socket]);
          port.postMessage('begun');
          let outcome: unknown;
          try {
            if (doing === 0) for (;;) await socket.recv();
            if (doing === 1) for (;;) socket.recvSync();
            if (doing === 2) for (;;) await socket.send('x');
            for (;;) await poller.wait();
          } catch (error) {
            const { name, cause } = error as Error & { cause?: Error };
            outcome = cause === undefined ? name : 'a watched socket';
          }
          port.postMessage(outcome);
        },
        { handle: dealer.share(), doing: round % 4 },
      );
      await user.message(`round ${round}: the other thread begins`);
      if (round % 3 !== 0) for (let n = 0; n < round; n += 1) peer.trySend('x');
      await within(`round ${round}: the context`, ctx.close());
      const outcome = await user.message(`round ${round}: the other thread learns of it`);
      expect(['ContextClosedError', 'a watched socket']).toContain(outcome);
      await user.ended(`round ${round}: the other thread ends`);
    }
  });
});

describe('shutdown', () => {
  onBothThreads('ends all waiting, and leaves closing to whoever has the sockets', async (kit) => {
    const { zmq, assert, within, isPending } = kit;
    const context = new zmq.Context();
    const pull = new zmq.Pull({ context });
    const idle = new zmq.Pull({ context });
    const push = new zmq.Push({ context, linger: 0 });
    const pending = [pull.recv(), push.send('nobody is there'), new zmq.Poller([idle]).wait()];
    for (const operation of pending) assert.equal(await isPending(operation, 2), true);
    context.shutdown();
    context.shutdown();
    await within('the receive', assert.rejects(pending[0]!, zmq.ContextClosedError));
    await within('the send', assert.rejects(pending[1]!, zmq.ContextClosedError));
    await within('the poller', assert.rejects(pending[2]!, zmq.PollerClosedError));
    assert.throws(() => idle.tryRecv(), zmq.ContextClosedError);
    assert.throws(() => idle.bind('tcp://127.0.0.1:*'), zmq.ContextClosedError);
    assert.throws(() => new zmq.Pull({ context }), zmq.ContextClosedError);
    for (const socket of [pull, idle, push]) socket.close();
    await within('the context', context.close());
  });

  describe('nothing succeeds any more, from the next call on', () => {
    const operations: Record<string, (socket: Socket, endpoint: string) => unknown> = {
      trySend: (socket) => socket.trySend('x'),
      send: (socket) => socket.send('x'),
      'send of several frames': (socket) => socket.send(['x', 'y']),
      sendSync: (socket) => socket.sendSync('x'),
      tryRecv: (socket) => socket.tryRecv(),
      recv: (socket) => socket.recv(),
      recvSync: (socket) => socket.recvSync(),
      bind: (socket) => socket.bind('inproc://too-late'),
      connect: (socket, endpoint) => socket.connect(endpoint),
      disconnect: (socket, endpoint) => socket.disconnect(endpoint),
      getOption: (socket) => socket.linger,
      setOption: (socket) => socket.setOption('linger', 5),
      events: (socket) => socket.events,
      'a socket more': (socket) => new Pair({ context: socket.context! }),
    };
    test.each(Object.entries(operations))('%s', async (_, operation) => {
      const made = new Context();
      const [socket, peer] = [new Socket(made, 'DEALER'), new Socket(made, 'DEALER')];
      const endpoint = peer.bind(endpoints.inproc());
      socket.connect(endpoint);
      await peer.send('is there');
      socket.trySend('accepted'); // libzmq looks for news once in a while only: not right after this
      made.shutdown();
      await expect((async () => operation(socket, endpoint))()).rejects.toThrow(ContextClosedError);
      socket.close();
      peer.close();
      await within('the context', made.close());
    });

    test('in another thread', async () => {
      const made = new Context();
      const push = new Push({ context: made, linger: 0 });
      push.connect(await endpoints.unboundTcp());
      const shut = new Int32Array(new SharedArrayBuffer(4));
      const other = spawn(
        ({ zmq }, { handle, flag }, port) => {
          const socket = zmq.Socket.attach(handle);
          port.postMessage(socket.trySend('x'));
          Atomics.wait(flag, 0, 0);
          try {
            port.postMessage(socket.trySend('x'));
          } catch (error) {
            port.postMessage((error as Error).name);
          }
        },
        { handle: push.share(), flag: shut },
      );
      expect(await other.message('the other thread sends')).toBe(true);
      made.shutdown();
      Atomics.store(shut, 0, 1);
      Atomics.notify(shut, 0);
      expect(await other.message('the other thread sends again')).toBe('ContextClosedError');
      await other.ended('the other thread ends');
      await within('the context', made.close());
    });
  });

  test('wakes blocking calls in other threads', async () => {
    for (let round = 0; round < 12; round += 1) {
      const made = new Context();
      const dealer = new Dealer({ context: made, linger: 0 });
      const user = spawn(
        ({ zmq }, { handle, doing }, port) => {
          const socket = zmq.Socket.attach(handle);
          port.postMessage('begun');
          try {
            if (doing === 0) socket.recvSync();
            if (doing === 1) socket.sendSync('x');
            if (doing === 2) new zmq.Poller([socket]).waitSync();
          } catch (error) {
            port.postMessage((error as Error).name);
          }
        },
        { handle: dealer.share(), doing: round % 3 },
      );
      await user.message(`round ${round}: the other thread begins`);
      if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      made.shutdown();
      expect(await user.message(`round ${round}: the other thread's call ends`)).toBe(
        round % 3 === 2 ? 'PollerClosedError' : 'ContextClosedError',
      );
      await user.ended(`round ${round}: the other thread ends`);
      await within(`round ${round}: the context`, made.close());
    }
  });
});

describe('the default context', () => {
  test('is one, and is made anew after it was closed', async () => {
    const first = context();
    expect(context()).toBe(first);
    const pull = new Pull();
    expect(pull.context).toBe(first);
    await within('the first', first.close());
    expect(first.closed).toBe(true);
    expect(() => pull.bind(endpoints.tcp())).toThrow(ContextClosedError);
    const second = context();
    expect(second).not.toBe(first);
    expect(second.closed).toBe(false);
    const [again, push] = [new Pull(), new Push()];
    expect(again.context).toBe(second);
    push.connect(again.bind(endpoints.inproc()));
    await push.send('works');
    expect(String(await within('a message', again.recv()))).toBe('works');
    await within('the second', context().close());
  });

  test('is shared by all threads: closed by one, made anew for all', async () => {
    const pull = new Pull();
    pull.bind('inproc://of-the-default-context');
    const receiving = pull.recv();
    const other = spawn(async ({ zmq, within }, _, port) => {
      const push = new zmq.Push();
      push.connect('inproc://of-the-default-context');
      await push.send('from another thread');
      port.once('message', async () => {
        await within('the default context', zmq.context().close());
        const anew = new zmq.Pull();
        anew.bind('inproc://anew');
        port.postMessage('made anew');
        port.postMessage(String(await anew.recv()));
        port.close();
      });
    }, undefined);
    expect(String(await within('a message from the other thread', receiving))).toBe('from another thread');
    const waiting = pull.recv();
    expect(await isPending(waiting)).toBe(true);
    const before = context();
    other.post('close it');
    await expect(within('the receive here', waiting)).rejects.toThrow(ContextClosedError);
    await other.message('the other thread has a new one');
    expect(before.closed).toBe(true);
    const push = new Push();
    push.connect('inproc://anew');
    await push.send('hello');
    expect(await other.message('the threads meet in the new one')).toBe('hello');
    await other.ended('the other thread ends');
  });

  test('closed by two threads at once: both wait for the end', async () => {
    const push = new Push({ linger: 300 });
    push.connect(await endpoints.unboundTcp());
    await push.send('nobody is there');
    const other = spawn(async ({ zmq, within }, _, port) => {
      const shared = zmq.context();
      port.postMessage('has it');
      await new Promise((resolve) => port.once('message', resolve));
      const begun = performance.now();
      await within('the default context', shared.close());
      port.postMessage(performance.now() - begun);
      port.close();
    }, undefined);
    await other.message('the other thread has the context');
    const closing = context().close();
    other.post('now');
    expect(await other.message('the other thread is done')).toBeGreaterThan(100);
    await within('this thread is done', closing);
  });
});

describe('Context.use', () => {
  onBothThreads('closes the context afterwards, whatever happens', async ({ zmq, assert, within }) => {
    let used: InstanceType<typeof zmq.Context> | undefined;
    let socket: InstanceType<typeof zmq.Pull> | undefined;
    const result = await within(
      'the first use',
      zmq.Context.use(
        async (context) => {
          used = context;
          socket = new zmq.Pull({ context });
          const push = new zmq.Push({ context });
          push.connect(socket.bind('inproc://use'));
          await push.send('hello');
          return String(await socket.recv());
        },
        { maxSockets: 7 },
      ),
    );
    assert.equal(result, 'hello');
    assert.equal(used?.closed, true);
    assert.equal(socket?.closed, true);
    const failure = new Error('on purpose');
    await within(
      'the second use',
      assert.rejects(
        zmq.Context.use((context) => {
          used = context;
          throw failure;
        }),
        failure,
      ),
    );
    assert.equal(used?.closed, true);
    await assert.rejects(
      zmq.Context.use(() => undefined, { maxSockets: -1 }),
      zmq.ArgumentError,
    );
  });

  onBothThreads('says what the body threw, though messages were unsent', async ({ zmq, assert, within }) => {
    const failure = new Error('on purpose');
    const use = zmq.Context.use(async (context) => {
      const push = new zmq.Push({ context, linger: -1 });
      push.connect('tcp://127.0.0.1:1');
      await push.send('to nobody');
      // The same close that `use` waits for, and sooner over.
      context.close({ timeout: 50 }).catch(() => {});
      throw failure;
    });
    await within('the use', assert.rejects(use, failure));
  });
});

test('a hundred contexts come and go', async () => {
  for (let round = 0; round < 100; round += 1) {
    await within(
      `round ${round}`,
      Context.use(async (made) => {
        const [pull, push] = [new Pull({ context: made }), new Push({ context: made })];
        push.connect(pull.bind('inproc://same-name'));
        const receiving = round % 2 === 0 ? pull.recv() : undefined;
        await push.send('x');
        if (receiving !== undefined) await receiving;
        else expect(pull.recvSync({ timeout: 10_000 }).toString()).toBe('x');
        if (round % 3 === 0) void pull.recv().catch(() => {});
      }),
    );
  }
});

test('a socket knows its context, an attached one does not', async () => {
  const made = new Context();
  const pull = new Pull({ context: made });
  expect(pull.context).toBe(made);
  const attached = Socket.attach(pull.share());
  expect(attached.context).toBeUndefined();
  const poller = new Poller([attached]);
  const waiting = poller.wait();
  await Promise.all([
    within('the context', made.close()),
    expect(within('the poller', waiting)).rejects.toMatchObject({ code: 'EPOLLERCLOSED' }),
  ]);
  await expect(attached.recv()).rejects.toThrow(ContextClosedError);
});
