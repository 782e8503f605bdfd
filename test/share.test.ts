/** One socket in several threads: share() and attach(). */
import { describe, expect, it } from 'vitest';

import {
  ArgumentError,
  Dealer,
  type Handle,
  Pair,
  Poller,
  Pull,
  Push,
  Router,
  Socket,
  SocketClosedError,
  TimeoutError,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';
import { spawn } from './threads.js';

describe('share and attach in one thread', () => {
  it('a handle is plain data', () => {
    const handle = ofTest(new Pull()).share();
    expect(Object.getPrototypeOf(handle)).toBe(Object.prototype);
    expect(structuredClone(handle)).toEqual(handle);
    expect(JSON.parse(JSON.stringify(handle))).toEqual(handle);
  });

  it('attaches to the same socket, with its type and its options', () => {
    const pull = ofTest(new Pull({ receiveHighWaterMark: 7, receiveTimeout: 3 }));
    const endpoint = pull.bind(endpoints.tcp());
    const attached = ofTest(Socket.attach(pull.share()));
    expect(attached).toBeInstanceOf(Socket);
    expect(attached.type).toBe('PULL');
    expect(attached.lastEndpoint).toBe(endpoint);
    expect(attached.receiveHighWaterMark).toBe(7);
    expect(attached.closed).toBe(false);
    expect(attached.context).toBe(undefined);
    attached.linger = 5;
    expect(pull.linger).toBe(5);
    const other = attached.bind(endpoints.tcp());
    expect(pull.lastEndpoint).toBe(other);
  });

  it('takes over the timeouts', async () => {
    const pair = ofTest(new Pair({ receiveTimeout: 3, sendTimeout: 4 }));
    const attached = ofTest(Socket.attach(pair.share()));
    const received = await attached.recv().catch((reason: unknown) => reason);
    expect(received).toBeInstanceOf(TimeoutError);
    expect((received as TimeoutError).timeoutSecs).toBe(0.003);
    const sent = await attached.send('nobody is there').catch((reason: unknown) => reason);
    expect((sent as TimeoutError).timeoutSecs).toBe(0.004);
    expect(() => attached.recvSync()).toThrow(TimeoutError);
    expect(() => attached.sendSync('x')).toThrow(TimeoutError);
  });

  it('sends and receives on either, each message once', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const pulls = [pull, ofTest(Socket.attach(pull.share()))];
    const pushes = [push, ofTest(Socket.attach(push.share()))];
    const received: string[] = [];
    const receiving = Promise.all(
      pulls.map(async (socket) => {
        while (received.length < 200) {
          try {
            received.push(await socket.recv('utf8', { timeout: 200 }));
          } catch (error) {
            expect(error).toBeInstanceOf(TimeoutError);
          }
        }
      }),
    );
    for (let n = 0; n < 200; n += 1) await pushes[n % 2]!.send(`${n}`);
    await within('200 messages are received', receiving);
    expect(received.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it('refuses what the type cannot do there, too', async () => {
    const attached = ofTest(Socket.attach(ofTest(new Pull()).share()));
    await expect(attached.send('x')).rejects.toMatchObject({ code: 'ENOTSUP' });
    expect(() => attached.setOption('mandatory', true)).toThrow(expect.objectContaining({ code: 'ENOTSUP' }));
  });

  it.each(['the one that made it', 'the one that attached'])('%s closes it for both', async (which) => {
    const pull = new Pull();
    pull.bind(endpoints.tcp());
    const attached = Socket.attach(pull.share());
    const settled = Promise.allSettled([pull.recv(), attached.recvMultipart(), attached.recv('utf8')]);
    (which === 'the one that made it' ? pull : attached).close();
    for (const outcome of await within('all pending receives settle', settled)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'SocketClosedError' } });
    }
    expect([pull.closed, attached.closed]).toEqual([true, true]);
    expect(() => attached.tryRecv()).toThrow(SocketClosedError);
    expect(() => pull.tryRecv()).toThrow(SocketClosedError);
    pull.close();
    attached.close();
  });

  it('refuses a socket that is closed', () => {
    const pull = new Pull();
    const handle = pull.share();
    pull.close();
    expect(() => Socket.attach(handle)).toThrow(SocketClosedError);
    expect(() => Socket.attach(handle)).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }));
    expect(() => pull.share()).toThrow(SocketClosedError);
  });

  it('refuses what is no handle of a socket of this process', () => {
    const real = ofTest(new Pull()).share();
    const poller = new Poller([ofTest(new Pull())]);
    const nonsense: unknown[] = [
      undefined,
      null,
      5,
      'socket',
      {},
      [],
      new Pull(),
      poller.handle,
      { ...real, process: 'another' },
      { ...real, process: undefined },
      { ...real, zeromqThreads: 'poller' },
      { ...real, zeromqThreads: 'context' },
      { ...real, id: '1' },
      { ...real, id: -1 },
      { ...real, id: 1.5 },
      { ...real, id: 2 ** 32 },
      { ...real, id: Number.NaN },
      { zeromqThreads: 'socket', id: real.id },
      Object.create(null),
      () => {},
    ];
    for (const handle of nonsense) {
      expect(() => Socket.attach(handle as Handle<'socket'>)).toThrow(ArgumentError);
      expect(() => Socket.attach(handle as Handle<'socket'>)).toThrow(
        /^handle: expected a socket handle of this process, got /,
      );
    }
    (nonsense[6] as Pull).close();
    poller.close();
  });

  it('refuses the id of a socket that there never was', () => {
    const real = ofTest(new Pull()).share();
    for (const id of [0, 0xffffffff, real.id + 100_000]) {
      expect(() => Socket.attach({ ...real, id })).toThrow(SocketClosedError);
    }
  });

  it('a poller does not take a socket handle', () => {
    const handle = ofTest(new Pull()).share();
    expect(() => Poller.attach(handle as never)).toThrow(ArgumentError);
    expect(() => Poller.attach(handle as never)).toThrow(
      /^handle: expected a poller handle of this process, got /,
    );
  });
});

