/** Monitor events: what happens to a socket's connections. */
import { connect } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import {
  ArgumentError,
  Context,
  Dealer,
  Pull,
  Push,
  Router,
  Socket,
  SocketClosedError,
  type SocketEvent,
  type SocketEventType,
  ZmqError,
} from 'zeromq-threads';

import { turn, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';
import { spawn } from './threads.js';

/** Collects a socket's events by a listener, and waits for some. */
class Collected {
  readonly all: SocketEvent[] = [];
  #changed = (): void => {};

  constructor(socket: { events: Socket['events'] }) {
    socket.events.on('event', (event) => {
      this.all.push(event);
      this.#changed();
    });
  }

  get types(): SocketEventType[] {
    return this.all.map(({ type }) => type);
  }

  async until<Type extends SocketEventType>(type: Type): Promise<Extract<SocketEvent, { type: Type }>> {
    const find = () => this.all.find((event) => event.type === type);
    const found = new Promise<SocketEvent>((resolve) => {
      this.#changed = () => {
        const event = find();
        if (event !== undefined) resolve(event);
      };
      this.#changed();
    });
    return (await within(`event '${type}' (so far: ${this.types.join(', ')})`, found)) as Extract<
      SocketEvent,
      { type: Type }
    >;
  }
}

describe('socket.events', () => {
  it('is there in every thread of a context', async () => {
    const mine = ofTest(new Pull());
    const collected = new Collected(mine);
    const endpoint = mine.bind(endpoints.tcp());
    const others = Array.from({ length: 3 }, () =>
      spawn(async ({ zmq, within }, address, port) => {
        const push = new zmq.Push({ linger: 0 });
        const connected = new Promise((resolve) => push.events.once('handshake', resolve));
        push.connect(address);
        await within('the handshake', connected);
        port.postMessage(push.peers.handshakes);
        push.close();
      }, endpoint),
    );
    for (const [index, other] of others.entries()) {
      expect(await other.message(`thread ${index} sees its connection`)).toBe(1);
      await other.ended(`thread ${index} ends`);
    }
    await collected.until('handshake');
  });

  it('tells the binding side: bind, accept, handshake, disconnect, close', async () => {
    const pull = ofTest(new Pull());
    const collected = new Collected(pull);
    const endpoint = pull.bind(endpoints.tcp());
    expect(await collected.until('bind')).toMatchObject({ address: endpoint, fd: expect.any(Number) });
    const push = new Push();
    push.connect(endpoint);
    expect((await collected.until('accept')).fd).toBeGreaterThan(0);
    expect((await collected.until('handshake')).address).toMatch(/^tcp:\/\//);
    push.close();
    await collected.until('disconnect');
    pull.unbind(endpoint);
    expect((await collected.until('close')).address).toBe(endpoint);
    const order = ['bind', 'accept', 'handshake', 'disconnect', 'close'] as const;
    expect(collected.types.filter((type) => order.includes(type as never))).toEqual(order);
  });

  it('tells the connecting side: connect:delay, connect, handshake, disconnect, connect:retry', async () => {
    const router = ofTest(new Router());
    const endpoint = router.bind(endpoints.tcp());
    const dealer = ofTest(new Dealer({ reconnectInterval: 5 }));
    const collected = new Collected(dealer);
    dealer.connect(endpoint);
    const delay = await collected.until('connect:delay');
    expect(delay).toMatchObject({ address: endpoint, code: 'EINPROGRESS', errno: expect.any(Number) });
    expect((await collected.until('connect')).address).toBe(endpoint);
    expect((await collected.until('handshake')).address).toBe(endpoint);
    router.close();
    await collected.until('disconnect');
    expect((await collected.until('connect:retry')).interval).toBeGreaterThan(0);
  });

  it('tells of a peer that does not speak ZeroMQ', async () => {
    const pull = ofTest(new Pull());
    const collected = new Collected(pull);
    const endpoint = pull.bind(endpoints.tcp());
    const client = connect(Number(endpoint.split(':').at(-1)), '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await collected.until('accept');
    client.end();
    const types = ['handshake:error:other', 'handshake:error:protocol', 'disconnect'] as const;
    await within('an end to that connection', Promise.any(types.map((type) => collected.until(type))));
  });

  it('tells of failed authentication', async () => {
    const server = ofTest(new Pull({ plainServer: true, zapDomain: 'test' }));
    const handler = ofTest(new Socket('REP'));
    handler.bind('inproc://zeromq.zap.01');
    void (async () => {
      for await (const [version, id] of handler) {
        await handler.send([version!, id!, '400', 'no', '', '']);
      }
    })();
    const client = ofTest(new Push({ plainUsername: 'me', plainPassword: 'secret' }));
    const collected = new Collected(client);
    const atServer = new Collected(server);
    client.connect(server.bind(endpoints.tcp()));
    expect(await collected.until('handshake:error:auth')).toMatchObject({
      status: 400,
      reason: 'authentication failure',
    });
    await atServer.until('accept');
    expect(collected.types).not.toContain('handshake');
  });

  it('names the error of a peer that breaks the protocol', async () => {
    const server = ofTest(new Pull({ plainServer: true }));
    const collected = new Collected(server);
    ofTest(new Push()).connect(server.bind(endpoints.tcp()));
    expect(await collected.until('handshake:error:protocol')).toMatchObject({
      protocol: 0x11000002,
      reason: 'ZMTP_MECHANISM_MISMATCH',
    });
  });

  it('tells of a bind that failed', async () => {
    const taken = ofTest(new Pull()).bind(endpoints.tcp());
    const pull = ofTest(new Pull());
    const collected = new Collected(pull);
    expect(() => pull.bind(taken)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
    expect(await collected.until('bind:error')).toMatchObject({ code: 'EADDRINUSE' });
  });

  it('can be looped over, and the loop ends with the socket', async () => {
    const pull = ofTest(new Pull());
    const { events } = pull;
    const endpoint = pull.bind(endpoints.tcp());
    ofTest(new Push()).connect(endpoint);
    const seen: SocketEventType[] = [];
    const loop = (async () => {
      for await (const event of events) {
        seen.push(event.type);
        if (event.type === 'handshake') setImmediate(() => pull.close());
      }
      return 'ended';
    })();
    expect(await within('the loop ends', loop)).toBe('ended');
    expect(seen).toEqual(['bind', 'accept', 'handshake', 'end']);
  });

  it('keeps events from its first use on until somebody asks for them', async () => {
    const pull = ofTest(new Pull());
    const { events } = pull;
    const endpoint = pull.bind(endpoints.tcp());
    const push = ofTest(new Push());
    push.connect(endpoint);
    await push.send('x');
    await within('receiving', pull.recv());
    const seen: SocketEventType[] = [];
    for await (const { type } of events) {
      seen.push(type);
      if (type === 'handshake') break;
    }
    expect(seen).toEqual(['bind', 'accept', 'handshake']);
    // break leaves the rest for the next loop.
    push.close();
    for await (const { type } of events) {
      expect(type).toBe('disconnect');
      break;
    }
  });

  it('is the same object every time', () => {
    const pull = ofTest(new Pull());
    expect(pull.events).toBe(pull.events);
  });

  it('once is for one event, and off takes a listener back', async () => {
    const pull = ofTest(new Pull());
    const bound: string[] = [];
    const off: SocketEvent[] = [];
    const unwanted = (event: SocketEvent): void => void off.push(event);
    pull.events.once('bind', ({ address }) => void bound.push(address));
    expect(pull.events.on('event', unwanted)).toBe(pull.events);
    expect(pull.events.off('event', unwanted)).toBe(pull.events);
    const collected = new Collected(pull);
    const first = pull.bind(endpoints.tcp());
    pull.bind(endpoints.tcp());
    pull.unbind(pull.lastEndpoint!);
    await collected.until('close');
    expect(bound).toEqual([first]);
    expect(off).toEqual([]);
  });

  it("tells listeners of the end when the socket closes, and calls 'event' listeners after the others", async () => {
    const pull = ofTest(new Pull());
    const order: string[] = [];
    const ended = new Promise<void>((resolve) => {
      pull.events.on('event', ({ type }) => {
        order.push(`event ${type}`);
        if (type === 'end') resolve();
      });
      pull.events.on('bind', () => void order.push('bind'));
      pull.events.on('end', () => void order.push('end'));
    });
    const bound = new Promise<void>((resolve) => void pull.events.once('bind', () => resolve()));
    pull.bind(endpoints.tcp());
    await within('bind', bound);
    pull.close();
    await within('the end', ended);
    expect(order).toEqual(['bind', 'event bind', 'end', 'event end']);
  });

  it('does not split events between a loop and listeners', async () => {
    const listened = ofTest(new Pull());
    listened.events.on('bind', () => {});
    const busy = expect.objectContaining({ code: 'EBUSY', name: 'ZmqError' });
    expect(() => listened.events[Symbol.asyncIterator]()).toThrow(busy);
    const looped = ofTest(new Pull());
    const loop = (async () => {
      for await (const { type } of looped.events) return type;
      return undefined;
    })();
    const never = (): void => {
      throw new Error('a refused listener was called');
    };
    expect(() => looped.events.on('bind', never)).toThrow(busy);
    expect(() => looped.events.once('event', never)).toThrow(busy);
    looped.bind(endpoints.tcp());
    expect(await within('the loop gets the event', loop)).toBe('bind');
    const collected = new Collected(looped); // the loop is over
    looped.bind(endpoints.tcp());
    await collected.until('bind');
  });

  it('belongs to sockets of any context, and does not keep the context from closing', async () => {
    const context = new Context();
    const pull = new Pull({ context });
    const collected = new Collected(pull);
    pull.bind(endpoints.tcp());
    await collected.until('bind');
    await within('closing the context', context.close());
    await collected.until('end');
    expect(pull.closed).toBe(true);
  });

  it('lets sockets close whose events nobody reads, or reads any more', async () => {
    const context = new Context();
    const unread = new Pull({ context });
    void unread.events;
    unread.bind(endpoints.tcp());
    unread.close();
    const left = new Pull({ context });
    const { events } = left;
    left.bind(endpoints.tcp());
    for await (const _ of events) break;
    left.close();
    const collected = new Pull({ context });
    collected.events.once('bind', () => {});
    collected.bind(endpoints.tcp());
    collected.close();
    // libzmq waits for ever in its own threads when it has an event that nobody can receive.
    for (let round = 0; round < 5; round += 1) {
      const peer = new Push({ context });
      const watched = new Pull({ context });
      void watched.events;
      peer.connect(watched.bind(endpoints.tcp()));
      await peer.send('x');
      await within(`round ${round}: the message arrives`, watched.recv());
      watched.close();
      peer.close();
    }
    await within('closing the context', context.close({ timeout: 5000 }));
  });

  it('keeps a socket from being collected while somebody listens', async () => {
    let accepted = (): void => {};
    const event = new Promise<void>((resolve) => {
      accepted = resolve;
    });
    const endpoint = ((): string => {
      const pull = new Pull();
      pull.events.once('accept', () => {
        accepted();
        pull.close();
      });
      return pull.bind(endpoints.tcp());
    })();
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc!();
      await turn();
    }
    ofTest(new Push()).connect(endpoint);
    await within('the event of a socket that nobody else knows', event);
  });

  it('is refused where the socket is closed, or was attached to', () => {
    const pull = ofTest(new Pull());
    const attached = ofTest(Socket.attach(pull.share()));
    expect(() => attached.events).toThrow(expect.objectContaining({ code: 'ENOTSUP', name: 'ZmqError' }));
    pull.close();
    expect(() => pull.events).toThrow(SocketClosedError);
  });

  it.each<[string, unknown, unknown, RegExp]>([
    [
      'an unknown type',
      'connected',
      () => {},
      /^type: expected one of connect, .*, event, got string 'connected'$/,
    ],
    ['no type', undefined, () => {}, /^type: expected one of .*, got undefined$/],
    ['an inherited name', 'toString', () => {}, /^type: expected one of /],
    ['no listener', 'connect', undefined, /^listener: expected a function, got undefined$/],
    ['a listener that is none', 'connect', 'log', /^listener: expected a function, got string 'log'$/],
  ])('refuses %s', (_, type, listener, message) => {
    const pull = ofTest(new Pull());
    for (const method of ['on', 'once', 'off'] as const) {
      expect(() => pull.events[method](type as never, listener as never)).toThrow(ArgumentError);
      expect(() => pull.events[method](type as never, listener as never)).toThrow(message);
    }
    expect(() => pull.events.on('connect', () => {})).not.toThrow(ZmqError);
  });
});
