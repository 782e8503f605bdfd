/** Every socket pair against libzmq in C and against pyzmq, and against ourselves over inproc. */
import { describe, expect, test } from 'vitest';

import { type CanonicalType, Socket } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import {
  endpoints,
  type Peer,
  type PeerOptions,
  type PeerRole,
  patternMessage,
  startPeer,
  verify,
} from './peers/index.js';

const MIB = 1 << 20;
/** One message of each kind, over and over: large ones among small ones, empty frames at either end. */
const SHAPES: readonly (readonly number[])[] = [
  [0],
  [1],
  [16],
  [4096],
  [MIB],
  [300],
  [16, 0],
  [0, 4096],
  Array.from({ length: 50 }, (_, k) => [0, 1, 16, 300, 5000][k % 5]!),
];
const COUNT = 4 * SHAPES.length;
const TOTAL_TIMEOUT = 20_000;

const shapeOf = (n: number) => SHAPES[n % SHAPES.length]!;

async function sendAll(socket: Socket): Promise<void> {
  for (let n = 0; n < COUNT; n++) {
    await within(`message ${n} is accepted`, socket.sendMultipart(patternMessage(n, shapeOf(n))));
  }
}

async function receiveAll(socket: Socket): Promise<void> {
  for (let n = 0; n < COUNT; n++) {
    verify(await within(`message ${n} comes`, socket.recvMultipart()), n, shapeOf(n));
  }
}

/** Many unanswered requests at a time. */
async function requestAll(socket: Socket): Promise<void> {
  await Promise.all([sendAll(socket), receiveAll(socket)]);
}

async function requestInTurn(socket: Socket): Promise<void> {
  for (let n = 0; n < COUNT; n++) {
    await within(`request ${n} is accepted`, socket.sendMultipart(patternMessage(n, shapeOf(n))));
    verify(await within(`answer ${n} comes`, socket.recvMultipart()), n, shapeOf(n));
  }
}

/** Sends back what comes, as it came: the received messages themselves. */
async function echoAll(socket: Socket): Promise<void> {
  for (let n = 0; n < COUNT; n++) {
    const message = await within(`request ${n} comes`, socket.recvMultipart());
    verify(message.slice(socket.type === 'ROUTER' ? 1 : 0), n, shapeOf(n));
    await within(`answer ${n} is accepted`, socket.sendMultipart(message));
  }
}

