/** What a poller reports, and when: in an event loop and blocking, on the main thread and in a Worker. */
import { describe, expect, test } from 'vitest';
import { ArgumentError, Dealer, Poller, Pull, Push, Socket } from 'zeromq-threads';

import { turn, within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints, startPeer } from './peers/index.js';
import { onBothThreads } from './threads.js';

describe('a new poller', () => {
  test('takes sockets, items, and both at once', () => {
    const [pull, push] = linked(new Pull(), new Push());
    for (const sockets of [
      [pull],
      new Set([pull]),
      [{ socket: pull }, { socket: push, readable: false, writable: true }],
      [pull, { socket: push, readable: false, writable: true }],
    ]) {
      const poller = new Poller<Pull | Push>(sockets);
      expect(poller.closed).toBe(false);
      poller.close();
    }
  });

  test('refuses what it cannot watch', () => {
    const pull = ofTest(new Pull());
    const closed = new Pull();
    closed.close();
    const refused = (sockets: unknown, message: RegExp) => {
      const make = () => new Poller(sockets as Pull[]);
      expect(make).toThrow(ArgumentError);
      expect(make).toThrow(message);
    };
    refused([], /at least one socket/);
    refused([closed], /sockets\[0\]: expected an open socket/);
    refused([pull, { socket: closed }], /sockets\[1\]: expected an open socket/);
    refused([pull, pull], /each socket once/);
    refused([pull, { socket: pull, writable: true }], /each socket once/);
    refused([pull, Socket.attach(pull.share())], /each socket once/);
    refused([{ socket: pull, readable: false }], /readable or writable/);
    refused([{ socket: pull, readable: false, writable: false }], /readable or writable/);
    refused([{ socket: pull, readable: 1 }], /sockets\[0\]\.readable: expected a boolean/);
    refused([{ socket: pull, writable: 'yes' }], /sockets\[0\]\.writable: expected a boolean/);
    refused([{}], /sockets\[0\]/);
    refused(['PULL'], /sockets\[0\]/);
    refused([null], /sockets\[0\]/);
    refused(pull, /an array of sockets/);
    refused(undefined, /an array of sockets/);
    expect(pull.closed).toBe(false);
  });
});

