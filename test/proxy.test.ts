/** What a proxy moves, between peers in C and Python; and what it says of it. */
import { describe, expect, it } from 'vitest';

import {
  type CommonSocket,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  proxy,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
  Proxy as ZmqProxy,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints, startPeer } from './peers/index.js';
import { counted, proxied, terminated } from './proxies.js';

const LANGUAGES = ['c', 'python'] as const;

describe('requests: ROUTER and DEALER', () => {
  it.each(LANGUAGES)(
    'REQ and REP peers in %s talk through it, and every byte is counted',
    async (language) => {
      const { broker, front, back } = proxied(new Router(), new Dealer());
      const servers = await Promise.all(
        [1, 2].map(() => startPeer(language, 'echo', { type: 'REP', connect: back })),
      );
      const clients = await Promise.all(
        [1, 2, 3].map(() =>
          startPeer(language, 'request', { connect: front, count: 200, shapes: [[1], [0, 70, 3], [40_000]] }),
        ),
      );
      let bytes = 0;
      for (const client of clients) {
        const result = await client.result();
        expect(result).toMatchObject({ ok: true, sent: 200, received: 200 });
        bytes += result.bytes;
      }
      const { frontend, backend } = await terminated(broker);
      // The delimiter is empty; on the way there is the id of the client, 5 bytes.
      const expected = { messages: 600, bytes: bytes + 600 * 5 };
      for (const side of [frontend, backend]) {
        expect(side).toEqual({
          messagesIn: expected.messages,
          bytesIn: expected.bytes,
          messagesOut: expected.messages,
          bytesOut: expected.bytes,
          undeliverable: 0,
        });
      }
      for (const server of servers) await server.stop();
    },
  );

  it('many requests under way at once, of many frames, all come back', async () => {
    const { broker, front, back } = proxied(new Router(), new Dealer());
    const server = await startPeer('c', 'echo', { connect: back });
    const sizes = Array.from({ length: 40 }, (_, n) => n * 7);
    const client = await startPeer('python', 'request', {
      type: 'DEALER',
      connect: front,
      count: 1000,
      window: 50,
      sizes,
    });
    expect(await client.result()).toMatchObject({ ok: true, sent: 1000, received: 1000 });
    expect((await terminated(broker)).backend).toMatchObject({ messagesIn: 1000, messagesOut: 1000 });
    await server.stop();
  });

  it('large messages pass unharmed', async () => {
    const { front, back } = proxied(new Router(), new Dealer());
    const server = await startPeer('python', 'echo', { connect: back });
    const client = await startPeer('c', 'request', {
      connect: front,
      count: 3,
      sizes: [20_000_000, 1, 9_000_000],
    });
    expect(await client.result()).toMatchObject({ ok: true, received: 3 });
    await server.stop();
  });

  it('a request for a peer that is gone is dropped and counted, and the others go on', async () => {
    const router = new Router({ mandatory: true });
    const { broker, front, back } = proxied(router, new Dealer());
    const service = ofTest(new Dealer());
    service.connect(back);
    await service.send(['nobody', '', 'lost']);
    const client = ofTest(new Dealer({ routingId: 'somebody' }));
    client.connect(front);
    await client.send('hello');
    const [id] = await within('the request arrives', service.recvMultipart());
    await service.send([id!, 'welcome']);
    expect(await within('the answer arrives', client.recv('utf8'))).toBe('welcome');
    const { frontend } = await terminated(broker);
    expect(frontend).toMatchObject({ messagesOut: 1, undeliverable: 1 });
  });
});

