/** The end of a socket: whatever waits for it learns of it, in every thread. */
import { describe, expect, test } from 'vitest';
import {
  Context,
  Dealer,
  Pair,
  Pull,
  Push,
  Request,
  Router,
  Socket,
  SocketClosedError,
  Subscriber,
} from 'zeromq-threads';

import { isPending, within } from './bounded.js';
import { closeUnderTraffic, type Doing } from './lifecycle/closing-sockets.js';
import { linked, ofTest } from './linked.js';
import { endpoints, startPeer } from './peers/index.js';
import { kit, onBothThreads } from './threads.js';

describe('close', () => {
  onBothThreads('rejects everything that is pending', async ({ zmq, assert, within, isPending }) => {
    const dealer = new zmq.Dealer({ linger: 0 });
    const closes = new AbortController();
    const receives: Promise<unknown>[] = [
      dealer.recv(),
      dealer.recvMultipart(),
      dealer.receive(),
      dealer.recv('utf8'),
      dealer.recv({ timeout: 20_000 }),
      dealer.recv({ signal: closes.signal }),
      dealer
        .batches()
        .next()
        .then(
          ({ done }) => assert.equal(done, true),
          (error) => {
            throw error;
          },
        ),
    ];
    // The loop over batches ends without an error.
    const ending = receives.pop()!;
    const sends = [
      dealer.send('one'),
      dealer.send(['two', 'frames']),
      dealer.sendMultipart(['a', Buffer.alloc(100_000)]),
      dealer.send('late', { timeout: 20_000 }),
      dealer.send('cancelled', { signal: closes.signal }),
    ];
    for (const [index, pending] of [...receives, ...sends].entries()) {
      assert.equal(await isPending(pending, 2), true, `operation ${index} waits`);
    }
    dealer.close();
    for (const [index, pending] of [...receives, ...sends].entries()) {
      await within(
        `pending operation ${index}`,
        assert.rejects(pending, (error) => {
          assert.ok(error instanceof zmq.SocketClosedError, `${error}`);
          assert.equal(error.code, 'ENOTSOCK');
          return true;
        }),
      );
    }
    await within('the loop over batches', ending);
    closes.abort();
    assert.equal(dealer.closed, true);
  });

  onBothThreads('ends loops without an error', async ({ zmq, assert, within, isPending, turn }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push({ linger: 0 });
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    let messages = 0;
    let batched = 0;
    const loops = [
      (async () => {
        for await (const _ of pull) messages += 1;
      })(),
      (async () => {
        for await (const batch of pull.batches()) batched += batch.length;
      })(),
    ];
    for (let n = 0; n < 100; n += 1) await push.send(`${n}`);
    while (messages + batched < 100) await turn();
    assert.equal(await isPending(Promise.race(loops), 10), true);
    pull.close();
    await within('both loops', Promise.all(loops));
    for await (const _ of pull) assert.fail('a closed socket has no messages');
    for await (const _ of pull.batches()) assert.fail('a closed socket has no batches');
    push.close();
  });

  test('makes every later call fail, and never hang', async () => {
    const socket = new Socket('SUB');
    const dealer = new Dealer();
    socket.close();
    dealer.close();
    const calls: Record<string, () => unknown> = {
      bind: () => dealer.bind('tcp://127.0.0.1:*'),
      connect: () => dealer.connect('tcp://127.0.0.1:9'),
      unbind: () => dealer.unbind('tcp://127.0.0.1:9'),
      disconnect: () => dealer.disconnect('tcp://127.0.0.1:9'),
      subscribe: () => socket.subscribe('x'),
      unsubscribe: () => socket.unsubscribe('x'),
      trySend: () => dealer.trySend('x'),
      sendSync: () => dealer.sendSync('x'),
      tryRecv: () => dealer.tryRecv(),
      tryRecvMultipart: () => dealer.tryRecvMultipart(),
      recvSync: () => dealer.recvSync(),
      recvMultipartSync: () => dealer.recvMultipartSync(),
      'getOption(linger)': () => dealer.getOption('linger'),
      'get linger': () => dealer.linger,
      'set linger': () => {
        dealer.linger = 5;
      },
      lastEndpoint: () => dealer.lastEndpoint,
      share: () => dealer.share(),
      events: () => dealer.events,
      send: () => dealer.send('x'),
      sendMultipart: () => dealer.sendMultipart(['x']),
      recv: () => dealer.recv(),
      'recv, timeout 0': () => dealer.recv({ timeout: 0 }),
      recvMultipart: () => dealer.recvMultipart(),
    };
    for (const [name, call] of Object.entries(calls)) {
      const outcome = within(name, (async () => call())());
      await expect(outcome, name).rejects.toThrow(SocketClosedError);
    }
    expect(dealer.closed).toBe(true);
    expect(dealer.readable).toBe(false);
    expect(dealer.writable).toBe(false);
    expect(dealer.type).toBe('DEALER');
  });

  test('can be called again, in every way and by every face of the socket', async () => {
    const pull = new Pull();
    const attached = Socket.attach(pull.share());
    const handle = pull.share();
    pull.close();
    pull.close({ linger: 0 });
    pull[Symbol.dispose]();
    await pull[Symbol.asyncDispose]();
    expect(attached.closed).toBe(true);
    attached.close();
    expect(() => Socket.attach(handle)).toThrow(SocketClosedError);
    await expect(attached.recv()).rejects.toThrow(SocketClosedError);
  });

  test('by another face of the socket in the same thread', async () => {
    const pull = new Pull();
    const attached = Socket.attach(pull.share());
    const waiting = [pull.recv(), attached.recv(), pull.recv()];
    for (const receive of waiting) expect(await isPending(receive, 2)).toBe(true);
    attached.close();
    for (const receive of waiting)
      await expect(within('a pending receive', receive)).rejects.toThrow(SocketClosedError);
    expect(pull.closed).toBe(true);
  });

  test('within a turn in which a message came: the receive has one outcome', async () => {
    const context = new Context();
    for (let round = 0; round < 200; round += 1) {
      const pull = new Pull({ context });
      const push = new Push({ context, linger: 0 });
      push.connect(pull.bind(`inproc://turn-${round}`));
      const receiving = pull.recv().then(String, (error: unknown) => error);
      await push.send('x');
      if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      pull.close();
      const outcome = await within(`round ${round}`, receiving);
      if (outcome !== 'x') expect(outcome).toBeInstanceOf(SocketClosedError);
      push.close();
    }
    await context.close();
  });

  test('frees the endpoint for the next one to bind', async () => {
    const first = new Pull();
    const endpoint = first.bind(endpoints.tcp());
    for (let round = 0; round < 20; round += 1) {
      const socket = round === 0 ? first : new Pull();
      if (round > 0) socket.bind(endpoint);
      const waiting = socket.recv();
      expect(await isPending(waiting, 1)).toBe(true);
      socket.close();
      await expect(within(`round ${round}`, waiting)).rejects.toThrow(SocketClosedError);
    }
  });

  test.each(['PUSH', 'DEALER', 'PUB', 'REQ'] as const)('of a %s in the midst of its work', async (type) => {
    const socket = new Socket(type, { linger: 0 });
    const peer = await startPeer('c', type === 'REQ' ? 'echo' : type === 'PUB' ? 'sub' : 'recv', {
      type: type === 'REQ' ? 'REP' : type === 'PUB' ? 'SUB' : type === 'PUSH' ? 'PULL' : 'DEALER',
      bind: endpoints.tcp(),
      any: true,
    });
    socket.connect(peer.endpoint);
    const work = (async () => {
      for (let n = 0; ; n += 1) {
        await socket.send(`${n}`);
        if (type === 'REQ') await socket.recv();
        if (n === 500) socket.close();
      }
    })();
    await expect(within('the work ends', work)).rejects.toThrow(SocketClosedError);
    await peer.kill();
  });
});