/** A PUB cannot see its subscribers: it repeats a message that they skip and tell of. */
async function syncAndPublish(socket: Socket, peer: Peer): Promise<void> {
  let synced = false;
  const sync = peer.event('sync').finally(() => {
    synced = true;
  });
  while (!synced) {
    await within('a sync message is accepted', socket.send('sync'));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await sync;
  await sendAll(socket);
}

/** The other side of it. */
async function skipSyncAndReceive(socket: Socket, peer: Peer): Promise<void> {
  const isSync = (message: readonly Uint8Array[]) => message.length === 1 && String(message[0]) === 'sync';
  socket.subscribe();
  let message = await within('a sync message comes', socket.recvMultipart());
  expect(isSync(message)).toBe(true);
  peer.go();
  while (isSync(message)) message = await within('message 0 comes', socket.recvMultipart());
  verify(message, 0, shapeOf(0));
  for (let n = 1; n < COUNT; n++) {
    verify(await within(`message ${n} comes`, socket.recvMultipart()), n, shapeOf(n));
  }
}

async function publishToSubscriber(socket: Socket): Promise<void> {
  const [subscription] = await within('the subscription comes', socket.recvMultipart());
  expect([...subscription!]).toEqual([1]);
  await sendAll(socket);
}

async function subscribeAndReceive(socket: Socket): Promise<void> {
  if (socket.type === 'SUB') socket.subscribe();
  else await within('the subscription is accepted', socket.send(Buffer.of(1)));
  await receiveAll(socket);
}

interface Exchange {
  ours: CanonicalType;
  theirs: Exclude<PeerOptions['type'], undefined>;
  role: PeerRole;
  does: string;
  run: (socket: Socket, peer: Peer) => Promise<void>;
  options?: PeerOptions;
}

const EXCHANGES: Exchange[] = [
  { ours: 'PUSH', theirs: 'PULL', does: 'sends', role: 'recv', run: sendAll },
  { ours: 'PULL', theirs: 'PUSH', does: 'receives', role: 'send', run: receiveAll },
  { ours: 'PAIR', theirs: 'PAIR', does: 'sends', role: 'recv', run: sendAll },
  { ours: 'PAIR', theirs: 'PAIR', does: 'receives', role: 'send', run: receiveAll },
  { ours: 'REQ', theirs: 'REP', does: 'requests', role: 'echo', run: requestInTurn },
  { ours: 'REP', theirs: 'REQ', does: 'answers', role: 'request', run: echoAll },
  { ours: 'DEALER', theirs: 'ROUTER', does: 'requests', role: 'echo', run: requestAll },
  {
    ours: 'ROUTER',
    theirs: 'DEALER',
    does: 'answers',
    role: 'request',
    run: echoAll,
    options: { window: 10 },
  },
  { ours: 'PUB', theirs: 'SUB', does: 'publishes', role: 'sub', run: syncAndPublish },
  {
    ours: 'SUB',
    theirs: 'PUB',
    does: 'subscribes',
    role: 'pub',
    run: skipSyncAndReceive,
    options: { hold: true },
  },
  { ours: 'XPUB', theirs: 'XSUB', does: 'publishes', role: 'xsub', run: publishToSubscriber },
  { ours: 'XSUB', theirs: 'XPUB', does: 'subscribes', role: 'xpub', run: subscribeAndReceive },
];

const NAMED = EXCHANGES.map((exchange): [string, Exchange] => [
  `${exchange.ours} ${exchange.does}, the peer is ${exchange.theirs}`,
  exchange,
]);

const LINKS = (['c', 'python'] as const).flatMap((language) =>
  (['tcp', 'ipc'] as const).flatMap((transport) =>
    (['bind', 'connect'] as const).map((we) => ({ language, transport, we })),
  ),
);

describe.each(LINKS)('with a $language peer over $transport, we $we', ({ language, transport, we }) => {
  test.each(NAMED)('%s', async (_, { ours, theirs, role, run, options }) => {
    const socket = ofTest(new Socket(ours));
    const endpoint = endpoints[transport]();
    const peer = await startPeer(language, role, {
      type: theirs,
      count: COUNT,
      shapes: SHAPES,
      ...(we === 'bind' ? { connect: socket.bind(endpoint) } : { bind: endpoint }),
      ...options,
    });
    if (we === 'connect') socket.connect(peer.endpoint);
    await within('all messages are exchanged', run(socket, peer), TOTAL_TIMEOUT);
    const result = await peer.result();
    expect(Math.max(result.sent, result.received)).toBeGreaterThanOrEqual(COUNT);
  });
});

describe.each(['tcp', 'ipc'] as const)('64 MiB over %s', (transport) => {
  const count = 2;
  const size = 64 * MIB;

  test('PUSH sends to C', async () => {
    const peer = await startPeer('c', 'recv', { bind: endpoints[transport](), count, size });
    const socket = ofTest(new Socket('PUSH'));
    socket.connect(peer.endpoint);
    for (let n = 0; n < count; n++) {
      await within(`message ${n} is accepted`, socket.sendMultipart(patternMessage(n, [size])));
    }
    expect((await peer.result()).bytes).toBe(count * size);
  });

  test('PULL receives from C', async () => {
    const peer = await startPeer('c', 'send', { bind: endpoints[transport](), count, size });
    const socket = ofTest(new Socket('PULL'));
    socket.connect(peer.endpoint);
    for (let n = 0; n < count; n++) {
      verify(await within(`message ${n} comes`, socket.recvMultipart()), n, [size]);
    }
    expect((await peer.result()).bytes).toBe(count * size);
  });
});

describe.each(['c', 'python'] as const)('STREAM with a %s peer', (language) => {
  /** An empty message would end the connection, and bytes have no frames. */
  const shapes = SHAPES.filter((shape) => shape.some((size) => size > 0));
  const count = 2 * shapes.length;
  const bytes = Buffer.concat(
    Array.from({ length: count }, (_, n) => Buffer.concat(patternMessage(n, shapes[n % shapes.length]!))),
  );

  test('bound, it echoes what comes', async () => {
    const socket = ofTest(new Socket('STREAM'));
    const endpoint = socket.bind(endpoints.tcp());
    const peer = await startPeer(language, 'stream', { connect: endpoint, count, shapes });
    const received: Buffer[] = [];
    let notifications = 0;
    while (notifications < 2) {
      const [id, data] = await within('bytes, a connect or a disconnect', socket.recvMultipart());
      if (data!.length === 0) notifications += 1;
      else {
        received.push(data!);
        await within('the echo is accepted', socket.send([id!, data!]));
      }
    }
    expect(Buffer.concat(received).equals(bytes), 'the bytes are those of the pattern').toBe(true);
    expect((await peer.result()).bytes).toBe(bytes.length);
  });

  test('connected, it gets its own bytes back', async () => {
    const peer = await startPeer(language, 'stream', { bind: endpoints.tcp(), count: 1 });
    const socket = ofTest(new Socket('STREAM'));
    socket.connect(peer.endpoint);
    const [id, nothing] = await within('the connect comes', socket.recvMultipart());
    expect(nothing!.length).toBe(0);
    for (let n = 0, at = 0; n < count; n++) {
      const message = Buffer.concat(patternMessage(n, shapes[n % shapes.length]!));
      await within(`message ${n} is accepted`, socket.send([id!, message]));
      const end = at + message.length;
      while (at < end) {
        const [, echo] = await within(`the echo of message ${n} comes`, socket.recvMultipart());
        if (!echo!.equals(bytes.subarray(at, at + echo!.length))) expect.fail(`wrong echo from offset ${at}`);
        at += echo!.length;
      }
    }
    await within('the end of the connection is accepted', socket.send([id!, '']));
    expect(await peer.result()).toMatchObject({ bytes: bytes.length, connects: 1, disconnects: 1 });
  });
});

describe('over inproc, both ends ours', () => {
  function connected(left: CanonicalType, right: CanonicalType): [Socket, Socket] {
    const pair: [Socket, Socket] = [ofTest(new Socket(left)), ofTest(new Socket(right))];
    pair[1].connect(pair[0].bind(endpoints.inproc()));
    return pair;
  }

  test.each([
    ['PUSH', 'PULL', sendAll, receiveAll],
    ['PULL', 'PUSH', receiveAll, sendAll],
    ['PAIR', 'PAIR', requestAll, requestAll],
    ['REQ', 'REP', requestInTurn, echoAll],
    ['REP', 'REQ', echoAll, requestInTurn],
    ['ROUTER', 'DEALER', echoAll, requestAll],
    ['DEALER', 'ROUTER', requestAll, echoAll],
    ['XPUB', 'XSUB', publishToSubscriber, subscribeAndReceive],
    ['XSUB', 'XPUB', subscribeAndReceive, publishToSubscriber],
    ['XPUB', 'SUB', publishToSubscriber, subscribeAndReceive],
  ] as const)('%s and %s', async (left, right, runLeft, runRight) => {
    const [leftSocket, rightSocket] = connected(left, right);
    await within(
      'all messages are exchanged',
      Promise.all([runLeft(leftSocket), runRight(rightSocket)]),
      TOTAL_TIMEOUT,
    );
  });

  test('PUB and SUB', async () => {
    const [publisher, subscriber] = connected('PUB', 'SUB');
    subscriber.subscribe();
    let message: Uint8Array[] | undefined;
    // The subscription travels, too: until it has arrived messages are dropped.
    for (let tries = 0; message === undefined; tries++) {
      if (tries === 1000) expect.fail('the subscription never arrived');
      await publisher.send('sync');
      message = subscriber.tryRecvMultipart();
    }
    await within('all messages are accepted', sendAll(publisher));
    let skipped = await within('message 0 comes', subscriber.recvMultipart());
    while (String(skipped[0]) === 'sync') {
      skipped = await within('message 0 comes', subscriber.recvMultipart());
    }
    verify(skipped, 0, shapeOf(0));
    for (let n = 1; n < COUNT; n++) {
      verify(await within(`message ${n} comes`, subscriber.recvMultipart()), n, shapeOf(n));
    }
  });

  test('64 MiB from PUSH to PULL', async () => {
    const [push, pull] = connected('PUSH', 'PULL');
    await within('the message is accepted', push.sendMultipart(patternMessage(0, [64 * MIB])));
    verify(await within('the message comes', pull.recvMultipart()), 0, [64 * MIB]);
  });
});
