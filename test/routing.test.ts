/** What REQ, REP, ROUTER and STREAM refuse, and that they go on afterwards, with peers of libzmq in C. */
import { once } from 'node:events';
import { connect } from 'node:net';

import { describe, expect, test } from 'vitest';

import { Dealer, Poller, Pull, Reply, Request, Router, type Socket, Stream, ZmqError } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, pattern, startPeer, verify } from './peers/index.js';

type Sending = Pick<Socket, 'send' | 'sendMultipart' | 'trySend' | 'sendSync'>;

/** Every way to send two frames, each as a promise. */
const WAYS_TO_SEND: [string, (socket: Sending) => Promise<unknown>][] = [
  ['send', (socket) => socket.send(['x', 'y'])],
  ['send with a timeout', (socket) => socket.send(['x', 'y'], { timeout: 5000 })],
  ['sendMultipart', (socket) => socket.sendMultipart(['x', 'y'])],
  ['trySend', async (socket) => socket.trySend(['x', 'y'])],
  ['sendSync', async (socket) => socket.sendSync(['x', 'y'])],
];

/** Those that wait for room. */
const WAYS_TO_SEND_WAITING: [string, (socket: Sending, message: (Uint8Array | string)[]) => Promise<void>][] =
  [
    ['send', (socket, message) => socket.send(message)],
    ['sendSync', async (socket, message) => socket.sendSync(message, { timeout: 10_000 })],
  ];

/** What a promise that is to reject at once rejects with. */
async function failureOf(step: string, promise: Promise<unknown>): Promise<ZmqError> {
  const outcome = await within(
    step,
    promise.then(
      () => undefined,
      (error: unknown) => error,
    ),
    1000,
  );
  expect(outcome, step).toBeInstanceOf(ZmqError);
  return outcome as ZmqError;
}

describe('REQ', () => {
  test.each(WAYS_TO_SEND)(
    'a second request by %s is EFSM at once, and the first gets its answer',
    async (_, send) => {
      const peer = await startPeer('c', 'echo', { type: 'REP', bind: endpoints.tcp(), count: 3, hold: true });
      const socket = ofTest(new Request());
      socket.connect(peer.endpoint);
      for (let n = 0; n < 3; n++) {
        await within(`request ${n} is accepted`, socket.send(pattern(n, 0, 100)));
        const failure = await failureOf('the second request fails', send(socket));
        expect(failure.code).toBe('EFSM');
        peer.go();
        verify([await within(`answer ${n} comes`, socket.recv())], n, [100]);
      }
      await peer.result();
    },
  );

  test('a receive without a request is EFSM at once, and does not disturb the next request', async () => {
    const peer = await startPeer('c', 'echo', { type: 'REP', bind: endpoints.tcp(), count: 1 });
    const socket = ofTest(new Request());
    socket.connect(peer.endpoint);
    await expect(within('the receive fails', socket.recv(), 1000)).rejects.toMatchObject({ code: 'EFSM' });
    await expect(within('the loop fails', socket[Symbol.asyncIterator]().next(), 1000)).rejects.toMatchObject(
      {
        code: 'EFSM',
      },
    );
    expect(() => socket.recvSync()).toThrow(expect.objectContaining({ code: 'EFSM' }));
    await socket.send(pattern(0, 0, 16));
    verify([await within('the answer comes', socket.recv())], 0, [16]);
    await peer.result();
  });
});

describe('REP', () => {
  test.each(WAYS_TO_SEND)('an answer by %s before the request is EFSM at once', async (_, send) => {
    const socket = ofTest(new Reply());
    const endpoint = socket.bind(endpoints.ipc());
    const peer = await startPeer('c', 'request', { connect: endpoint, count: 3 });
    for (let n = 0; n < 3; n++) {
      const failure = await failureOf('the answer fails', send(socket));
      expect(failure.code).toBe('EFSM');
      const request = await within(`request ${n} comes`, socket.recv());
      verify([request], n, [16]);
      await socket.send(request);
    }
    await peer.result();
  });
});