describe('close in one thread, work in another', () => {
  const work: [Doing, number][] = [
    ['recv', 60],
    ['recvSync', 60],
    ['for await', 60],
    ['batches', 60],
    ['send', 60],
    ['sendSync', 60],
    ['poll', 60],
  ];
  test.each(work)('%s, %d times at random moments', async (doing, rounds) => {
    await closeUnderTraffic(kit, { rounds, doing });
  });

  onBothThreads('wakes a blocking call that has nothing to do', async ({ zmq, assert, spawn }) => {
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const rounds = 40;
    const closer = spawn(
      async ({ zmq }, { turns, rounds }, port) => {
        for (let round = 0; round < rounds; round += 1) {
          const handle = await new Promise<Parameters<typeof zmq.Socket.attach>[0]>((resolve) =>
            port.once('message', resolve),
          );
          const socket = zmq.Socket.attach(handle);
          port.postMessage('ready');
          Atomics.wait(turns, 0, round);
          // Late enough for the other thread to block, most of the time: both orders must work.
          if (round % 4 === 3) Atomics.wait(turns, 0, round + 1, 5);
          socket.close();
          port.postMessage('closed');
        }
        port.close();
      },
      { turns, rounds },
    );
    for (let round = 0; round < rounds; round += 1) {
      const dealer = new zmq.Dealer({ linger: 0 });
      const calls = [
        () => dealer.recvSync({ timeout: 10_000 }),
        () => dealer.recvMultipartSync(),
        () => dealer.sendSync('nobody is there', { timeout: 10_000 }),
        () => dealer.sendSync(['nobody', 'is', 'there']),
      ];
      closer.post(dealer.share());
      await closer.message(`round ${round}: the other thread has the socket`);
      Atomics.store(turns, 0, round + 1);
      Atomics.notify(turns, 0);
      assert.throws(calls[(round >> 2) % 4]!, zmq.SocketClosedError, `round ${round}`);
      await closer.message(`round ${round}: the other thread has closed it`);
      assert.equal(dealer.closed, true);
    }
    await closer.ended('the other thread ends');
  });
});

