/** Making sockets: types, aliases, typed classes, and what each type lacks. */
import { constants } from 'node:os';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  ArgumentError,
  Context,
  ContextClosedError,
  capability,
  context,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Socket,
  type SocketOptions,
  type SocketTypeName,
  Stream,
  Subscriber,
  version,
  XPublisher,
  XSubscriber,
  ZmqError,
} from 'zeromq-threads';

import { ofTest } from './linked.js';

const classes = {
  PAIR: Pair,
  PUB: Publisher,
  SUB: Subscriber,
  REQ: Request,
  REP: Reply,
  DEALER: Dealer,
  ROUTER: Router,
  PULL: Pull,
  PUSH: Push,
  XPUB: XPublisher,
  XSUB: XSubscriber,
  STREAM: Stream,
};
type Name = keyof typeof classes;
const names = Object.keys(classes) as Name[];

const aliases = { XREQ: 'DEALER', XREP: 'ROUTER', UPSTREAM: 'PULL', DOWNSTREAM: 'PUSH' } as const;

const cannotSend = new Set<Name>(['SUB', 'PULL']);
const cannotReceive = new Set<Name>(['PUB', 'PUSH']);
const canSubscribe = new Set<Name>(['SUB', 'XSUB']);

/** A socket of a type with every method of Socket, typed or not: what it lacks must say so when it is called. */
function anySocket(name: Name): Socket {
  return ofTest(new classes[name]()) as unknown as Socket;
}

async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  return undefined;
}

function newContext(): Context {
  const made = new Context();
  onTestFinished(() => made.close({ timeout: 5000 }));
  return made;
}

describe('new Socket(type)', () => {
  it.each(names)('makes a %s socket', (name) => {
    const socket = ofTest(new Socket(name));
    expect(socket.type).toBe(name);
    expect(socket.closed).toBe(false);
    expect(socket.context).toBe(context());
    expect(socket.lastEndpoint).toBe(null);
  });

  it.each(Object.entries(aliases))('takes the old name %s for %s', (alias, name) => {
    expect(ofTest(new Socket(alias as SocketTypeName)).type).toBe(name);
  });

  it('takes options after the type', () => {
    const socket = ofTest(new Socket('PULL', { receiveHighWaterMark: 7, linger: 5, receiveTimeout: 9 }));
    expect(socket.receiveHighWaterMark).toBe(7);
    expect(socket.linger).toBe(5);
    expect(socket.receiveTimeout).toBe(9);
  });

  it('takes a context before the type', () => {
    const own = newContext();
    const socket = ofTest(new Socket(own, 'ROUTER', { linger: 3 }));
    expect(socket.context).toBe(own);
    expect(socket.type).toBe('ROUTER');
    expect(socket.linger).toBe(3);
    expect(ofTest(new Socket(own, 'XREP')).context).toBe(own);
  });

  it('takes a context among the options', () => {
    const own = newContext();
    expect(ofTest(new Socket('PUSH', { context: own })).context).toBe(own);
    expect(ofTest(new Push({ context: own })).context).toBe(own);
  });

  it('ignores options that are undefined', () => {
    const socket = ofTest(new Pull({ receiveHighWaterMark: undefined, context: undefined, linger: 1 }));
    expect(socket.receiveHighWaterMark).toBe(1000);
    expect(socket.context).toBe(context());
  });

  it('takes options that are frozen, or without a prototype', () => {
    const bare = Object.assign(Object.create(null) as SocketOptions<'PULL'>, { receiveHighWaterMark: 3 });
    expect(ofTest(new Pull(bare)).receiveHighWaterMark).toBe(3);
    expect(ofTest(new Pull(Object.freeze({ receiveHighWaterMark: 4 }))).receiveHighWaterMark).toBe(4);
  });

  it.each(['pull', 'ZMQ_PULL', 'Pull'])('refuses %s and suggests the right name', (name) => {
    expect(() => new Socket(name as SocketTypeName)).toThrow(ArgumentError);
    expect(() => new Socket(name as SocketTypeName)).toThrow(
      /^type: expected one of .* did you mean 'PULL'\?/,
    );
  });

  it.each([undefined, null, 7, {}, [], 'NOPE', 'constructor', '__proto__'])(
    'refuses %s as a type',
    (name) => {
      expect(() => new Socket(name as never)).toThrow(ArgumentError);
      expect(() => new Socket(name as never)).toThrow(/^type: expected one of PAIR, PUB, .*, got /);
    },
  );

  it
    .skipIf(capability.draft)
    .each(['SERVER', 'CLIENT', 'RADIO', 'DISH', 'GATHER', 'SCATTER', 'DGRAM', 'PEER', 'CHANNEL'] as const)(
    'refuses the draft type %s where libzmq does not have it',
    (name) => {
      expect(() => new Socket(name)).toThrow(expect.objectContaining({ code: 'ENOTSUP' }));
      expect(() => new Socket(name)).toThrow(
        `${name} sockets need a libzmq that was built with its draft API; this one, ${version}, was not`,
      );
    },
  );

  it('refuses a closed context', async () => {
    const own = new Context();
    await own.close();
    expect(() => new Socket(own, 'PULL')).toThrow(ContextClosedError);
    expect(() => new Pull({ context: own })).toThrow(expect.objectContaining({ code: 'ETERM' }));
  });

  it('says how to word what fails when there are too many sockets', async () => {
    const own = new Context({ maxSockets: 1 });
    onTestFinished(() => own.close());
    ofTest(new Pull({ context: own }));
    const error = await errorOf(() => new Pull({ context: own }));
    expect(error).toBeInstanceOf(ZmqError);
    expect(error).toMatchObject({ code: 'EMFILE', errno: constants.errno.EMFILE });
    expect((error as Error).message).toContain('Cannot create a PULL socket');
  });
});