describe('publishing: XSUB and XPUB', () => {
  it.each(LANGUAGES)(
    'subscriptions of %s peers go one way, what they are for the other',
    async (language) => {
      const { broker, front, back } = proxied(new XSubscriber(), new XPublisher());
      const publisher = await startPeer(language, 'xpub', {
        connect: front,
        count: 500,
        size: 64,
        topic: ['a', 'b'],
        subscribers: 2,
      });
      const options = { connect: back, count: 250, size: 64 };
      const subscribers = await Promise.all(
        ['a', 'b'].map((topic) => startPeer(language, 'sub', { ...options, topic })),
      );
      for (const subscriber of subscribers) {
        expect(await subscriber.result()).toMatchObject({ ok: true, received: 250 });
      }
      expect(await publisher.result()).toMatchObject({ ok: true, sent: 500 });
      const { frontend, backend } = await terminated(broker);
      expect(frontend.messagesIn).toBe(500);
      expect(backend.messagesOut).toBe(500);
      expect(backend.messagesIn).toBeGreaterThanOrEqual(2);
      expect(frontend.messagesOut).toBe(backend.messagesIn);
    },
  );

  it('a SUB that subscribes while the proxy runs, and a PUB, do as well', async () => {
    const [upstream, frontend] = linked(new XPublisher(), new Subscriber());
    const [backend, subscriber] = linked(new Publisher(), new Subscriber());
    subscriber.subscribe('news');
    const forwarder = proxy(frontend, backend);
    frontend.subscribe('news');
    expect(String(await within('the subscription arrives', upstream.recv()))).toBe('\u0001news');
    let n = 0;
    const received = subscriber.recv('utf8');
    const sending = (async () => {
      // Until the subscriber's own subscription has arrived.
      while (!subscriber.closed && n >= 0) {
        await upstream.send(`news ${n++}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    expect(await within('news arrive', received)).toMatch(/^news \d+$/);
    n = Number.NEGATIVE_INFINITY;
    await sending;
    await forwarder.terminate();
  });
});

describe('work: PULL and PUSH', () => {
  it.each(LANGUAGES)('all that %s senders push arrives, in order, verified', async (language) => {
    const { broker, front, back } = proxied(new Pull(), new Push());
    const receiver = await startPeer(language, 'recv', {
      connect: back,
      count: 20_000,
      size: 100,
      frames: 2,
    });
    const sender = await startPeer(language, 'send', { connect: front, count: 20_000, size: 100, frames: 2 });
    expect(await receiver.result()).toMatchObject({ ok: true, received: 20_000, bytes: 4_000_000 });
    expect(await sender.result()).toMatchObject({ ok: true });
    expect(await terminated(broker)).toMatchObject({
      frontend: { messagesIn: 20_000, bytesIn: 4_000_000, messagesOut: 0, bytesOut: 0 },
      backend: { messagesIn: 0, bytesIn: 0, messagesOut: 20_000, bytesOut: 4_000_000 },
    });
  });

  it('a receiver that does not receive holds the sender up, and nothing is lost', async () => {
    const { broker, front, back } = proxied(
      new Pull({ receiveHighWaterMark: 5 }),
      new Push({ sendHighWaterMark: 5 }),
    );
    const push = ofTest(new Push({ sendHighWaterMark: 5, sendTimeout: 200 }));
    push.connect(front);
    const receiver = ofTest(new Pull({ receiveHighWaterMark: 5 }));
    receiver.connect(back);
    const payload = Buffer.alloc(50_000);
    let sent = 0;
    for (;;) {
      payload.writeUInt32LE(sent);
      try {
        await push.send(payload);
      } catch (error) {
        expect(error).toMatchObject({ code: 'EAGAIN' });
        break;
      }
      sent += 1;
      expect(sent, 'the sender is held up').toBeLessThan(5000);
    }
    for (let n = 0; n < sent; n += 1) {
      const message = await within(`message ${n} of ${sent}`, receiver.recv());
      expect(message.readUInt32LE()).toBe(n);
    }
    expect(receiver.tryRecv()).toBe(undefined);
    expect((await terminated(broker)).backend.messagesOut).toBe(sent);
  });

  it('the other way goes on while one is full', async () => {
    const { front, back } = proxied(
      new Dealer({ receiveHighWaterMark: 5, sendHighWaterMark: 5 }),
      new Dealer({ receiveHighWaterMark: 5, sendHighWaterMark: 5 }),
    );
    const one = ofTest(new Dealer({ sendHighWaterMark: 5, sendTimeout: 200 }));
    const other = ofTest(new Dealer({ receiveHighWaterMark: 5 }));
    one.connect(front);
    other.connect(back);
    let sent = 0;
    const full = async (): Promise<void> => {
      for (;;) {
        await one.send([`${sent}`, Buffer.alloc(50_000)]);
        sent += 1;
      }
    };
    await expect(within('the way is full', full(), 20_000)).rejects.toMatchObject({ code: 'EAGAIN' });
    for (let n = 0; n < 500; n += 1) {
      await other.send(`back ${n}`);
      expect(await within(`message ${n} comes back`, one.recv('utf8'))).toBe(`back ${n}`);
    }
    for (let n = 0; n < sent; n += 1) {
      const [number] = await within(`message ${n} of ${sent}`, other.recvMultipart());
      expect(Number(number)).toBe(n);
    }
  });
});

describe('other pairs', () => {
  it('one socket gets back what it received', async () => {
    const [router, dealer] = linked(new Router(), new Dealer());
    const echo = proxy(router, router);
    for (let n = 0; n < 100; n += 1) {
      await dealer.send(['echo', `${n}`]);
      expect((await within(`echo ${n}`, dealer.recvMultipart())).map(String)).toEqual(['echo', `${n}`]);
    }
    const { frontend, backend } = await terminated(echo);
    expect(frontend.messagesIn).toBe(100);
    expect(backend.messagesOut).toBe(100);
  });

  it('REP and REQ take turns', async () => {
    const { front, back } = proxied(new Reply(), new Request());
    const client = ofTest(new Request());
    const server = ofTest(new Reply());
    client.connect(front);
    server.connect(back);
    for (let n = 0; n < 50; n += 1) {
      await client.send(`${n}`);
      const request = await within(`request ${n}`, server.recv('utf8'));
      await server.send(`${request}!`);
      expect(await within(`reply ${n}`, client.recv('utf8'))).toBe(`${n}!`);
    }
  });

  it('the frontend may be the one that sends', async () => {
    const { front, back } = proxied(new Push(), new Pull());
    const [push, pull] = [ofTest(new Push()), ofTest(new Pull())];
    push.connect(back);
    pull.connect(front);
    await push.send('backwards');
    expect(await within('it arrives', pull.recv('utf8'))).toBe('backwards');
  });

  it('joins inproc and tcp, and sockets of two contexts', async () => {
    const frontend = ofTest(new Pair());
    const backend = ofTest(new Pair());
    const [left, right] = [ofTest(new Pair()), ofTest(new Pair())];
    left.connect(frontend.bind(endpoints.inproc()));
    right.connect(backend.bind(endpoints.tcp()));
    const bridge = proxy(frontend, backend);
    await left.send(['over', 'the bridge']);
    expect((await within('over', right.recvMultipart())).map(String)).toEqual(['over', 'the bridge']);
    await right.send('and back');
    expect(await within('back', left.recv('utf8'))).toBe('and back');
    await bridge.terminate();
  });

  const refused: [CommonSocket, CommonSocket, RegExp][] = [
    [new Pull(), new Pull(), /such as ROUTER and DEALER.* got PULL and PULL/],
    [new Push(), new Push(), /got PUSH and PUSH/],
    [new Publisher(), new Push(), /got PUB and PUSH/],
    [new Subscriber(), new XPublisher(), /passes on the subscriptions of the XPUB.*got SUB/],
    [new XPublisher(), new Pull(), /got PULL/],
  ];
  it.each(refused.map(([a, b, text]) => ({ name: `${a.type} and ${b.type}`, a, b, text })))(
    'refuses $name',
    ({ a, b, text }) => {
      expect(() => proxy(ofTest(a), ofTest(b))).toThrow(text);
      expect(() => proxy(a, b)).toThrow(expect.objectContaining({ name: 'ArgumentError' }));
    },
  );
});

describe('capture', () => {
  it.each([
    ['PUSH', () => linked(new Push(), new Pull())],
    ['PAIR', () => linked(new Pair(), new Pair())],
    ['DEALER', () => linked(new Dealer(), new Dealer())],
  ] as const)('%s gets every message of both ways, as it was', async (_, make) => {
    const [capture, captured] = make();
    const { broker, front, back } = proxied(new Router(), new Dealer(), { capture });
    const server = await startPeer('c', 'echo', { connect: back });
    const client = ofTest(new Dealer({ routingId: 'me' }));
    client.connect(front);
    const expected: Buffer[][] = [];
    for (let n = 0; n < 200; n += 1) {
      const frames = [Buffer.alloc(n * 50, n), Buffer.from(`${n}`), Buffer.alloc(0)];
      await client.send(frames);
      await within(`reply ${n}`, client.recvMultipart());
      const message = [Buffer.from('me'), ...frames];
      expected.push(message, message);
    }
    for (const [n, message] of expected.entries()) {
      const frames = await within(`captured ${n}`, captured.recvMultipart());
      const same = frames.length === message.length && frames.every((frame, i) => message[i]!.equals(frame));
      expect(same, `captured ${n} is what went through`).toBe(true);
    }
    const bytes = expected.flat().reduce((sum, frame) => sum + frame.length, 0);
    expect((await terminated(broker)).captured).toEqual({ messages: 400, bytes });
    await server.stop();
  });

  it('PUB drops what nobody wants, and is in nobody’s way', async () => {
    const capture = ofTest(new Publisher());
    const { broker, front, back } = proxied(new Pull(), new Push(), { capture });
    const receiver = await startPeer('c', 'recv', { connect: back, count: 5000, size: 10 });
    await startPeer('c', 'send', { connect: front, count: 5000, size: 10 });
    expect(await receiver.result()).toMatchObject({ ok: true, received: 5000 });
    expect((await terminated(broker)).captured.messages).toBe(5000);
  });

  it('a full one holds everything up, and nothing is lost or twice', async () => {
    const [capture, captured] = linked(
      new Push({ sendHighWaterMark: 3 }),
      new Pull({ receiveHighWaterMark: 3 }),
    );
    const { front, back } = proxied(new Pull(), new Push(), { capture });
    const [push, pull] = [ofTest(new Push()), ofTest(new Pull())];
    push.connect(front);
    pull.connect(back);
    for (let n = 0; n < 1000; n += 1) await push.send([`${n}`, Buffer.alloc(20_000)]);
    const take = async (from: Pull): Promise<void> => {
      for (let n = 0; n < 1000; n += 1) {
        expect(Number((await within(`message ${n}`, from.recvMultipart()))[0])).toBe(n);
      }
    };
    await Promise.all([take(pull), take(captured)]);
  });

  it('may be given in place of options, as for zmq_proxy', async () => {
    const [frontend, source] = linked(new Pull(), new Push());
    const [backend] = linked(new Push(), new Pull());
    const [capture, captured] = linked(new Push(), new Pull());
    const streamer = proxy(frontend, backend, capture);
    expect(streamer.capture).toBe(capture);
    await source.send('copied');
    expect(await within('the copy', captured.recv('utf8'))).toBe('copied');
    await streamer.terminate();
    expect(() => proxy(frontend, backend, ofTest(new Pull()))).toThrow(/^options.capture: expected a PUB/);
  });

  it('refuses other types, and the proxied sockets themselves', () => {
    const [front, back] = [ofTest(new Dealer()), ofTest(new Router())];
    for (const capture of [
      ofTest(new Pull()),
      ofTest(new Router()),
      ofTest(new Request()),
      ofTest(new XPublisher()),
    ]) {
      expect(() => new ZmqProxy(front, back, { capture })).toThrow(
        `options.capture: expected a PUB, PUSH, PAIR or DEALER socket, got ${capture.type}`,
      );
    }
    expect(() => new ZmqProxy(front, back, { capture: front })).toThrow(/a socket of its own/);
    for (const capture of [null, 5, {}]) {
      expect(() => new ZmqProxy(front, back, { capture } as never)).toThrow(
        /^options.capture: expected a socket/,
      );
    }
  });
});

describe('statistics', () => {
  it('count what has arrived, at once', async () => {
    const { broker, front, back } = proxied(new Pull(), new Push());
    const [push, pull] = [ofTest(new Push()), ofTest(new Pull())];
    push.connect(front);
    pull.connect(back);
    expect(broker.statistics()).toEqual(counted([0, 0], [0, 0], [0, 0], [0, 0]));
    for (let n = 1; n <= 300; n += 1) {
      await push.send([Buffer.alloc(7), Buffer.alloc(n % 3)]);
      await within(`message ${n}`, pull.recvMultipart());
      expect(broker.statistics().backend.messagesOut, 'it is counted once it was received').toBe(n);
    }
    const all = counted([300, 2400], [0, 0], [0, 0], [300, 2400]);
    expect(broker.statistics()).toEqual(all);
    expect(await terminated(broker)).toEqual(all);
    expect(broker.statistics()).toEqual(all);
  });
});