describe('what was sent before the close', () => {
  test('still leaves for a peer that comes later', async () => {
    const endpoint = await endpoints.unboundTcp();
    const push = new Push();
    push.connect(endpoint);
    for (let n = 0; n < 50; n += 1) await push.send(`${n}`);
    push.close();
    const peer = await startPeer('c', 'recv', { bind: endpoint, count: 50, any: true });
    expect((await peer.result()).received).toBe(50);
  });

  test.each([
    ['small messages, more than the high-water mark', 16, 3000],
    ['messages that are sent without a copy', 1 << 20, 20],
  ])('%s', async (_name, size, count) => {
    const endpoint = await endpoints.unboundTcp();
    const context = new Context();
    const push = new Push({ context, sendHighWaterMark: size > 1000 ? 100 : 5000 });
    push.connect(endpoint);
    const payload = new Uint8Array(new SharedArrayBuffer(size));
    for (let n = 0; n < count; n += 1) await push.send(payload);
    push.close({ linger: -1 });
    const closing = context.close({ timeout: 20_000 });
    const peer = await startPeer('c', 'recv', { bind: endpoint, count, any: true });
    expect(await peer.result()).toMatchObject({ received: count, bytes: count * size });
    await within('the context closes', closing);
  });

  test('is dropped with linger 0', async () => {
    const context = new Context();
    const push = new Push({ context });
    push.connect(await endpoints.unboundTcp());
    for (let n = 0; n < 50; n += 1) await push.send(`${n}`);
    push.close({ linger: 0 });
    await within('nothing is left to wait for', context.close({ timeout: -1 }));
  });

  test('refuses a bad linger, and stays open', () => {
    const push = ofTest(new Push());
    for (const linger of [-2, Number.NaN, '5', Infinity]) {
      expect(() => push.close({ linger: linger as number })).toThrow(TypeError);
    }
    expect(push.closed).toBe(false);
  });
});

test('sockets of every kind close while many things are pending on each', async () => {
  const context = new Context();
  const sockets = [
    new Pair({ context }),
    new Router({ context }),
    new Request({ context }),
    new Subscriber({ context }),
  ];
  for (const socket of sockets) socket.bind(endpoints.tcp());
  const pending = sockets.flatMap((socket) =>
    Array.from({ length: 50 }, () => (socket as Pair).recvMultipart().catch((error: unknown) => error)),
  );
  for (const socket of sockets) socket.close();
  for (const outcome of await within('all receives', Promise.all(pending))) {
    expect([SocketClosedError.name, 'ZmqError']).toContain((outcome as Error).name);
  }
  await within('the context', context.close());
});

test('a linked pair can be closed in either order, again and again', async () => {
  for (let round = 0; round < 100; round += 1) {
    const [pull, push] = linked(new Pull(), new Push({ linger: 0 }), endpoints.inproc());
    const received = pull.recv();
    await push.send('x');
    await within(`round ${round}`, received);
    for (const socket of round % 2 === 0 ? [pull, push] : [push, pull]) socket.close();
  }
});