describe('wait', () => {
  onBothThreads(
    'reports a message that is there, for as long as it is there',
    async ({ zmq, assert, within }) => {
      const pull = new zmq.Pull();
      const push = new zmq.Push();
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      const poller = new zmq.Poller([pull]);
      await push.send('one');
      for (let count = 0; count < 3; count += 1) {
        const result = await within('the message is reported', poller.wait());
        assert.equal(result.socket, pull);
        assert.equal(result.readable, true);
        assert.equal(result.writable, false);
      }
      assert.deepEqual(pull.tryRecvMultipart()?.map(String), ['one']);
      await assert.rejects(poller.wait({ timeout: 0 }), zmq.TimeoutError);
      assert.equal(pull.tryRecvMultipart(), undefined);
      poller.close();
      pull.close();
      push.close();
    },
  );

  onBothThreads('resolves when a message comes', async ({ zmq, assert, within, isPending }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    const poller = new zmq.Poller([pull]);
    for (let count = 0; count < 20; count += 1) {
      const waiting = poller.wait();
      if (count === 0) assert.equal(await isPending(waiting), true);
      await push.send(`message ${count}`);
      const { socket, readable } = await within(`message ${count} is reported`, waiting);
      assert.equal(socket, pull);
      assert.equal(readable, true);
      assert.equal(String(pull.tryRecv()), `message ${count}`);
    }
    poller.close();
    pull.close();
    push.close();
  });

  onBothThreads(
    'ends with a TimeoutError when nothing came in time',
    async ({ zmq, assert, within, isPending }) => {
      const pull = new zmq.Pull();
      const push = new zmq.Push();
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      const poller = new zmq.Poller([pull]);
      for (const timeout of [0, 1, 60, 0.5]) {
        const begun = performance.now();
        await within(
          `a timeout of ${timeout} ms`,
          assert.rejects(poller.wait({ timeout }), (error) => {
            assert.ok(error instanceof zmq.TimeoutError);
            assert.equal(error.timeoutSecs, timeout / 1000);
            assert.equal(error.code, 'EAGAIN');
            return true;
          }),
        );
        assert.ok(performance.now() - begun >= timeout - 2, `not before ${timeout} ms`);
        const begunSync = performance.now();
        assert.throws(
          () => poller.waitSync({ timeout }),
          (error) => error instanceof zmq.TimeoutError && error.timeoutSecs === timeout / 1000,
        );
        assert.ok(performance.now() - begunSync >= timeout - 2, `waitSync: not before ${timeout} ms`);
      }
      const endless = poller.wait({ timeout: -1 });
      assert.equal(await isPending(endless), true);
      await push.send('at last');
      assert.equal((await within('the endless wait ends', endless)).socket, pull);
      poller.close();
      pull.close();
      push.close();
    },
  );

  onBothThreads('refuses bad options, and can be called again', async ({ zmq, assert }) => {
    const pull = new zmq.Pull();
    const poller = new zmq.Poller([pull]);
    for (const options of [
      { timeout: -2 },
      { timeout: Number.NaN },
      { timeout: Infinity },
      { timeout: '5' },
      { signal: {} },
      5,
      null,
    ]) {
      await assert.rejects(poller.wait(options as never), zmq.ArgumentError, `${JSON.stringify(options)}`);
      assert.throws(() => poller.waitSync(options as never), zmq.ArgumentError, `${JSON.stringify(options)}`);
    }
    await assert.rejects(poller.wait({ timeout: 0 }), zmq.TimeoutError);
    poller.close();
    pull.close();
  });

  onBothThreads('is cancelled by its signal', async ({ zmq, assert, within, isPending }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    const poller = new zmq.Poller([pull]);
    const reason = new Error('not any more');
    const controller = new AbortController();
    const waiting = poller.wait({ signal: controller.signal });
    assert.equal(await isPending(waiting), true);
    controller.abort(reason);
    await within('the cancelled wait', assert.rejects(waiting, reason));
    await assert.rejects(poller.wait({ signal: controller.signal }), reason);
    assert.throws(() => poller.waitSync({ signal: controller.signal }), reason);
    await push.send('kept');
    const { socket } = await within('the next wait', poller.wait());
    assert.equal(String(socket.tryRecv()), 'kept');
    poller.close();
    pull.close();
    push.close();
  });

  onBothThreads('sees messages that were received ahead already', async ({ zmq, assert, within }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    for (let n = 0; n < 300; n += 1) await push.send(`${n}`);
    let taken = 0;
    for await (const frames of pull) {
      assert.equal(String(frames[0]), `${taken}`);
      taken += 1;
      if (taken === 10) break;
    }
    const poller = new zmq.Poller([pull]);
    while (taken < 300) {
      const { socket, readable } =
        taken % 2 === 0
          ? await within(`message ${taken} is reported`, poller.wait())
          : poller.waitSync({ timeout: 10_000 });
      assert.equal(readable, true);
      const frames = socket.tryRecvMultipart();
      assert.ok(frames !== undefined, `message ${taken} is there when it is reported`);
      assert.equal(String(frames![0]), `${taken}`);
      taken += 1;
    }
    await assert.rejects(poller.wait({ timeout: 0 }), zmq.TimeoutError);
    assert.throws(() => poller.waitSync({ timeout: 0 }), zmq.TimeoutError);
    poller.close();
    pull.close();
    push.close();
  });

  onBothThreads('sees the rest of a message of which frames were taken', async ({ zmq, assert, within }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    const poller = new zmq.Poller([pull]);
    await push.send(['a', 'b', 'c']);
    for (const text of ['a', 'b', 'c']) {
      await within(`frame ${text} is reported`, poller.wait());
      assert.equal(String(pull.tryRecv()), text);
    }
    await assert.rejects(poller.wait({ timeout: 0 }), zmq.TimeoutError);
    poller.close();
    pull.close();
    push.close();
  });

  onBothThreads(
    'leaves a message to the receive that waits for it',
    async ({ zmq, assert, within, isPending }) => {
      const pull = new zmq.Pull();
      const push = new zmq.Push();
      push.connect(pull.bind('tcp://127.0.0.1:*'));
      const poller = new zmq.Poller([pull]);
      for (let round = 0; round < 20; round += 1) {
        // The receive before the wait, and the other way round.
        const early = round % 2 === 0 ? pull.recv() : undefined;
        const waiting = poller.wait();
        const receiving = early ?? pull.recv();
        await push.send('for the receive');
        assert.equal(String(await within(`round ${round}: the receive`, receiving)), 'for the receive');
        assert.equal(await isPending(waiting, 5), true, `round ${round}: the poller has nothing to report`);
        await push.send('for the poller');
        await within(`round ${round}: the poller`, waiting);
        assert.equal(String(pull.tryRecv()), 'for the poller');
      }
      poller.close();
      pull.close();
      push.close();
    },
  );

  onBothThreads('is fair among sockets that are ready', async ({ zmq, assert, within }) => {
    const pulls = Array.from({ length: 4 }, () => new zmq.Pull());
    const push = pulls.map((pull) => {
      const sender = new zmq.Push();
      sender.connect(pull.bind('tcp://127.0.0.1:*'));
      return sender;
    });
    for (let n = 0; n < 100; n += 1) for (const sender of push) await sender.send(`${n}`);
    const poller = new zmq.Poller(pulls);
    const counts = new Map(pulls.map((pull) => [pull, 0]));
    // All of them are ready once each has been seen to be.
    for (const pull of pulls) {
      await within('each socket has something', new zmq.Poller([pull]).wait());
    }
    for (let n = 0; n < 40; n += 1) {
      const { socket } =
        n % 2 === 0 ? await within(`wait ${n}`, poller.wait()) : poller.waitSync({ timeout: 10_000 });
      assert.ok(socket.tryRecv() !== undefined);
      counts.set(socket, counts.get(socket)! + 1);
    }
    assert.deepEqual([...counts.values()], [10, 10, 10, 10]);
    poller.close();
    for (const socket of [...pulls, ...push]) socket.close({ linger: 0 });
  });

  onBothThreads('watches for room to send', async ({ zmq, assert, within, isPending }) => {
    const push = new zmq.Push({ sendHighWaterMark: 5, linger: 0 });
    const poller = new zmq.Poller([{ socket: push, readable: false, writable: true }]);
    // Nobody is there to send to.
    await assert.rejects(poller.wait({ timeout: 0 }), zmq.TimeoutError);
    assert.throws(() => poller.waitSync({ timeout: 20 }), zmq.TimeoutError);
    const waiting = poller.wait();
    assert.equal(await isPending(waiting), true);
    const pull = new zmq.Pull({ receiveHighWaterMark: 5 });
    push.connect(pull.bind('inproc://room-to-send'));
    const result = await within('a peer has come', waiting);
    assert.deepEqual([result.readable, result.writable], [false, true]);
    let sent = 0;
    while (push.trySend(`${sent}`)) sent += 1;
    assert.ok(sent >= 5 && sent <= 10, `${sent} fit`);
    await assert.rejects(poller.wait({ timeout: 20 }), zmq.TimeoutError);
    assert.throws(() => poller.waitSync({ timeout: 20 }), zmq.TimeoutError);
    const room = poller.wait();
    for (let n = 0; n < sent; n += 1) await within(`message ${n} comes`, pull.recv());
    assert.equal((await within('there is room', room)).writable, true);
    assert.equal(poller.waitSync({ timeout: 10_000 }).writable, true);
    assert.equal(push.trySend('and one more'), true);
    poller.close();
    push.close();
    pull.close();
  });

  onBothThreads('says which of the two it was', async ({ zmq, assert, within }) => {
    const dealer = new zmq.Dealer();
    const other = new zmq.Dealer();
    const poller = new zmq.Poller([{ socket: dealer, readable: true, writable: true }]);
    await assert.rejects(poller.wait({ timeout: 0 }), zmq.TimeoutError);
    other.connect(dealer.bind('tcp://127.0.0.1:*'));
    const first = await within('a peer has come', poller.wait());
    assert.deepEqual([first.readable, first.writable], [false, true]);
    await other.send('hello');
    const readable = new zmq.Poller([dealer]);
    await within('the message has come', readable.wait());
    const both = await within('both', poller.wait());
    assert.deepEqual([both.readable, both.writable], [true, true]);
    const sync = poller.waitSync();
    assert.deepEqual([sync.readable, sync.writable], [true, true]);
    dealer.tryRecv();
    const again = poller.waitSync();
    assert.deepEqual([again.readable, again.writable], [false, true]);
    for (const socket of [poller, readable, dealer, other]) socket.close();
  });

  onBothThreads('allows one wait at a time', async ({ zmq, assert, within }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    const poller = new zmq.Poller([pull]);
    const first = poller.wait();
    await within('the second wait ends at once', assert.rejects(poller.wait(), zmq.ArgumentError));
    await assert.rejects(poller.wait({ timeout: 0 }), zmq.ArgumentError);
    assert.throws(() => poller.waitSync(), zmq.ArgumentError);
    assert.throws(() => poller.waitSync({ timeout: 0 }), zmq.ArgumentError);
    await push.send('for the first');
    assert.equal((await within('the first wait goes on', first)).socket, pull);
    assert.equal((await within('one after the other', poller.wait())).socket, pull);
    poller.close();
    pull.close();
    push.close();
  });

  onBothThreads('wakes a thread that blocks in waitSync', async ({ zmq, assert, spawn, within }) => {
    const pull = new zmq.Pull();
    const endpoint = pull.bind('tcp://127.0.0.1:*');
    const rounds = 200;
    const turns = new Int32Array(new SharedArrayBuffer(4));
    const sender = spawn(
      ({ zmq }, { endpoint, turns, rounds }, port) => {
        const push = new zmq.Push();
        push.connect(endpoint);
        port.postMessage('connected');
        for (let round = 0; round < rounds; round += 1) {
          Atomics.wait(turns, 0, round);
          push.sendSync(`${round}`);
        }
        push.close();
      },
      { endpoint, turns, rounds },
    );
    await sender.message('the sender is connected');
    const poller = new zmq.Poller([pull]);
    for (let round = 0; round < rounds; round += 1) {
      Atomics.store(turns, 0, round + 1);
      Atomics.notify(turns, 0);
      const { socket, readable } = poller.waitSync({ timeout: 10_000 });
      assert.equal(readable, true);
      assert.equal(String(socket.tryRecv()), `${round}`);
    }
    await sender.ended('the sender ends');
    await within('the poller is closed', Promise.resolve(poller.close()));
    pull.close();
  });

  onBothThreads('finds the one socket among many that has something', async ({ zmq, assert, within }) => {
    const count = 100;
    const context = new zmq.Context();
    const pairs = Array.from({ length: count }, (_, index) => {
      const pull = new zmq.Pull({ context });
      const push = new zmq.Push({ context });
      pull.bind(`inproc://many-${index}`);
      push.connect(`inproc://many-${index}`);
      return { pull, push };
    });
    const poller = new zmq.Poller(pairs.map(({ pull }) => pull));
    for (let step = 0; step < count; step += 1) {
      const { pull, push } = pairs[(step * 37) % count]!;
      const waiting = step % 2 === 0 ? poller.wait() : undefined;
      await push.send(`${step}`);
      const { socket } =
        waiting === undefined
          ? poller.waitSync({ timeout: 10_000 })
          : await within(`message ${step} is reported`, waiting);
      assert.equal(socket, pull, `message ${step} is reported for its socket`);
      assert.equal(String(socket.tryRecv()), `${step}`);
    }
    assert.throws(() => poller.waitSync({ timeout: 0 }), zmq.TimeoutError);
    poller.close();
    await within('the context closes', context.close());
  });
});

