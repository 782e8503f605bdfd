/** The end of a poller, and of sockets that a poller watches: nobody hangs, and everybody learns why. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, Poller, PollerClosedError, Pull, Push } from 'zeromq-threads';

import { within } from './bounded.js';
import { closePollersFromElsewhere } from './lifecycle/closing-pollers.js';
import { linked, ofTest } from './linked.js';
import { kit, onBothThreads } from './threads.js';

describe('a closed poller', () => {
  onBothThreads('refuses to wait', async ({ zmq, assert }) => {
    const pull = new zmq.Pull();
    const poller = new zmq.Poller([pull]);
    poller.close();
    const refusal = (error: unknown) => {
      assert.ok(error instanceof zmq.ArgumentError);
      assert.equal((error as Error).message, 'Poller is closed, cannot wait on it');
      return true;
    };
    await assert.rejects(poller.wait(), refusal);
    await assert.rejects(poller.wait({ timeout: 0 }), refusal);
    assert.throws(() => poller.waitSync(), refusal);
    assert.throws(() => poller.waitSync({ timeout: 0 }), refusal);
    pull.close();
  });

  test('can be closed again, in every way', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const poller = new Poller([pull]);
    const { handle } = poller;
    expect(poller.closed).toBe(false);
    poller.close();
    poller.close();
    poller[Symbol.dispose]();
    await poller[Symbol.asyncDispose]();
    Poller.attach(handle).close();
    Poller.attach(structuredClone(handle)).close();
    expect(poller.closed).toBe(true);
    expect(poller.handle).toEqual(handle);
    await push.send('the socket is open');
    expect(String(await within('a message', pull.recv()))).toBe('the socket is open');
  });

  test('makes room for others that watch the same socket', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (let round = 0; round < 50; round += 1) {
      const pollers = [new Poller([pull]), new Poller([pull]), new Poller([{ socket: pull }])];
      const waits = pollers.map((poller) => poller.wait());
      pollers[0]!.close();
      await expect(within('the closed one', waits[0]!)).rejects.toThrow(PollerClosedError);
      await push.send('x');
      await within(`round ${round}: both others report the message`, Promise.all(waits.slice(1)));
      pull.tryRecv();
      pollers[1]!.close();
      pollers[2]!.close();
    }
  });
});

test('Poller.attach takes handles of pollers of this process, and nothing else', () => {
  const pull = ofTest(new Pull());
  const poller = new Poller([pull]);
  for (const wrong of [
    undefined,
    null,
    5,
    'handle',
    {},
    pull.share(),
    { ...poller.handle, process: 'another' },
    { ...poller.handle, id: -1 },
    { ...poller.handle, id: 1.5 },
  ]) {
    expect(() => Poller.attach(wrong as never), JSON.stringify(wrong)).toThrow(ArgumentError);
  }
  expect(poller.closed).toBe(false);
  Poller.attach(poller.handle).close();
  expect(poller.closed).toBe(true);
  expect(pull.closed).toBe(false);
});

describe('a poller closed while somebody waits', () => {
  onBothThreads(
    'rejects the wait, and leaves its sockets open',
    async ({ zmq, assert, within, isPending }) => {
      const pull = new zmq.Pull();
      const push = new zmq.Push();
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      for (const close of [
        (poller: InstanceType<typeof zmq.Poller>) => poller.close(),
        (poller: InstanceType<typeof zmq.Poller>) => zmq.Poller.attach(poller.handle).close(),
      ]) {
        const poller = new zmq.Poller([pull]);
        const waiting = poller.wait({ timeout: 20_000, signal: new AbortController().signal });
        assert.equal(await isPending(waiting, 10), true);
        close(poller);
        assert.equal(poller.closed, true);
        await within(
          'the wait',
          assert.rejects(waiting, (error) => {
            assert.ok(error instanceof zmq.PollerClosedError);
            assert.equal(error.code, 'EPOLLERCLOSED');
            assert.equal(error.cause, undefined);
            return true;
          }),
        );
        poller.close();
        await push.send('still open');
        assert.equal(String(await within('a message', pull.recv())), 'still open');
      }
      pull.close();
      push.close();
    },
  );

  test('in the turn in which a message came: one of the two happens', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (let round = 0; round < 200; round += 1) {
      const poller = new Poller([pull]);
      const waiting = poller.wait().then(
        () => 'reported',
        (error: unknown) => (error instanceof PollerClosedError ? 'closed' : error),
      );
      await push.send('x');
      if (round % 2 === 0) await Promise.resolve();
      else await new Promise((resolve) => setImmediate(resolve));
      poller.close();
      expect(['reported', 'closed']).toContain(await within(`round ${round}: the wait`, waiting));
      await within('the message is not lost', pull.recv());
    }
  });

  onBothThreads('by another thread', async ({ zmq, assert, within, spawn }) => {
    const pull = new zmq.Pull();
    const rounds = 50;
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const closer = spawn(
      async ({ zmq }, { turns, rounds }, port) => {
        for (let round = 0; round < rounds; round += 1) {
          const handle = await new Promise<Parameters<typeof zmq.Poller.attach>[0]>((resolve) =>
            port.once('message', resolve),
          );
          const poller = zmq.Poller.attach(handle);
          port.postMessage('ready');
          Atomics.wait(turns, 0, round);
          poller.close();
          port.postMessage('closed');
        }
        port.close();
      },
      { turns, rounds },
    );
    for (let round = 0; round < rounds; round += 1) {
      const poller = new zmq.Poller([pull]);
      closer.post(poller.handle);
      await closer.message(`round ${round}: the other thread has the handle`);
      const blocking = round % 2 === 0;
      const waiting = blocking ? undefined : poller.wait();
      Atomics.store(turns, 0, round + 1);
      Atomics.notify(turns, 0);
      if (waiting !== undefined) {
        await within(`round ${round}: the wait`, assert.rejects(waiting, zmq.PollerClosedError));
      } else {
        assert.throws(
          () => poller.waitSync({ timeout: 10_000 }),
          // The other thread may have been faster than this one's way into the wait.
          (error) => error instanceof zmq.PollerClosedError || error instanceof zmq.ArgumentError,
        );
      }
      await closer.message(`round ${round}: the other thread has closed it`);
      assert.equal(poller.closed, true);
      poller.close();
    }
    await closer.ended('the other thread ends');
    assert.equal(pull.closed, false);
    pull.close();
  });

  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])(
    'by another thread that closes the sockets at once (blocking: %s, traffic: %s)',
    async (blocking, traffic) => {
      await closePollersFromElsewhere(kit, { rounds: 100, blocking, traffic });
    },
  );
});

describe('a watched socket that closes', () => {
  onBothThreads('while somebody waits: the error names it', async ({ zmq, assert, within, isPending }) => {
    const [pull, dealer] = [new zmq.Pull(), new zmq.Dealer()];
    const poller = new zmq.Poller<typeof pull | typeof dealer>([pull, dealer]);
    const waiting = poller.wait();
    assert.equal(await isPending(waiting, 10), true);
    dealer.close();
    const named = (error: Error & { cause?: unknown }) => {
      assert.ok(error instanceof zmq.PollerClosedError);
      const cause = error.cause as Error & { socket: unknown };
      assert.ok(cause instanceof zmq.SocketClosedError);
      assert.equal(cause.socket, dealer);
      assert.ok(/DEALER/.test(cause.message), cause.message);
      return true;
    };
    await within('the wait', assert.rejects(waiting, named));
    await within('the next wait', assert.rejects(poller.wait(), named));
    assert.throws(() => poller.waitSync(), named);
    // The poller itself was not closed by that.
    assert.equal(poller.closed, false);
    poller.close();
    assert.equal(pull.closed, false);
    pull.close();
  });

  onBothThreads('ends a loop over the poller with that error', async ({ zmq, assert, within, isPending }) => {
    const pull = new zmq.Pull();
    const poller = new zmq.Poller([pull]);
    const loop = (async () => {
      for await (const _ of poller) assert.fail('there is nothing to report');
    })();
    assert.equal(await isPending(loop, 10), true);
    pull.close();
    await within(
      'the loop',
      assert.rejects(loop, (error) => {
        assert.ok(error instanceof zmq.PollerClosedError);
        assert.equal((error.cause as { socket?: unknown })?.socket, pull);
        return true;
      }),
    );
    poller.close();
  });

  onBothThreads('by another thread, while somebody waits', async ({ zmq, assert, within, spawn }) => {
    const rounds = 40;
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const closer = spawn(
      async ({ zmq }, { turns, rounds }, port) => {
        for (let round = 0; round < rounds; round += 1) {
          const handle = await new Promise<Parameters<typeof zmq.Socket.attach>[0]>((resolve) =>
            port.once('message', resolve),
          );
          const socket = zmq.Socket.attach(handle);
          port.postMessage('ready');
          Atomics.wait(turns, 0, round);
          socket.close();
          port.postMessage('closed');
        }
        port.close();
      },
      { turns, rounds },
    );
    for (let round = 0; round < rounds; round += 1) {
      const [pull, dealer] = [new zmq.Pull(), new zmq.Dealer()];
      const poller = new zmq.Poller<typeof pull | typeof dealer>([
        pull,
        { socket: dealer, readable: round % 3 !== 0, writable: round % 3 !== 1 },
      ]);
      closer.post(dealer.share());
      await closer.message(`round ${round}: the other thread has the socket`);
      const blocking = round % 2 === 0;
      const waiting = blocking ? undefined : poller.wait();
      Atomics.store(turns, 0, round + 1);
      Atomics.notify(turns, 0);
      const named = (error: Error & { cause?: unknown }) => {
        assert.ok(error instanceof zmq.PollerClosedError, `${error}`);
        assert.equal((error.cause as { socket?: unknown })?.socket, dealer);
        return true;
      };
      if (waiting !== undefined) await within(`round ${round}: the wait`, assert.rejects(waiting, named));
      else assert.throws(() => poller.waitSync({ timeout: 10_000 }), named);
      await closer.message(`round ${round}: the other thread has closed it`);
      poller.close();
      pull.close();
    }
    await closer.ended('the other thread ends');
  });

  onBothThreads('with its context: no wait hangs', async ({ zmq, assert, within, isPending }) => {
    for (const end of ['close', 'shutdown'] as const) {
      const context = new zmq.Context();
      const pull = new zmq.Pull({ context });
      const poller = new zmq.Poller([pull]);
      const waiting = poller.wait();
      assert.equal(await isPending(waiting, 10), true);
      const ended = end === 'close' ? context.close() : context.shutdown();
      await within(
        `${end}: the wait`,
        assert.rejects(waiting, (error) => {
          assert.ok(error instanceof zmq.PollerClosedError);
          assert.equal((error.cause as { socket?: unknown })?.socket, pull);
          return true;
        }),
      );
      await within(`${end}: the context`, Promise.resolve(ended));
      poller.close();
      await within(`${end}: the context is closed`, context.close());
    }
  });
});

test('the sockets of a closed poller are free for whatever comes', async () => {
  const [pull, push] = linked(new Pull(), new Push());
  const poller = new Poller([pull]);
  const waiting = poller.wait();
  waiting.catch(() => {});
  poller.close();
  for (let n = 0; n < 100; n += 1) await push.send(`${n}`);
  for (let n = 0; n < 100; n += 1) {
    expect(String(await within(`message ${n}`, pull.recv()))).toBe(`${n}`);
  }
});
