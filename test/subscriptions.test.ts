/** What subscriptions let through, with publishers and subscribers of libzmq in C and of pyzmq. */
import { describe, expect, test } from 'vitest';

import { Publisher, type Socket, Subscriber, XPublisher, XSubscriber } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, pattern, startPeer, verify } from './peers/index.js';

const TOPICS = ['a', 'ab', 'abc', 'b', ''];
const ROUNDS = 40;
const COUNT = TOPICS.length * ROUNDS;
const SIZE = 24;

/** Numbers of the messages that go out under a topic that one of `prefixes` begins. */
function expectedFor(prefixes: readonly string[], from = 0): number[] {
  return Array.from({ length: COUNT }, (_, n) => n).filter(
    (n) => n >= from && prefixes.some((prefix) => TOPICS[n % TOPICS.length]!.startsWith(prefix)),
  );
}

/** Receives message after message and holds it against what should come. */
async function expectMessages(
  socket: Pick<Socket, 'recvMultipart'>,
  numbers: readonly number[],
): Promise<void> {
  for (const n of numbers) {
    const [topic, ...frames] = await within(`message ${n} comes`, socket.recvMultipart());
    expect(String(topic), `the topic of message ${n}`).toBe(TOPICS[n % TOPICS.length]);
    verify(frames, n, [SIZE]);
  }
}

const CASES: { name: string; topics: string[]; prefixes: string[] }[] = [
  { name: 'one topic and what it begins', topics: ['ab'], prefixes: ['ab'] },
  { name: 'several topics', topics: ['abc', 'b'], prefixes: ['abc', 'b'] },
  { name: 'no topic, which is everything', topics: [], prefixes: [''] },
  { name: 'topics that include one another, each message once', topics: ['a', 'ab', ''], prefixes: [''] },
];

describe.each([
  ['c', 'tcp'],
  ['python', 'ipc'],
] as const)('with a %s publisher over %s', (language, transport) => {
  describe.each([
    ['SUB', () => new Subscriber()],
    ['XSUB', () => new XSubscriber()],
  ] as const)('%s', (_type, make) => {
    test.each(CASES)('subscribes to $name', async ({ topics, prefixes }) => {
      const socket = ofTest(make());
      socket.subscribe(...topics);
      const peer = await startPeer(language, 'xpub', {
        bind: endpoints[transport](),
        count: COUNT,
        topic: TOPICS,
        size: SIZE,
        subscribers: Math.max(1, topics.length),
      });
      socket.connect(peer.endpoint);
      await expectMessages(socket, expectedFor(prefixes));
      expect((await peer.result()).sent).toBe(COUNT);
      const heard = peer.events.filter(({ event }) => event === 'subscribe').map(({ topic }) => topic);
      expect(heard.sort()).toEqual((topics.length === 0 ? [''] : [...topics]).sort());
    });

    test('subscribes while connected, and takes it back', async () => {
      const socket = ofTest(make());
      const peer = await startPeer(language, 'xpub', {
        bind: endpoints[transport](),
        count: COUNT,
        topic: TOPICS,
        size: SIZE,
        subscribers: 4, // the last comes after everything else
        hold: true,
        untilUnsubscribed: true,
      });
      socket.connect(peer.endpoint);
      socket.subscribe('a', 'ab');
      expect([(await peer.event('subscribe')).topic, (await peer.event('subscribe')).topic].sort()).toEqual([
        'a',
        'ab',
      ]);
      socket.unsubscribe('a');
      expect((await peer.event('unsubscribe')).topic).toBe('a');
      socket.subscribe();
      socket.unsubscribe();
      socket.subscribe('b');
      peer.go();
      const numbers = expectedFor(['ab', 'b']);
      // Until 'go' it repeats a message to show that it is there.
      let message = await within('the first message comes', socket.recvMultipart());
      while (String(message[1]) === 'sync') {
        expect(['ab', 'abc', 'b'], 'the topic of a sync').toContain(String(message[0]));
        message = await within('message 0 comes', socket.recvMultipart());
      }
      verify(message.slice(1), numbers[0]!, [SIZE]);
      await expectMessages(socket, numbers.slice(1));
      socket.unsubscribe('ab', 'b');
      await peer.result();
    });
  });
});