describe('share and attach across threads', () => {
  it('another thread receives what comes, sends back, and closes it', async () => {
    const [router, dealer] = linked(new Router(), new Dealer());
    const thread = spawn(async ({ zmq, assert }, handle, port) => {
      const socket = zmq.Socket.attach(handle);
      assert.equal(socket.type, 'ROUTER');
      for (let n = 0; n < 100; n += 1) {
        const [peer, text] = await socket.recvMultipart();
        await socket.send([peer!, `${text} from a thread`]);
      }
      port.postMessage('done');
      await new Promise<void>((resolve) => port.once('message', () => resolve()));
      socket.close();
      port.postMessage('closed');
    }, router.share());
    for (let n = 0; n < 100; n += 1) {
      await dealer.send(`hello ${n}`);
      expect(await within(`reply ${n}`, dealer.recv('utf8'))).toBe(`hello ${n} from a thread`);
    }
    await thread.message('the thread is done');
    const pending = expect(within('our pending receive rejects', router.recv())).rejects.toThrow(
      SocketClosedError,
    );
    thread.post('close');
    await thread.message('the thread has closed the socket');
    await pending;
    expect(router.closed).toBe(true);
  });

  it('a message received there is shared with the thread it is posted to', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const thread = spawn(async ({ zmq }, handle, port) => {
      const message = await zmq.Socket.attach(handle).recv();
      port.postMessage(message);
    }, pull.share());
    await push.send('shared across threads');
    const view = (await thread.message('the message')) as Uint8Array;
    expect(view.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(Buffer.from(view.buffer, view.byteOffset, view.length).toString()).toBe('shared across threads');
  });

  it('a handle that came through workerData or postMessage works, and so does a forged one only if it is right', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    const thread = spawn(async ({ zmq, assert }, handle, port) => {
      assert.throws(() => zmq.Socket.attach({ ...handle, process: '1-2' }), zmq.ArgumentError);
      const socket = zmq.Socket.attach({ ...handle });
      port.postMessage(socket.share());
      await new Promise<void>((resolve) => port.once('message', () => resolve()));
      await socket.send('from the thread');
    }, push.share());
    const back = (await thread.message('the handle comes back')) as Handle<'socket'>;
    expect(back).toEqual(push.share());
    await ofTest(Socket.attach(back)).send('through the handle that came back');
    expect(await within('receiving', pull.recv('utf8'))).toBe('through the handle that came back');
    thread.post('go');
    expect(await within('receiving', pull.recv('utf8'))).toBe('from the thread');
    await thread.ended('the thread ends');
  });
});

it('a shared socket stays until the thread that opened it ends, though that has let go of it', async () => {
  const owner = spawn(async ({ zmq, turn }, endpoint, port) => {
    const share = (): unknown => {
      const pull = new zmq.Pull();
      pull.bind(endpoint);
      return pull.share();
    };
    const handle = share();
    for (let n = 0; n < 10; n += 1) {
      globalThis.gc!();
      await turn();
    }
    port.postMessage(handle);
    await new Promise((resolve) => port.once('message', resolve));
  }, endpoints.inproc());
  const attached = Socket.attach(await owner.message('its handle'));
  const push = ofTest(new Push());
  push.connect(attached.lastEndpoint!);
  await push.send('x');
  expect(await within('receiving', attached.recv('utf8'))).toBe('x');
  const receiving = attached.recv();
  const failed = expect(within('a receive on it', receiving)).rejects.toThrow(SocketClosedError);
  owner.post('end');
  await failed;
  await owner.ended('the owner ends');
});