describe('ROUTER', () => {
  test.each(WAYS_TO_SEND)('%s to nobody is EHOSTUNREACH where it is mandatory', async (_, send) => {
    const socket = ofTest(new Router({ mandatory: true }));
    socket.bind(endpoints.tcp());
    const failure = await failureOf('the send fails', send(socket));
    expect(failure.code).toBe('EHOSTUNREACH');
  });

  test('mandatory: a peer is there, then it is not', async () => {
    const socket = ofTest(new Router({ mandatory: true }));
    const endpoint = socket.bind(endpoints.tcp());
    const peer = await startPeer('c', 'request', {
      type: 'DEALER',
      connect: endpoint,
      count: 100,
      identity: 'alice',
    });
    for (let n = 0; n < 100; n++) {
      const [id, request] = await within(`request ${n} comes`, socket.recvMultipart());
      expect(String(id)).toBe('alice');
      await socket.send([id!, request!]);
    }
    await peer.result();
    // The connection's end travels, too.
    const failure = await within(
      'sending to alice fails',
      (async () => {
        for (;;) {
          try {
            await socket.send(['alice', 'are you there']);
          } catch (error) {
            return error as ZmqError;
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    );
    expect(failure.code).toBe('EHOSTUNREACH');
    const again = await startPeer('c', 'request', {
      type: 'DEALER',
      connect: endpoint,
      count: 1,
      identity: 'alice',
    });
    const [id, request] = await within('a new alice asks', socket.recvMultipart());
    await socket.send([id!, request!]);
    await again.result();
  });

  test('not mandatory: a message to nobody is dropped without a word', async () => {
    const socket = ofTest(new Router());
    const endpoint = socket.bind(endpoints.tcp());
    const peer = await startPeer('c', 'request', { type: 'DEALER', connect: endpoint, count: 10 });
    for (let n = 0; n < 10; n++) {
      const [id, request] = await within(`request ${n} comes`, socket.recvMultipart());
      await within('a message to nobody is accepted', socket.send(['nobody', 'x', '', 'y']));
      await socket.send([id!, request!]);
    }
    await peer.result();
  });
});

describe('bind', () => {
  // Not over ipc: libzmq takes a socket file over from whoever has it.
  test('what another process has bound is EADDRINUSE', async () => {
    const peer = await startPeer('c', 'recv', { bind: endpoints.tcp(), count: 1 });
    const socket = ofTest(new Pull());
    expect(() => socket.bind(peer.endpoint)).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE', message: expect.stringContaining(peer.endpoint) }),
    );
  });

  test.each(['', 'x', 'tcp:/127.0.0.1:1', 'tcp://127.0.0.1', 'tcp://127.0.0.1:http'])(
    'the error for a bad endpoint names it: %j',
    (endpoint) => {
      const socket = ofTest(new Pull());
      for (const method of ['bind', 'connect'] as const) {
        let failure: unknown;
        try {
          socket[method](endpoint);
        } catch (error) {
          failure = error;
        }
        expect(failure, method).toBeInstanceOf(Error);
        expect((failure as ZmqError).code, method).toMatch(
          endpoint === '' ? /^ERR_INVALID_ARG$/ : /^EINVAL$/,
        );
        expect((failure as Error).message, method).toContain(endpoint);
      }
    },
  );
});

describe('a send to a peer that is gone, while what it sent before lies unread', () => {
  /** Ways to receive one message, after which nobody receives. */
  const WAYS_TO_RECEIVE: [string, (socket: Stream) => Promise<Uint8Array>][] = [
    ['receive', async (socket) => (await socket.receive())[0]!],
    ['recvMultipartSync', async (socket) => socket.recvMultipartSync()[0]!],
    [
      'a poller and tryRecvMultipart',
      async (socket) => {
        await Poller.use([socket], (poller) => poller.wait());
        return socket.tryRecvMultipart()![0]!;
      },
    ],
    [
      'batches',
      async (socket) => {
        for await (const batch of socket.batches()) return batch.at(0).copy();
        throw new Error('the socket was closed');
      },
    ],
  ];

  test.each(WAYS_TO_RECEIVE)('on a STREAM socket, after %s', async (_, receive) => {
    const stream = ofTest(new Stream());
    const client = connect(Number(stream.bind(endpoints.tcp()).split(':').at(-1)), '127.0.0.1');
    await once(client, 'connect');
    const peer = await within('the client is there', receive(stream));
    client.destroy();
    for (const [name, send] of WAYS_TO_SEND_WAITING) {
      // Until libzmq has noticed, it takes messages for the peer.
      const failure = await within(
        `${name} fails`,
        (async () => {
          for (;;) {
            try {
              await send(stream, [peer, 'x']);
            } catch (error) {
              return error;
            }
          }
        })(),
      );
      expect(failure).toMatchObject({ name: 'ZmqError', code: 'EHOSTUNREACH' });
    }
  });

  test('on a ROUTER socket that is mandatory, when the peer was full', async () => {
    const router = ofTest(new Router({ mandatory: true, sendHighWaterMark: 5 }));
    const dealer = ofTest(new Dealer({ routingId: 'd', receiveHighWaterMark: 1, linger: 0 }));
    dealer.connect(router.bind(endpoints.tcp()));
    for (const text of ['read', 'unread']) await dealer.send(text);
    while (router.tryRecvMultipart() === undefined) await new Promise((resolve) => setImmediate(resolve));
    while (router.trySend(['d', Buffer.alloc(100_000)]));
    const sends = [router.send(['d', 'waits']), router.send(['d', 'waits, too'])];
    dealer.close();
    // Room may come before the end does.
    const outcomes = await within('both settle', Promise.allSettled([...sends, router.send(['d', 'last'])]));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'EHOSTUNREACH' });
    }
    expect(router.recvMultipartSync({ timeout: 5000 }).map(String)).toEqual(['d', 'unread']);
  });
});