describe('a typed class', () => {
  it.each(names)('makes a %s socket that is a Socket', (name) => {
    const socket = ofTest(new classes[name]());
    expect(socket).toBeInstanceOf(Socket);
    expect(socket).toBeInstanceOf(classes[name]);
    expect(socket.type).toBe(name);
    expect(socket.constructor.name).toBe(classes[name].name);
  });

  it('has the name that npm zeromq gives it', () => {
    expect(names.map((name) => classes[name].name)).toEqual([
      'Pair',
      'Publisher',
      'Subscriber',
      'Request',
      'Reply',
      'Dealer',
      'Router',
      'Pull',
      'Push',
      'XPublisher',
      'XSubscriber',
      'Stream',
    ]);
  });

  it('can be extended', () => {
    class Sink extends Pull {
      constructor() {
        super({ receiveHighWaterMark: 5 });
      }
    }
    const sink = ofTest(new Sink());
    expect(sink).toBeInstanceOf(Pull);
    expect(sink.receiveHighWaterMark).toBe(5);
  });

  it('tells two types apart by instanceof', () => {
    expect(ofTest(new Pull())).not.toBeInstanceOf(Push);
  });
});

// Every method that only some types have, and how it is called.
const sending: Record<string, (socket: Socket) => unknown> = {
  send: (socket) => socket.send('x'),
  sendMultipart: (socket) => socket.sendMultipart(['x']),
  trySend: (socket) => socket.trySend('x'),
  sendSync: (socket) => socket.sendSync('x'),
};
const receiving: Record<string, (socket: Socket) => unknown> = {
  recv: (socket) => socket.recv(),
  "recv('utf8')": (socket) => socket.recv('utf8'),
  recvMultipart: (socket) => socket.recvMultipart(),
  receive: (socket) => socket.receive(),
  tryRecv: (socket) => socket.tryRecv(),
  tryRecvMultipart: (socket) => socket.tryRecvMultipart(),
  recvSync: (socket) => socket.recvSync(),
  recvMultipartSync: (socket) => socket.recvMultipartSync(),
  batches: (socket) => socket.batches(),
  'for await': async (socket) => {
    for await (const _ of socket) break;
  },
};
const subscribing: Record<string, (socket: Socket) => unknown> = {
  subscribe: (socket) => socket.subscribe('x'),
  unsubscribe: (socket) => socket.unsubscribe('x'),
};

describe('what a type cannot do', () => {
  const cases: Array<[name: Name, method: string, call: (socket: Socket) => unknown]> = names.flatMap(
    (name) =>
      Object.entries({
        ...(cannotSend.has(name) ? sending : {}),
        ...(cannotReceive.has(name) ? receiving : {}),
        ...(canSubscribe.has(name) ? {} : subscribing),
      }).map(([method, call]): [Name, string, (socket: Socket) => unknown] => [name, method, call]),
  );

  it.each(cases)('%s: %s fails with ENOTSUP', async (name, method, call) => {
    const socket = anySocket(name);
    const error = await errorOf(() => call(socket));
    expect(error).toBeInstanceOf(ZmqError);
    expect(error).toMatchObject({ code: 'ENOTSUP', errno: constants.errno.ENOTSUP });
    expect((error as Error).message).toBe(
      `${method.replace(/\(.*/, '')} is not supported by ${name} sockets`,
    );
    expect(socket.closed).toBe(false);
  });

  it.each(names)('%s: a promise is rejected where a promise is due, not thrown', async (name) => {
    const socket = anySocket(name);
    const promises: Promise<unknown>[] = [];
    if (cannotSend.has(name)) promises.push(socket.send('x'), socket.sendMultipart(['x']));
    if (cannotReceive.has(name)) promises.push(socket.recv(), socket.recvMultipart(), socket.receive());
    await Promise.all(promises.map((promise) => expect(promise).rejects.toMatchObject({ code: 'ENOTSUP' })));
  });

  it('is never readable or writable', () => {
    for (const name of cannotSend) expect(anySocket(name).writable).toBe(false);
    for (const name of cannotReceive) expect(anySocket(name).readable).toBe(false);
  });

  it.each<[Name, string, unknown]>([
    ['PULL', 'sendHighWaterMark', 1],
    ['PUSH', 'receiveHighWaterMark', 1],
    ['PUSH', 'receiveTimeout', 1],
    ['PULL', 'sendTimeout', 1],
    ['DEALER', 'mandatory', true],
    ['PUB', 'routingId', 'me'],
    ['SUB', 'verbosity', 'allSubs'],
    ['ROUTER', 'correlate', true],
  ])('%s does not have the option %s', (name, option, value) => {
    const refused = expect.objectContaining({ code: 'ENOTSUP' });
    expect(() => new classes[name]({ [option]: value } as never)).toThrow(refused);
    const socket = anySocket(name);
    expect(() => socket.setOption(option, value as never)).toThrow(refused);
    expect(() => socket.getOption(option)).toThrow(refused);
    expect(() => {
      (socket as unknown as Record<string, unknown>)[option] = value;
    }).toThrow(refused);
    expect(() => socket.setOption(option, value as never)).toThrow(
      new RegExp(`'${option}'.* is not supported by ${name} sockets, only by `),
    );
  });
});
