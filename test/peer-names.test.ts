/** Routing ids that a socket gives to the peers it connects to: libzmq aborts the process for one that a peer has. */
import { describe, expect, test } from 'vitest';
import { Dealer, Router, Stream, ZmqError } from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

const refusal = (call: () => void): ZmqError => {
  try {
    call();
  } catch (error) {
    if (error instanceof ZmqError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe.each([
  ['ROUTER', 'tcp', () => new Router({ mandatory: true, linger: 0 }), () => new Router()],
  ['ROUTER', 'inproc', () => new Router({ mandatory: true, linger: 0 }), () => new Router()],
  ['STREAM', 'tcp', () => new Stream({ linger: 0 }), () => new Stream()],
] as const)('%s over %s', (_type, transport, make, makePeer) => {
  const connected = (): { socket: Router | Stream; first: string; second: string } => {
    const socket = ofTest(make());
    const first = ofTest(makePeer()).bind(endpoints[transport]());
    const second = ofTest(makePeer()).bind(endpoints[transport]());
    socket.connect(first, { routingId: 'A' });
    return { socket, first, second };
  };

  test('an id that a peer has is refused, and says why', () => {
    const { socket, first, second } = connected();
    for (const endpoint of [first, second]) {
      const error = refusal(() => socket.connect(endpoint, { routingId: 'A' }));
      expect(error.code).toBe('EADDRINUSE');
      expect(error.message).toContain('that routing id');
      expect(error.message).toContain(endpoint);
    }
    socket.connect(second, { routingId: 'B' });
  });

  test('so is that of a peer that was disconnected from: nobody can tell when libzmq is done with it', () => {
    const { socket, first, second } = connected();
    socket.disconnect(first);
    expect(refusal(() => socket.connect(second, { routingId: 'A' })).code).toBe('EADDRINUSE');
    socket.connect(second, { routingId: 'B' });
  });

  test('so is one that is set as an option', () => {
    const { socket, second } = connected();
    socket.connectRoutingId = 'A';
    const error = refusal(() => socket.connect(second));
    expect(error.code).toBe('EADDRINUSE');
    expect(error.message).toContain('connectRoutingId');
    socket.connectRoutingId = 'B';
    socket.connect(second);
    expect(refusal(() => socket.connect(second, { routingId: 'B' })).code).toBe('EADDRINUSE');
  });

  test('the id of a connect that failed is not given to the next peer', async () => {
    const socket = ofTest(make());
    expect(refusal(() => socket.connect('tcp://127.0.0.1:99999', { routingId: 'A' })).code).toBe('EINVAL');
    const failed = refusal(() => socket.connect('tcp://nowhere:http', { routingId: 'A' }));
    expect(failed.code).toBe('EINVAL');
    socket.connect(ofTest(makePeer()).bind(endpoints[transport]()));
    await expect(socket.send(['A', 'hello'], { timeout: 0 })).rejects.toThrow();
  });

  test('it can be tried again after a connect that failed', async () => {
    const socket = ofTest(make());
    refusal(() => socket.connect('tcp://nowhere:http', { routingId: 'A' }));
    const peer = ofTest(makePeer());
    socket.connect(peer.bind(endpoints[transport]()), { routingId: 'A' });
    await within('the peer has its name', socket.send(['A', 'hello']));
  });
});

describe.each(['tcp', 'inproc'] as const)('over %s', (transport) => {
  test.each([true, false])(
    'an id that a peer chose for itself is refused (mandatory: %s)',
    async (mandatory) => {
      const router = ofTest(new Router({ mandatory, linger: 0 }));
      const dealer = ofTest(new Dealer({ routingId: 'A' }));
      dealer.connect(router.bind(endpoints[transport]()));
      await dealer.send('here');
      await within('the peer is here', router.recvMultipart());
      const other = ofTest(new Router()).bind(endpoints[transport]());
      expect(refusal(() => router.connect(other, { routingId: 'A' })).code).toBe('EADDRINUSE');
      // It was looked for by a message to it.
      expect((await within('an empty message', dealer.recvMultipart())).map(String)).toEqual(['']);
      await router.send(['A', 'hello']);
      expect(await within('the peer is served', dealer.recv('utf8'))).toBe('hello');
      // As before: what has no peer is dropped, or refused.
      const lost = router.send(['nobody', 'hello']);
      if (mandatory) await expect(lost).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
      else await lost;
    },
  );
});

test('in the midst of a message nobody is looked for', async () => {
  const router = ofTest(new Router({ mandatory: true, linger: 0 }));
  const dealer = ofTest(new Dealer({ routingId: 'A' }));
  dealer.connect(router.bind(endpoints.tcp()));
  await dealer.send('here');
  await within('the peer is here', router.recvMultipart());
  await router.send('A', { more: true });
  router.connect(ofTest(new Dealer()).bind(endpoints.tcp()), { routingId: 'B' });
  await router.send('hello');
  expect(await within('the message', dealer.recv('utf8'))).toBe('hello');
});

test('peers that are there only once they are connected cannot be named', () => {
  const router = ofTest(new Router({ immediate: true, linger: 0 }));
  const error = refusal(() => router.connect('tcp://127.0.0.1:9', { routingId: 'A' }));
  expect(error.code).toBe('ENOTSUP');
  router.connect(endpoints.inproc(), { routingId: 'A' });
});
