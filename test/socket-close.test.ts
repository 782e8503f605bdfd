/** close(), dispose, and what a closed socket says. */
import { describe, expect, it } from 'vitest';

import {
  ArgumentError,
  Context,
  ContextClosedError,
  Message,
  Pair,
  Pull,
  Push,
  Router,
  Socket,
  SocketClosedError,
} from 'zeromq-threads';

import { turn, within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';
import { spawn } from './threads.js';

const closedError = expect.objectContaining({
  name: 'SocketClosedError',
  code: 'ENOTSOCK',
  errno: expect.any(Number),
  message: 'Socket is closed',
});

/** Every operation of a socket, but for those that do not need it to be open. */
const operations: Record<string, (socket: Socket) => unknown> = {
  bind: (socket) => socket.bind(endpoints.tcp()),
  connect: (socket) => socket.connect('tcp://127.0.0.1:9'),
  unbind: (socket) => socket.unbind('tcp://127.0.0.1:9'),
  disconnect: (socket) => socket.disconnect('tcp://127.0.0.1:9'),
  send: (socket) => socket.send('x'),
  'send of a large message': (socket) => socket.send(Message.alloc(100_000)),
  'send of several frames': (socket) => socket.send(['x', 'y']),
  'send with a timeout': (socket) => socket.send('x', { timeout: 5 }),
  sendMultipart: (socket) => socket.sendMultipart(['x']),
  trySend: (socket) => socket.trySend('x'),
  sendSync: (socket) => socket.sendSync('x'),
  recv: (socket) => socket.recv(),
  "recv('utf8')": (socket) => socket.recv('utf8'),
  'recv with a timeout': (socket) => socket.recv({ timeout: 0 }),
  recvMultipart: (socket) => socket.recvMultipart(),
  receive: (socket) => socket.receive(),
  tryRecv: (socket) => socket.tryRecv(),
  tryRecvMultipart: (socket) => socket.tryRecvMultipart(),
  recvSync: (socket) => socket.recvSync(),
  "recvSync('json')": (socket) => socket.recvSync('json'),
  recvMultipartSync: (socket) => socket.recvMultipartSync(),
  getOption: (socket) => socket.getOption('linger'),
  setOption: (socket) => socket.setOption('linger', 0),
  'an option property': (socket) => socket.linger,
  'setting an option property': (socket) => {
    socket.linger = 0;
  },
  lastEndpoint: (socket) => socket.lastEndpoint,
  share: (socket) => socket.share(),
  events: (socket) => socket.events,
};

describe('a closed socket', () => {
  it.each(Object.entries(operations))('%s fails with SocketClosedError', async (_, operation) => {
    const socket = new Socket('PAIR');
    socket.bind(endpoints.inproc());
    socket.close();
    await expect((async () => operation(socket))()).rejects.toEqual(closedError);
  });

  it('rejects where a promise is due, and throws where not', async () => {
    const socket = new Socket('PAIR');
    socket.close();
    const promises = [
      socket.send('x'),
      socket.sendMultipart(['x']),
      socket.recv(),
      socket.recvMultipart(),
      socket.receive(),
    ];
    for (const { status } of await Promise.allSettled(promises)) expect(status).toBe('rejected');
    expect(() => socket.trySend('x')).toThrow(closedError);
    expect(() => socket.tryRecv()).toThrow(closedError);
  });

  it('still says what it is, is neither readable nor writable, and loops over nothing', async () => {
    const [pair, other] = linked(new Pair(), new Pair(), endpoints.inproc());
    await other.send('never received');
    expect([pair.readable, pair.writable]).toEqual([true, true]);
    pair.close();
    expect(pair.closed).toBe(true);
    expect(pair.type).toBe('PAIR');
    expect([pair.readable, pair.writable]).toEqual([false, false]);
    for await (const _ of pair) throw new Error('a closed socket gave a message');
    for await (const _ of pair.batches()) throw new Error('a closed socket gave a batch');
  });

  it('keeps the messages that were received before', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('kept');
    const message = await within('receiving', pull.recv());
    pull.close();
    globalThis.gc!();
    await turn();
    expect(String(message)).toBe('kept');
    expect(message.metadata('Peer-Address')).toBe('127.0.0.1');
  });

  it('frees its port', async () => {
    const pull = new Pull();
    const endpoint = pull.bind(endpoints.tcp());
    pull.close();
    const other = ofTest(new Pull());
    await within(
      'the port is free again',
      (async () => {
        for (;;) {
          try {
            return other.bind(endpoint);
          } catch (error) {
            expect(error).toMatchObject({ code: 'EADDRINUSE' });
            await turn();
          }
        }
      })(),
    );
  });
});

describe('what another thread closed while this one was busy', () => {
  /** Has another thread close `what`, and blocks this one meanwhile, so that it does not hear of it. */
  async function closeElsewhere(what: Socket | Context): Promise<void> {
    const closed = new Int32Array(new SharedArrayBuffer(4));
    const thread = spawn(
      ({ zmq }, { handle, of, flag }, port) => {
        const attached = of === 'socket' ? zmq.Socket.attach(handle) : zmq.Context.attach(handle);
        port.postMessage('has it');
        port.once('message', () => {
          attached.close();
          Atomics.store(flag, 0, 1);
          Atomics.notify(flag, 0);
          port.close();
        });
      },
      { handle: what.share() as never, of: what instanceof Socket ? 'socket' : 'context', flag: closed },
    );
    await thread.message('the other thread has it');
    thread.post('close it');
    expect(Atomics.wait(closed, 0, 0, 10_000)).not.toBe('timed-out');
  }

  it.each(Object.entries(operations))('%s says that the socket is closed', async (_, operation) => {
    const socket = ofTest(new Socket('PAIR'));
    await closeElsewhere(socket);
    await expect((async () => operation(socket))()).rejects.toThrow(SocketClosedError);
  });

  it.each(Object.entries(operations))('%s says that the context is closed', async (_, operation) => {
    const context = new Context();
    const socket = new Socket('PAIR', { context });
    await closeElsewhere(context);
    await expect((async () => operation(socket))()).rejects.toThrow(ContextClosedError);
  });
});

