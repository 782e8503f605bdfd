/** Options of real sockets: every one of the table that libzmq takes, under all its names, and what some of them do. */
import { describe, expect, it } from 'vitest';

import {
  ArgumentError,
  capability,
  context,
  Dealer,
  type OptionValue,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Socket,
  type SocketTypeName,
  Stream,
  Subscriber,
  version,
  XPublisher,
  ZmqError,
} from 'zeromq-threads';
import type { SocketOptionEntry } from '../dist/src/option-entry.js';
import { optionNames } from '../dist/src/option-names.js';
import { SOCKET_OPTION_ENTRIES } from '../dist/src/option-table.js';

import { isPending, within } from './bounded.js';
import { linked, ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

const types: SocketTypeName[] = [
  ...([
    'PAIR',
    'PUB',
    'SUB',
    'REQ',
    'REP',
    'DEALER',
    'ROUTER',
    'PULL',
    'PUSH',
    'XPUB',
    'XSUB',
    'STREAM',
  ] as const),
];
const key = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';

/** Whether this libzmq has the option. */
function isThere(entry: SocketOptionEntry): boolean {
  const number = (release: string): number =>
    release.split('.').reduce((sum, part, index) => sum + Number(part) * 100 ** (2 - index), 0);
  return entry.draft !== true && number(entry.since) <= number(version);
}

/** Options that depend on more than libzmq: on how it was built, on privileges, or on the moment. */
const special = new Set([
  'fd',
  'events',
  'type',
  'interface',
  'useFd',
  'conflate',
  'subscribe',
  'unsubscribe',
]);
/** Options of parts that libzmq is usually built without. */
const ofOptionalPart = (name: string): boolean => /^(gssapi|vmci)/.test(name);

function sampleOf(entry: SocketOptionEntry): OptionValue | undefined {
  if (entry.name === 'affinity') return 1;
  if (entry.name === 'curveServer' || entry.name === 'plainServer') return true;
  if (entry.name.startsWith('ipcFilter') || entry.name === 'tcpAcceptFilter') return null;
  switch (entry.type) {
    case 'int':
      return Math.min(entry.max ?? 700, 700);
    case 'bool':
      return !(entry.default === true);
    case 'choice':
      return entry.values!.at(-1)!;
    case 'int64':
    case 'uint64':
      return 300;
    case 'string':
      return 'text';
    case 'binary':
      return 'bytes';
    case 'z85key':
      return key;
    default:
      return undefined;
  }
}

const entries = SOCKET_OPTION_ENTRIES.filter(
  (entry) => isThere(entry) && !special.has(entry.name) && !ofOptionalPart(entry.name),
);
const typesOf = (entry: SocketOptionEntry): SocketTypeName[] =>
  types.filter((type) => entry.sockets === 'all' || entry.sockets.includes(type as never));
const cases = entries.flatMap((entry) =>
  typesOf(entry).map((type): [string, string, SocketOptionEntry] => [type, entry.name, entry]),
);

type Properties = Record<string, OptionValue>;

describe('every option of every type', () => {
  it('is covered', () => {
    expect(entries.length).toBeGreaterThan(60);
    expect(cases.length).toBeGreaterThan(500);
  });

  it.each(cases)('%s.%s', (type, name, entry) => {
    const socket = ofTest(new Socket(type as SocketTypeName));
    const properties = socket as unknown as Properties;
    const names = [entry.name, entry.zmq.split(', ')[0]!.toLowerCase(), ...optionNames(entry)];
    const isProperty = entry.property !== false;
    if (entry.access !== 'w') {
      // What cannot send has nothing to linger for.
      const isSub = name === 'linger' && (type === 'SUB' || type === 'XSUB');
      const initial = isSub ? 0 : entry.default;
      if (initial !== undefined) expect(socket.getOption(name), 'the default of the table').toBe(initial);
      for (const alias of entry.settings === undefined ? names : [name]) {
        expect(socket.getOption(alias), alias).toEqual(socket.getOption(name));
      }
      if (isProperty) expect(properties[name]).toEqual(socket.getOption(name));
    } else {
      expect(() => socket.getOption(name)).toThrow(ArgumentError);
      expect(() => socket.getOption(name)).toThrow(/can only be set, not read$/);
      if (isProperty) expect(() => properties[name]).toThrow(ArgumentError);
    }
    const sample = sampleOf(entry);
    if (entry.access === 'r' || sample === undefined) {
      expect(() => socket.setOption(name, 1)).toThrow(ArgumentError);
      expect(() => socket.setOption(name, 1)).toThrow(/is read-only$/);
      return;
    }
    for (const alias of entry.settings === undefined ? names : [name]) socket.setOption(alias, sample);
    if (isProperty) properties[name] = sample;
    if (entry.access === 'rw') expect(socket.getOption(name)).toEqual(sample);
    const before = entry.access === 'rw' ? socket.getOption(name) : undefined;
    for (const value of [undefined, Symbol('x'), {}, [], () => {}, new Date(), 1.5]) {
      expect(() => socket.setOption(name, value as never), String(value)).toThrow(ArgumentError);
      expect(() => socket.setOption(name, value as never)).toThrow(new RegExp(`^${name}: expected .*, got `));
    }
    if (before !== undefined) expect(socket.getOption(name)).toEqual(before);
    expect(socket.closed).toBe(false);
  });

  it('can be given to the constructor', () => {
    for (const entry of entries) {
      const sample = sampleOf(entry);
      if (entry.access === 'r' || entry.property === false || sample === undefined) continue;
      for (const type of typesOf(entry)) {
        const socket = new Socket(type, { [entry.name]: sample } as never);
        if (entry.access === 'rw')
          expect(socket.getOption(entry.name), `${type} ${entry.name}`).toEqual(sample);
        socket.close();
      }
    }
  });

  it('a context in their place is refused as such', () => {
    expect(() => new Socket('PULL', context() as never)).toThrow(
      /^options: expected an object such as \{ context \}, got an instance of Context/,
    );
  });

  it('a constructor that refuses one leaves no socket behind', async () => {
    for (let count = 0; count < 1100; count += 1) {
      expect(() => new Pull({ receiveHighWaterMark: 5, linger: -2 })).toThrow(ArgumentError);
      expect(() => new Pull({ receiveHighWaterMark: 5, nonsense: -2 } as never)).toThrow(ArgumentError);
      // libzmq closes sockets in a thread of its own.
      if (count % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    ofTest(new Pull());
  });
});

describe('getOption and setOption', () => {
  it.each(['nonsense', '', 'rcvtime', 5, null, undefined, {}, Symbol('linger'), 'constructor', '__proto__'])(
    'refuse %s as a name',
    (name) => {
      const socket = ofTest(new Pull());
      expect(() => socket.getOption(name as never)).toThrow(ArgumentError);
      expect(() => socket.setOption(name as never, 1)).toThrow(ArgumentError);
      expect(() => socket.setOption(name as never, 1)).toThrow(
        /^option: expected the name of a socket option, got /,
      );
    },
  );

  it('suggest the right name for a wrong one', () => {
    expect(() => ofTest(new Pull()).setOption('recieveTimeout', 1)).toThrow("did you mean 'receiveTimeout'?");
    expect(() => new Pull({ recieveTimeout: 1 } as never)).toThrow("did you mean 'receiveTimeout'?");
  });

  it('know libzmq names, with and without ZMQ_, in any case', () => {
    const socket = ofTest(new Pull());
    for (const [index, name] of [
      'rcvtimeo',
      'ZMQ_RCVTIMEO',
      'RCVTIMEO',
      'receiveTimeout',
      'receive_timeout',
    ].entries()) {
      socket.setOption(name, index);
      expect(socket.receiveTimeout).toBe(index);
      expect(socket.getOption(name)).toBe(index);
    }
  });

  it('give what libzmq itself has for what needs no property', () => {
    const socket = ofTest(new Pull());
    expect(socket.getOption('type')).toBe(7);
    expect(socket.getOption('fd')).toBeGreaterThan(0);
    expect(socket.getOption('events')).toBe(0);
  });

  it('name what libzmq was built without', () => {
    const socket = ofTest(new Pull());
    const draft = SOCKET_OPTION_ENTRIES.filter((entry) => entry.draft === true && entry.sockets === 'all');
    for (const entry of draft) {
      const sample = sampleOf(entry);
      if (entry.access === 'r' || sample === undefined) continue;
      try {
        socket.setOption(entry.name, sample);
      } catch (error) {
        expect(error).toBeInstanceOf(ZmqError);
        expect(error).toMatchObject({ code: capability.draft ? 'EINVAL' : 'ENOTSUP' });
        expect((error as Error).message).toContain(`Cannot set option '${entry.name}'`);
      }
    }
    expect(socket.closed).toBe(false);
  });

  it('take bytes of any kind, but not of memory that is detached', () => {
    const bytes = Uint8Array.of(1, 0xff, 3);
    const values = [bytes, Buffer.from(bytes), bytes.buffer, new DataView(bytes.buffer)];
    for (const value of values) {
      const socket = ofTest(new Dealer());
      socket.setOption('routingId', value as Uint8Array);
      expect(socket.routingId).toEqual(Buffer.from(bytes));
    }
    const socket = ofTest(new Dealer({ routingId: 'before' }));
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    for (const value of [bytes, bytes.buffer, values.at(-1)]) {
      expect(() => socket.setOption('routingId', value as never)).toThrow(ArgumentError);
      expect(() => socket.setOption('routingId', value as never)).toThrow(
        /^routingId: expected a string, Buffer/,
      );
    }
    expect(socket.routingId).toBe('before');
  });
});

describe('what options do', () => {
  it('routingId is how a ROUTER knows a peer', async () => {
    const [router, dealer] = linked(new Router(), new Dealer({ routingId: 'me' }));
    expect(dealer.routingId).toBe('me');
    await dealer.send('hello');
    expect((await within('hello', router.recvMultipart())).map(String)).toEqual(['me', 'hello']);
    const binary = ofTest(new Dealer({ routingId: Buffer.of(1, 0xff, 2) as never }));
    expect(binary.routingId).toEqual(Buffer.of(1, 0xff, 2));
    binary.connect(router.lastEndpoint!);
    await binary.send('x');
    expect([...(await within('x', router.recvMultipart()))[0]!]).toEqual([1, 0xff, 2]);
  });

  it.each([1, 5, 50])('high-water marks of %d bound what is queued', (mark) => {
    const [pull, push] = linked(
      new Pull({ receiveHighWaterMark: mark }),
      new Push({ sendHighWaterMark: mark }),
      endpoints.inproc(),
    );
    let sent = 0;
    while (sent < 1000 && push.trySend('x')) sent += 1;
    expect(sent).toBe(2 * mark);
    expect(pull.receiveHighWaterMark).toBe(mark);
  });

  it('a high-water mark of 0 is none', () => {
    const [, push] = linked(
      new Pull({ receiveHighWaterMark: 0 }),
      new Push({ sendHighWaterMark: 0 }),
      endpoints.inproc(),
    );
    for (let sent = 0; sent < 20_000; sent += 1) expect(push.trySend('x')).toBe(true);
  });

  it('a received high-water mark can be changed while the socket is used', async () => {
    const [pull, push] = linked(new Pull(), new Push());
    pull.receiveHighWaterMark = 1;
    for (let n = 0; n < 100; n += 1) await push.send(`${n}`);
    for (let n = 0; n < 50; n += 1) expect(await within(`${n}`, pull.recv('utf8'))).toBe(`${n}`);
    pull.receiveHighWaterMark = 0;
    for (let n = 50; n < 100; n += 1) expect(await within(`${n}`, pull.recv('utf8'))).toBe(`${n}`);
  });

  it('conflate keeps the last message only', async () => {
    const endpoint = await endpoints.unboundTcp();
    const push = ofTest(new Push({ conflate: true }));
    push.connect(endpoint);
    for (let n = 0; n < 10; n += 1) await push.send(`${n}`);
    const pull = ofTest(new Pull());
    pull.bind(endpoint);
    expect(await within('the last', pull.recv('utf8'))).toBe('9');
    expect(push.conflate).toBe(true);
  });

  it('immediate queues for complete connections only', async () => {
    const endpoint = await endpoints.unboundTcp();
    const push = ofTest(new Push({ immediate: true }));
    push.connect(endpoint);
    expect(push.trySend('x')).toBe(false);
    const lax = ofTest(new Push());
    lax.connect(endpoint);
    expect(lax.trySend('x')).toBe(true);
  });

  it('maxMessageSize disconnects who sends more', async () => {
    const [pull, push] = linked(new Pull({ maxMessageSize: 100 }), new Push({ reconnectInterval: 1 }));
    const lost = new Promise<void>((resolve) => {
      pull.events.once('disconnect', () => resolve());
    });
    await push.send('short');
    expect(await within('short', pull.recv('utf8'))).toBe('short');
    await push.send('x'.repeat(101));
    await within('the disconnect', lost);
    await within(
      'the connection is made again',
      (async () => {
        for (;;) {
          await push.send('short');
          try {
            return await pull.recv('utf8', { timeout: 50 });
          } catch (error) {
            expect(error).toMatchObject({ code: 'EAGAIN' });
          }
        }
      })(),
    );
  });

  it('probeRouter introduces a peer with an empty message', async () => {
    const [router] = linked(new Router(), new Dealer({ probeRouter: true, routingId: 'new' }));
    expect((await within('the probe', router.recvMultipart())).map(String)).toEqual(['new', '']);
  });

  it('handover lets a new peer take the id of an old one', async () => {
    const [router] = linked(
      new Router({ handover: true }),
      new Dealer({ probeRouter: true, routingId: 'id' }),
    );
    await within('the first', router.recvMultipart());
    const second = ofTest(new Dealer({ routingId: 'id', probeRouter: true }));
    second.connect(router.lastEndpoint!);
    await within('the second', router.recvMultipart());
    await router.send(['id', 'for the new one']);
    expect(await within('the second gets it', second.recv('utf8'))).toBe('for the new one');
  });

  it('connectRoutingId names a peer before it has said anything', async () => {
    const dealer = ofTest(new Dealer());
    const router = ofTest(new Router({ mandatory: true }));
    router.connectRoutingId = 'that one';
    router.connect(dealer.bind(endpoints.inproc()));
    await router.send(['that one', 'hello']);
    expect(await within('hello', dealer.recv('utf8'))).toBe('hello');
  });

  it('relaxed and correlate let a REQ ask again, and drop the late answer', async () => {
    const router = ofTest(new Router());
    const request = ofTest(new Request({ relaxed: true, correlate: true }));
    request.connect(router.bind(endpoints.tcp()));
    await request.send('first');
    const first = await within('first', router.recvMultipart());
    await request.send('second');
    const second = await within('second', router.recvMultipart());
    await router.send([...first.slice(0, -1), 'late']);
    await router.send([...second.slice(0, -1), 'right']);
    expect(await within('the answer', request.recv('utf8'))).toBe('right');
  });

  it('verbosity says which repeated subscriptions an XPUB hears of', async () => {
    for (const [verbosity, expected] of [
      [null, ['1a', '0a']],
      ['allSubs', ['1a', '1a', '0a']],
      ['allSubsUnsubs', ['1a', '1a', '0a', '0a']],
    ] as const) {
      const publisher = ofTest(new XPublisher({ verbosity }));
      const endpoint = publisher.bind(endpoints.inproc());
      const subscribers = [ofTest(new Subscriber()), ofTest(new Subscriber())];
      const heard: string[] = [];
      for (const method of ['subscribe', 'unsubscribe'] as const) {
        for (const [index, subscriber] of subscribers.entries()) {
          if (method === 'subscribe') subscriber.connect(endpoint);
          subscriber[method]('a');
          subscriber.subscribe(`${method} ${index}`);
          // One after the other: libzmq asks the subscribers in an order of its own.
          for await (const [frame] of publisher) {
            if (String(frame) === `\x01${method} ${index}`) break;
            heard.push(`${frame![0]}${frame!.subarray(1)}`);
          }
        }
      }
      expect(heard, String(verbosity)).toEqual(expected);
    }
  });

  it('manual leaves subscriptions to the XPUB, which grants each to whoever asked', async () => {
    const publisher = ofTest(new XPublisher({ manual: true }));
    const endpoint = publisher.bind(endpoints.inproc());
    const subscribers = Array.from({ length: 20 }, (_, index) => {
      const subscriber = ofTest(new Subscriber());
      subscriber.connect(endpoint);
      subscriber.subscribe(`topic ${index};`);
      return subscriber;
    });
    // All have asked. Each is granted something narrower than it asked for.
    let granted = 0;
    for await (const [frame] of publisher) {
      publisher.setOption('subscribe', `${frame!.subarray(1)} granted`);
      granted += 1;
      if (granted === subscribers.length) break;
    }
    for (let index = 0; index < subscribers.length; index += 1) {
      await publisher.send(`topic ${index}; not granted`);
      await publisher.send(`topic ${index}; granted`);
    }
    for (const [index, subscriber] of subscribers.entries()) {
      const got = await within(`subscriber ${index} gets what it was granted`, subscriber.recv('utf8'));
      expect(got).toBe(`topic ${index}; granted`);
    }
  });

  it('welcomeMessage greets every subscriber', async () => {
    const publisher = ofTest(new XPublisher({ welcomeMessage: 'welcome' }));
    const subscriber = ofTest(new Subscriber());
    subscriber.subscribe('welcome');
    subscriber.connect(publisher.bind(endpoints.tcp()));
    await within('the subscription', publisher.recv());
    expect(await within('the greeting', subscriber.recv('utf8'))).toBe('welcome');
  });

  it('invertMatching turns subscriptions round', async () => {
    const publisher = ofTest(new XPublisher({ invertMatching: true }));
    const subscriber = ofTest(new Subscriber({ invertMatching: true }));
    subscriber.connect(publisher.bind(endpoints.inproc()));
    subscriber.subscribe('a');
    await within('the subscription', publisher.recv());
    await publisher.send('a: not this');
    await publisher.send('b: this');
    expect(await within('what does not match', subscriber.recv('utf8'))).toBe('b: this');
  });

  it('noDrop makes a PUB wait for a slow subscriber', async () => {
    const publisher = ofTest(new XPublisher({ noDrop: true, sendHighWaterMark: 1, sendTimeout: 0 }));
    const subscriber = ofTest(new Subscriber({ receiveHighWaterMark: 1 }));
    subscriber.connect(publisher.bind(endpoints.inproc()));
    subscriber.subscribe();
    await within('the subscription', publisher.recv());
    let sent = 0;
    while (sent < 100 && publisher.trySend(`${sent}`)) sent += 1;
    expect(sent).toBe(2);
    const waiting = publisher.send('2', { timeout: -1 });
    expect(await isPending(waiting, 20)).toBe(true);
    for (let n = 0; n < 3; n += 1) expect(await within(`${n}`, subscriber.recv('utf8'))).toBe(`${n}`);
    await within('the send that waited', waiting);
  });

  it('notify tells a STREAM of connections', async () => {
    const stream = ofTest(new Stream());
    const endpoint = stream.bind(endpoints.tcp());
    const client = ofTest(new Stream());
    client.connect(endpoint);
    const [peer, empty] = await within('the connection', stream.recvMultipart());
    expect([peer!.length, empty!.length]).toEqual([5, 0]);
    const [server] = await within('the connection, seen from the client', client.recvMultipart());
    const quiet = ofTest(new Stream({ notify: false }));
    quiet.bind(endpoints.tcp());
    await client.send([server!, 'plain tcp']);
    expect((await within('the data', stream.recvMultipart())).map(String)[1]).toBe('plain tcp');
  });

  it('null can be set where it is what is read; what libzmq cannot unset stays', () => {
    let nulls = 0;
    for (const type of types) {
      const socket = ofTest(new Socket(type));
      for (const { name, access, draft } of SOCKET_OPTION_ENTRIES) {
        if (access !== 'rw' || draft === true || name === 'interface') continue;
        let value: OptionValue;
        try {
          value = socket.getOption(name);
        } catch {
          continue; // of another type, or not built in
        }
        if (value !== null) continue;
        nulls += 1;
        socket.setOption(name, null);
        expect(socket.getOption(name), `${name} of ${type}`).toBe(null);
      }
    }
    expect(nulls).toBeGreaterThan(types.length * 6);
    const dealer = ofTest(new Dealer({ zapDomain: 'domain', routingId: 'me', curveServerKey: key }));
    for (const name of ['zapDomain', 'routingId', 'curveServerKey'] as const) {
      const before = dealer[name];
      expect(() => {
        dealer[name] = null;
      }).toThrow(new RegExp(`^${name}: expected .*, got null$`));
      expect(dealer[name]).toBe(before);
    }
  });

  it('PLAIN security is what its options select', () => {
    const server = ofTest(new Reply({ plainServer: true }));
    expect(server.securityMechanism).toBe('plain');
    const client = ofTest(new Request({ plainUsername: 'me', plainPassword: 'secret' }));
    expect([client.securityMechanism, client.plainUsername, client.plainPassword]).toEqual([
      'plain',
      'me',
      'secret',
    ]);
    client.plainUsername = null;
    expect(client.securityMechanism).toBe(null);
  });

  it('useFd takes a listening socket and nothing else', () => {
    const pull = ofTest(new Pull());
    // libzmq would end the process over these, at bind.
    for (const fd of [0, 1, 255, 65536, 2 ** 31 - 1]) {
      expect(() => pull.setOption('useFd', fd), String(fd)).toThrow(
        expect.objectContaining({ code: 'EBADF' }),
      );
      expect(() => new Pull({ useFd: fd })).toThrow(/^Cannot set option 'useFd': Bad file descriptor/);
    }
    pull.useFd = -1;
    expect(pull.bind(endpoints.tcp())).toMatch(/^tcp:/);
  });

  it('secrets never show in a message', () => {
    const socket = ofTest(new Request());
    const secret = 'do not print me '.repeat(40);
    expect(() => {
      socket.plainPassword = secret;
    }).toThrow(
      /^plainPassword: expected a string of 1 to 255 bytes without NUL, or null, got a string of 640/,
    );
    expect(() => {
      socket.curveSecretKey = secret;
    }).toThrow(/^(?!.*do not print)/);
  });
});