describe.each([
  ['c', 'ipc'],
  ['python', 'tcp'],
] as const)('with a %s subscriber over %s', (language, transport) => {
  async function publish(socket: Pick<Socket, 'send'>): Promise<void> {
    for (let n = 0; n < COUNT; n++) {
      await within(
        `message ${n} is accepted`,
        socket.send([TOPICS[n % TOPICS.length]!, pattern(n, 0, SIZE)]),
      );
    }
  }

  test('XPUB hears subscriptions come and go, and sends what was asked for', async () => {
    const socket = ofTest(new XPublisher());
    const endpoint = socket.bind(endpoints[transport]());
    const numbers = expectedFor(['ab', 'b']);
    const peer = await startPeer(language, 'xsub', {
      connect: endpoint,
      count: numbers.length,
      topic: ['ab', 'b'],
      size: SIZE,
    });
    const heard = [1, 2].map(() => within('a subscription comes', socket.recv('utf8')));
    expect(await Promise.all(heard)).toEqual(['\x01ab', '\x01b']);
    await publish(socket);
    expect(await peer.result()).toMatchObject({
      received: numbers.length,
      first: numbers[0],
      last: numbers.at(-1),
    });
    const gone = [1, 2].map(() => within('a subscription is taken back', socket.recv('utf8')));
    expect((await Promise.all(gone)).sort()).toEqual(['\x00ab', '\x00b']);
  });

  test('PUB sends what was asked for', async () => {
    const socket = ofTest(new Publisher());
    const endpoint = socket.bind(endpoints[transport]());
    const numbers = expectedFor(['abc', 'b']);
    const peer = await startPeer(language, 'sub', {
      connect: endpoint,
      count: numbers.length,
      topic: ['abc', 'b'],
      size: SIZE,
    });
    let synced = false;
    const sync = peer.event('sync').finally(() => {
      synced = true;
    });
    // A PUB cannot see its subscribers. The two topics arrive together, in the order of the subscriptions.
    while (!synced) {
      await socket.send(['b', 'sync']);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await sync;
    await publish(socket);
    expect((await peer.result()).received).toBe(numbers.length);
  });
});

test('a publisher drops for a subscriber that is at its mark, and never waits', async () => {
  const publisher = ofTest(new XPublisher({ sendHighWaterMark: 10 }));
  const subscriber = ofTest(new Subscriber({ receiveHighWaterMark: 10 }));
  subscriber.subscribe();
  subscriber.connect(publisher.bind(endpoints.inproc()));
  await within('the subscription comes', publisher.recv());
  for (let n = 0; n < 1000; n++) {
    await within(`message ${n} is accepted`, publisher.send(pattern(n, 0, SIZE)));
  }
  let received = 0;
  while (subscriber.tryRecv() !== undefined) received += 1;
  expect(received).toBeGreaterThan(0);
  expect(received, 'messages that were not dropped').toBeLessThan(100);
});

test('XPUB with noDrop waits for a subscriber that is at its mark', async () => {
  const publisher = ofTest(new XPublisher({ sendHighWaterMark: 10, noDrop: true }));
  const subscriber = ofTest(new Subscriber({ receiveHighWaterMark: 10 }));
  subscriber.subscribe();
  subscriber.connect(publisher.bind(endpoints.inproc()));
  await within('the subscription comes', publisher.recv());
  const sends = Array.from({ length: 1000 }, (_, n) => publisher.send(pattern(n, 0, SIZE)));
  expect(publisher.trySend('more')).toBe(false);
  for (let n = 0; n < 1000; n++) {
    verify(await within(`message ${n} comes`, subscriber.recvMultipart()), n, [SIZE]);
  }
  await within('all sends settle', Promise.all(sends));
});
