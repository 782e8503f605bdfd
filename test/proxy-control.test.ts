/** Starting, pausing and ending a proxy; what its sockets can do meanwhile and afterwards. */
import { describe, expect, it } from 'vitest';

import {
  ArgumentError,
  Context,
  ContextClosedError,
  Dealer,
  Pair,
  Poller,
  Publisher,
  Pull,
  Push,
  proxy,
  Request,
  Router,
  SocketClosedError,
  XPublisher,
  XSubscriber,
  Proxy as ZmqProxy,
} from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';
import { proxied, terminated } from './proxies.js';

/** PULL to PUSH, with somebody at both ends. */
function streamer(options = {}) {
  const made = proxied(new Pull(), new Push(), options);
  const [push, pull] = [ofTest(new Push()), ofTest(new Pull())];
  push.connect(made.front);
  pull.connect(made.back);
  return { ...made, push, pull };
}

describe('pause and resume', () => {
  it('nothing passes a paused proxy, and nothing is lost', async () => {
    const { broker, push, pull } = streamer();
    expect(broker.state).toBe('running');
    for (let round = 0; round < 5; round += 1) {
      broker.pause();
      expect(broker.state).toBe('paused');
      const before = broker.statistics();
      for (let n = 0; n < 100; n += 1) await push.send(`${round} ${n}`);
      const first = pull.recv('utf8');
      expect(await isPending(first), 'nothing comes through').toBe(true);
      expect(broker.statistics()).toEqual(before);
      broker.resume();
      expect(broker.state).toBe('running');
      expect(await within('the first', first)).toBe(`${round} 0`);
      for (let n = 1; n < 100; n += 1)
        expect(await within(`message ${n}`, pull.recv('utf8'))).toBe(`${round} ${n}`);
    }
    expect((await terminated(broker)).backend.messagesOut).toBe(500);
  });

  it('doing it twice is doing it once', async () => {
    const { broker, push, pull } = streamer();
    broker.resume();
    broker.pause();
    broker.pause();
    await push.send('x');
    expect(await isPending(pull.recv())).toBe(true);
    broker.resume();
    broker.resume();
    await push.send('y');
    expect(await within('it goes on', pull.recv('utf8'))).toBe('y');
  });

  it('while traffic flows: when pause() returns, nothing moves any more', async () => {
    const { broker, push, pull } = streamer();
    const total = 20_000;
    const sending = (async () => {
      for (let n = 0; n < total; n += 1) await push.send(`${n}`);
    })();
    let n = 0;
    const receiving = (async () => {
      for (; n < total; n += 1) expect(await pull.recv('utf8')).toBe(`${n}`);
    })();
    for (let round = 0; round < 50; round += 1) {
      broker.pause();
      const held = broker.statistics();
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(broker.statistics()).toEqual(held);
      broker.resume();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await within('all is sent and received', Promise.all([sending, receiving]), 20_000);
  });

  it('a paused proxy can be terminated, and what waited is still there', async () => {
    const { broker, frontend, push } = streamer();
    broker.pause();
    await push.send('held');
    await terminated(broker);
    expect(await within('the frontend has it', frontend.recv('utf8'))).toBe('held');
  });

  it('says why it cannot', async () => {
    const [front, back] = [ofTest(new Pull()), ofTest(new Push())];
    const made = new ZmqProxy(front, back);
    expect(made.state).toBe('ready');
    expect(() => made.pause()).toThrow(new ArgumentError('Proxy is not running, cannot pause it'));
    expect(() => made.resume()).toThrow(new ArgumentError('Proxy is not running, cannot resume it'));
    void made.run();
    expect(() => made.run()).toThrow(new ArgumentError('Proxy is running, cannot run it'));
    made.pause();
    expect(() => made.run()).toThrow(new ArgumentError('Proxy is paused, cannot run it'));
    await made.terminate();
    expect(() => made.pause()).toThrow(new ArgumentError('Proxy is ended, cannot pause it'));
    expect(() => made.run()).toThrow(new ArgumentError('Proxy is ended, cannot run it'));
  });
});

describe('the end', () => {
  it('terminate resolves, again and again, and so do run and finished', async () => {
    const [front, back] = [ofTest(new Router()), ofTest(new Dealer())];
    const made = new ZmqProxy(front, back);
    expect([made.frontend, made.backend, made.frontEnd, made.backEnd]).toEqual([front, back, front, back]);
    const run = made.run();
    expect(run).toBe(made.finished);
    expect(made.closed).toBe(false);
    await within('it ends', Promise.all([made.terminate(), made.terminate(), made.close(), run]));
    expect([made.state, made.closed]).toEqual(['ended', true]);
    await within('and is ended', made.terminate());
    expect([front.closed, back.closed]).toEqual([false, false]);
  });

  it('one that was never run ends, too, and leaves the sockets alone', async () => {
    const front = ofTest(new Pull());
    const made = new ZmqProxy(front, ofTest(new Push()));
    await within('it ends', made.terminate());
    expect([made.state, front.closed]).toEqual(['ended', false]);
  });

  it('afterwards the sockets can be used, also for another proxy', async () => {
    const { broker, frontend, backend, push, pull } = streamer();
    for (const text of ['by hand', 'by proxy', 'by hand again']) {
      await within('the proxy ends', broker.terminate());
      await push.send(text);
      if (text === 'by proxy') {
        await using again = proxy(frontend, backend);
        expect(await within('it passes', pull.recv('utf8'))).toBe(text);
        expect(again.statistics().backend.messagesOut).toBe(1);
      } else {
        await backend.send(await within('the frontend receives', frontend.recv()));
        expect(await within('the backend sends', pull.recv('utf8'))).toBe(text);
      }
    }
  });

  it.each([
    ['terminate', async (made: ZmqProxy) => made.terminate()],
    ['a closed socket', async (made: ZmqProxy) => made.backend.close()],
  ])('closeSockets: they are closed after %s', async (_, end) => {
    const capture = ofTest(new Publisher());
    const { broker, frontend, backend } = streamer({ closeSockets: true, capture });
    await end(broker);
    await within(
      'it has ended',
      broker.finished.catch(() => {}),
    );
    expect([frontend.closed, backend.closed, capture.closed]).toEqual([true, true, true]);
  });

  it.each(['frontend', 'backend', 'capture'] as const)('says that its %s was closed', async (which) => {
    for (const paused of [false, true]) {
      const capture = ofTest(new Push());
      const { broker } = streamer({ capture });
      if (paused) broker.pause();
      broker[which]!.close();
      const reason = await within(
        'it ends',
        broker.finished.catch((error: unknown) => error),
      );
      expect(reason).toEqual(new SocketClosedError(`The proxy ended: its ${which} was closed`));
      expect(broker.state).toBe('ended');
      await within('terminate does not mind', broker.terminate());
      const others = (['frontend', 'backend', 'capture'] as const).filter((name) => name !== which);
      expect(others.map((name) => broker[name]!.closed)).toEqual([false, false]);
    }
  });

  it.each(['close', 'shutdown'] as const)('ends when its context is ended by %s()', async (how) => {
    for (const paused of [false, true]) {
      const context = new Context();
      const broker = proxy(new Router({ context }), new Dealer({ context }));
      if (paused) broker.pause();
      void context[how]();
      await expect(within('it ends', broker.finished)).rejects.toThrow(ContextClosedError);
      await within('the context closes', context.close());
    }
  });

  it('a rejection that nobody looks at is no unhandled one', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const { broker, frontend } = streamer();
    frontend.close();
    await within('it ends', broker.terminate());
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe('the sockets of a running proxy', () => {
  const busy = expect.objectContaining({ name: 'ZmqError', code: 'EBUSY' });

  it('cannot be sent to nor received from', async () => {
    const { frontend: router, backend: dealer } = proxied(new Router(), new Dealer());
    for (const socket of [router, dealer]) {
      await expect(within('send', socket.send(['a', 'b']))).rejects.toEqual(busy);
      await expect(socket.send('x')).rejects.toThrow(/^Cannot send: .*: a proxy has the socket \(EBUSY\)$/);
      expect(() => socket.trySend('x')).toThrow(busy);
      expect(() => socket.sendSync('x')).toThrow(busy);
      await expect(within('recv', socket.recv())).rejects.toEqual(busy);
      await expect(within('receive', socket.receive({ timeout: 50 }))).rejects.toEqual(busy);
      await expect(within('for await', socket[Symbol.asyncIterator]().next())).rejects.toEqual(busy);
      await expect(within('batches', socket.batches().next())).rejects.toEqual(busy);
      expect(() => socket.tryRecv()).toThrow(busy);
      expect(() => socket.recvSync()).toThrow(busy);
      const poller = new Poller([{ socket, readable: true, writable: true }]);
      await expect(within('a poller', poller.wait())).rejects.toEqual(busy);
      expect(() => poller.waitSync()).toThrow(busy);
      poller.close();
      expect([socket.readable, socket.writable]).toEqual([false, false]);
    }
  });

  it('can be bound, connected, watched and set', async () => {
    const { frontend, pull } = streamer();
    const accepted = within(
      'the connection is seen',
      new Promise((resolve) => frontend.events.once('accept', resolve)),
    );
    const push = ofTest(new Push());
    push.connect(frontend.bind(endpoints.tcp()));
    await accepted;
    frontend.linger = 3;
    expect(frontend.linger).toBe(3);
    await push.send('by the new endpoint');
    expect(await within('it passes', pull.recv('utf8'))).toBe('by the new endpoint');
  });

  it('a poller that waits learns that a proxy took its socket', async () => {
    const [front, back] = [ofTest(new Pull()), ofTest(new Push())];
    const poller = new Poller([front]);
    const waiting = poller.wait();
    waiting.catch(() => {});
    const broker = proxy(front, back);
    await expect(within('the poller', waiting)).rejects.toEqual(busy);
    await broker.terminate();
    poller.close();
  });

  it('a second proxy cannot have them', () => {
    const { frontend, backend } = proxied(new Router(), new Dealer());
    const other = ofTest(new Dealer());
    expect(() => proxy(frontend, other)).toThrow(
      /^Cannot run a proxy: frontend: another proxy has the socket/,
    );
    expect(() => proxy(other, backend)).toThrow(/^Cannot run a proxy: backend: another proxy has the socket/);
    expect(() => proxy(ofTest(new Router()), other, { capture: backend })).toThrow(busy);
    // What was had for a moment is free again.
    expect(() => other.tryRecv()).not.toThrow();
  });
});

describe('sockets that were in use before', () => {
  it('what was received ahead goes through the proxy, first and in order', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const [backend, out] = linked(new Push(), new Pull());
    await push.send('for this thread');
    expect(await within('the first', pull.recv('utf8'))).toBe('for this thread');
    const sizes = [10, 100_000, 300_000];
    for (let n = 0; n < 300; n += 1) await push.send([`${n}`, Buffer.alloc(sizes[n % 3]!)]);
    const capture = ofTest(new Publisher());
    const streamer = proxy(pull, backend, { capture });
    for (let n = 0; n < 300; n += 1) {
      const [number, data] = await within(`message ${n}`, out.recvMultipart());
      expect([Number(number), data!.length]).toEqual([n, sizes[n % 3]]);
    }
    const { frontend, captured } = await terminated(streamer);
    expect([frontend.messagesIn, captured.messages]).toEqual([300, 300]);
  });

  it('what waited to be sent is sent, before what comes through the proxy', async () => {
    const [frontend, into] = linked(new Pull(), new Push());
    const backend = ofTest(new Push({ sendHighWaterMark: 3 }));
    const waiting = Array.from({ length: 20 }, (_, n) => backend.send(`${n}`));
    const streamer = proxy(frontend, backend);
    const out = ofTest(new Pull());
    out.connect(backend.bind(endpoints.tcp()));
    await within('the waiting sends', Promise.all(waiting));
    await into.send('20');
    for (let n = 0; n <= 20; n += 1) expect(await within(`message ${n}`, out.recv('utf8'))).toBe(`${n}`);
    await streamer.terminate();
  });

  it('refuses those in the middle of something', async () => {
    const [router, dealer] = linked(new Router(), new Dealer());
    const other = ofTest(new Dealer());
    const aborter = new AbortController();
    const receiving = router.recv({ signal: aborter.signal }).catch(() => {});
    expect(() => proxy(router, other)).toThrow(
      'Cannot run a proxy: frontend: a receive is waiting on the socket (EBUSY)',
    );
    aborter.abort();
    await receiving;
    await dealer.send('one frame of two');
    await within('the first frame', router.recv());
    expect(() => proxy(other, router)).toThrow(
      'Cannot run a proxy: backend: a message of the socket is half received (EBUSY)',
    );
    await router.recv();
    other.bind(endpoints.tcp());
    const peer = ofTest(new Dealer());
    peer.connect(other.lastEndpoint!);
    await other.send('half', { more: true });
    expect(() => proxy(router, other)).toThrow(/^Cannot run a proxy: backend: .*half sent \(EBUSY\)$/);
    await other.send('whole');
    await proxy(router, other).terminate();
  });

  it('refuses what is no open socket', () => {
    const [open, closed] = [ofTest(new Router()), new Dealer()];
    closed.close();
    expect(() => proxy(open, closed)).toThrow(
      new ArgumentError('backend: expected an open socket, got a closed one'),
    );
    for (const nonsense of [undefined, null, 5, 'tcp://127.0.0.1:1', {}, Router]) {
      expect(() => proxy(nonsense as never, open)).toThrow(/^frontend: expected a socket, got /);
    }
    expect(() => proxy(open, ofTest(new Dealer()), 5 as never)).toThrow(ArgumentError);
    expect(() => proxy(open, ofTest(new Dealer()), { closeSockets: 1 } as never)).toThrow(
      /^options.closeSockets: expected a boolean/,
    );
    const late = new ZmqProxy(open, ofTest(new Request()));
    open.close();
    expect(() => late.run()).toThrow(SocketClosedError);
  });
});

it('subscriptions that a terminated proxy had passed on stay', async () => {
  const { broker, frontend, backend, front, back } = proxied(new XSubscriber(), new XPublisher());
  const [publisher, subscriber] = [ofTest(new XPublisher()), ofTest(new XSubscriber())];
  publisher.connect(front);
  subscriber.connect(back);
  subscriber.subscribe('a');
  expect(String(await within('the subscription', publisher.recv()))).toBe('\u0001a');
  await terminated(broker);
  await publisher.send('a by hand');
  expect(await within('it comes', frontend.recv('utf8'))).toBe('a by hand');
  await backend.send('a by hand');
  expect(await within('it arrives', subscriber.recv('utf8'))).toBe('a by hand');
});

it('a proxied PAIR hands over what it could not send yet', async () => {
  const frontend = ofTest(new Pair());
  const backend = ofTest(new Pair({ sendHighWaterMark: 1 }));
  const [left, right] = [ofTest(new Pair()), ofTest(new Pair({ receiveHighWaterMark: 1 }))];
  left.connect(frontend.bind(endpoints.inproc()));
  right.connect(backend.bind(endpoints.inproc()));
  const bridge = proxy(frontend, backend);
  for (let n = 0; n < 100; n += 1) await left.send(`${n}`);
  await terminated(bridge);
  const taken = bridge.statistics().frontend.messagesIn;
  // What it had taken is sent by the backend, what it had not is still with the frontend.
  for (let n = 0; n < taken; n += 1) expect(await within(`message ${n}`, right.recv('utf8'))).toBe(`${n}`);
  for (let n = taken; n < 100; n += 1)
    expect(await within(`message ${n}`, frontend.recv('utf8'))).toBe(`${n}`);
});