test('an I/O worker that took over from the event loop does not keep messages from it', async () => {
  const [pull, push] = linked(new Pull(), new Push(), endpoints.inproc());
  const poller = new Poller([pull]);
  // The event loop watches the socket; since nobody waits in it any more, an I/O worker soon receives for it.
  const first = pull.recv();
  await turn();
  await push.send('first');
  await within('the first message', first);
  const until = performance.now() + 1000;
  for (let n = 0; performance.now() < until; n += 1) {
    const polling = within(`message ${n}`, poller.wait(), 5000);
    // While the I/O worker is told of the poller: sooner, and later.
    const sending = performance.now() + ((n * 7919) % 100) / 1000;
    if (n % 3 === 0) await turn();
    while (performance.now() < sending);
    await push.send(`${n}`);
    await polling;
    expect(String(pull.tryRecv())).toBe(`${n}`);
  }
  poller.close();
});

describe('for await', () => {
  onBothThreads(
    'gives one result after another until the poller is closed',
    async ({ zmq, assert, within }) => {
      const pulls = [new zmq.Pull(), new zmq.Pull()];
      const push = pulls.map((pull) => {
        const sender = new zmq.Push();
        sender.connect(pull.bind('tcp://127.0.0.1:*'));
        return sender;
      });
      const poller = new zmq.Poller(pulls);
      const seen: string[] = [];
      const loop = (async () => {
        for await (const { socket } of poller) {
          seen.push(String(socket.tryRecv()));
          if (seen.length === 40) poller.close();
        }
      })();
      for (let n = 0; n < 20; n += 1) for (const sender of push) await sender.send(`${n}`);
      await within('the loop ends', loop);
      assert.equal(seen.length, 40);
      for (const socket of [...pulls, ...push]) socket.close();
    },
  );

  onBothThreads(
    'ends when the poller is closed while it waits',
    async ({ zmq, assert, within, isPending }) => {
      const pull = new zmq.Pull();
      const poller = new zmq.Poller([pull]);
      const loop = (async () => {
        for await (const _ of poller) assert.fail('there is nothing to report');
      })();
      assert.equal(await isPending(loop), true);
      poller.close();
      await within('the loop ends', loop);
      for await (const _ of poller) assert.fail('a closed poller has nothing to report');
      pull.close();
    },
  );

  onBothThreads('leaves the poller open on break', async ({ zmq, assert, within }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    const poller = new zmq.Poller([pull]);
    await push.send('one');
    for await (const { socket } of poller) {
      assert.equal(String(socket.tryRecv()), 'one');
      break;
    }
    assert.equal(poller.closed, false);
    await push.send('two');
    assert.equal((await within('another wait', poller.wait())).socket, pull);
    poller.close();
    pull.close();
    push.close();
  });
});