describe('close', () => {
  it('returns nothing, can be awaited, and can be done again', async () => {
    const socket = new Pull();
    expect(socket.close()).toBe(undefined);
    await socket.close();
    socket.close({ linger: 0 });
    expect(socket.closed).toBe(true);
  });

  it('rejects everything that is pending, once each', async () => {
    const pair = new Pair({ sendHighWaterMark: 1 });
    pair.bind(endpoints.tcp());
    const pending: Promise<unknown>[] = [];
    for (let n = 0; n < 50; n += 1) {
      pending.push(
        pair.send(`${n}`),
        pair.recv(),
        pair.recvMultipart(),
        pair.recv('utf8', { timeout: 60_000 }),
      );
      pending.push(
        pair.send(['a', 'b'], { timeout: 60_000 }),
        pair.recv({ signal: new AbortController().signal }),
      );
    }
    const loop = (async () => {
      for await (const _ of pair) throw new Error('nothing was sent');
      return 'ended';
    })();
    const settled = Promise.allSettled(pending);
    await turn();
    pair.close();
    const outcomes = await within('all 300 settle', settled);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: closedError });
    expect(await within('the loop ends', loop)).toBe('ended');
  });

  it('in the middle of a multipart message does no harm', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    await push.send('first half', { more: true });
    push.close();
    const other = ofTest(new Push());
    other.connect(pull.lastEndpoint!);
    await other.send(['whole', 'message']);
    expect((await within('receiving', pull.recvMultipart())).map(String)).toEqual(['whole', 'message']);
    await other.send(['a', 'b', 'c']);
    expect(String(await within('the first frame', pull.recv()))).toBe('a');
    pull.close();
    await expect(pull.recv()).rejects.toEqual(closedError);
  });

  it('with linger still sends what was accepted', async () => {
    const endpoint = await endpoints.unboundTcp();
    const push = new Push();
    push.connect(endpoint);
    for (let n = 0; n < 100; n += 1) await push.send(`${n}`);
    push.close({ linger: 10_000 });
    const pull = ofTest(new Pull());
    pull.bind(endpoint);
    for (let n = 0; n < 100; n += 1) expect(await within(`message ${n}`, pull.recv('utf8'))).toBe(`${n}`);
  });

  it.each([2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 1e300])(
    'with linger %d, which is long, too',
    async (linger) => {
      const endpoint = await endpoints.unboundTcp();
      const push = new Push();
      push.connect(endpoint);
      await push.send('patience');
      push.close({ linger });
      const pull = ofTest(new Pull());
      pull.bind(endpoint);
      expect(await within('the message of a socket that lingers', pull.recv('utf8'))).toBe('patience');
    },
  );

  it('with linger 0 drops it', async () => {
    const endpoint = await endpoints.unboundTcp();
    const context = new Context();
    const push = new Push({ context });
    push.connect(endpoint);
    await push.send('dropped');
    push.close({ linger: 0 });
    await within('libzmq has closed it', context.close());
    const pull = ofTest(new Pull());
    pull.bind(endpoint);
    const other = ofTest(new Push());
    other.connect(endpoint);
    await other.send('kept');
    expect(await within('receiving', pull.recv('utf8'))).toBe('kept');
    expect(pull.tryRecv()).toBe(undefined);
  });

  it.each([-2, Number.NaN, Infinity, '5', null, 5n, {}])('refuses linger %s, and stays open', (linger) => {
    const socket = ofTest(new Pull());
    expect(() => socket.close({ linger: linger as never })).toThrow(ArgumentError);
    expect(() => socket.close({ linger: linger as never })).toThrow(
      /^linger: expected a number of milliseconds/,
    );
    expect(socket.closed).toBe(false);
  });

  it.each([null, 5, 'now', true])('refuses options that are %s, and stays open', (options) => {
    const socket = ofTest(new Pull());
    expect(() => socket.close(options as never)).toThrow(/^options: expected an object, got /);
    expect(socket.closed).toBe(false);
  });
});

describe('dispose', () => {
  it('closes, once or several times', async () => {
    const socket = new Router();
    socket[Symbol.dispose]();
    expect(socket.closed).toBe(true);
    socket[Symbol.dispose]();
    const other = new Router();
    expect(await other[Symbol.asyncDispose]()).toBe(undefined);
    expect(other.closed).toBe(true);
  });

  it('is what using calls', () => {
    let outer: Pull;
    {
      using pull = new Pull();
      outer = pull;
      expect(pull.closed).toBe(false);
    }
    expect(outer.closed).toBe(true);
  });

  it('is what await using calls, also after a throw', async () => {
    let outer: Pull | undefined;
    await expect(
      (async () => {
        await using pull = new Pull();
        outer = pull;
        throw new Error('on purpose');
      })(),
    ).rejects.toThrow('on purpose');
    expect(outer?.closed).toBe(true);
  });

  it('rejects what is pending, as close does', async () => {
    let pending: Promise<unknown>;
    {
      using pull = new Pull();
      pending = pull.recv();
    }
    await expect(within('the receive rejects', pending)).rejects.toThrow(SocketClosedError);
  });
});