describe('Poller.use', () => {
  onBothThreads('closes the poller afterwards, whatever happens', async ({ zmq, assert, within }) => {
    const pull = new zmq.Pull();
    const push = new zmq.Push();
    push.connect(pull.bind('tcp://127.0.0.1:*'));
    await push.send('hello');
    let used: InstanceType<typeof zmq.Poller> | undefined;
    const result = await within(
      'use resolves',
      zmq.Poller.use([pull], async (poller) => {
        used = poller;
        const { socket } = await poller.wait();
        return String(socket.tryRecv());
      }),
    );
    assert.equal(result, 'hello');
    assert.equal(used?.closed, true);
    const failure = new Error('on purpose');
    await assert.rejects(
      zmq.Poller.use([pull], (poller) => {
        used = poller;
        throw failure;
      }),
      failure,
    );
    assert.equal(used?.closed, true);
    await assert.rejects(
      zmq.Poller.use([], () => undefined),
      zmq.ArgumentError,
    );
    await assert.rejects(zmq.Poller.use([pull], 'wait' as never), {
      name: 'ArgumentError',
      message: "body: expected a function, got string 'wait'",
    });
    assert.equal(pull.closed, false);
    pull.close();
    push.close();
  });
});

test('peers in another process are polled like any others', async () => {
  const count = 500;
  const pulls = [ofTest(new Pull()), ofTest(new Pull()), ofTest(new Pull())];
  for (const [index, pull] of pulls.entries()) {
    const endpoint = index === 1 ? pull.bind(endpoints.ipc()) : pull.bind(endpoints.tcp());
    await startPeer(index === 2 ? 'python' : 'c', 'send', { connect: endpoint, count, size: 100, any: true });
  }
  await Poller.use(pulls, async (poller) => {
    const received = new Map(pulls.map((pull) => [pull, 0]));
    for (let n = 0; n < count * pulls.length; n += 1) {
      const { socket } = await within(`message ${n} of ${count * pulls.length} is reported`, poller.wait());
      const frames = socket.tryRecvMultipart();
      expect(frames, `message ${n} is there when it is reported`).toBeDefined();
      received.set(socket, received.get(socket)! + 1);
    }
    expect([...received.values()]).toEqual([count, count, count]);
  });
});

test('while a poller waits, receives on the same sockets go on', async () => {
  const [pull, push] = linked(new Pull(), new Push());
  const [dealer, other] = linked(new Dealer(), new Dealer());
  const poller = new Poller<Pull | Dealer>([pull, dealer]);
  const count = 2000;
  const received: number[] = [];
  const consumer = (async () => {
    for await (const [frame] of pull) {
      received.push(Number(frame));
      if (received.length === count) break;
    }
  })();
  let polled = 0;
  const polling = (async () => {
    while (polled < 200) {
      const { socket } = await poller.wait();
      // The loop above may have been faster with its own socket, never with this one.
      if (socket === dealer) {
        expect(dealer.tryRecv()).toBeDefined();
        polled += 1;
      }
    }
  })();
  for (let n = 0; n < count; n += 1) {
    await push.send(`${n}`);
    if (n % 10 === 0) await other.send(`${n}`);
  }
  await within('the loop has all messages of the one', consumer);
  await within('the poller has reported all messages of the other', polling);
  expect(received).toEqual(Array.from({ length: count }, (_, index) => index));
  poller.close();
});
