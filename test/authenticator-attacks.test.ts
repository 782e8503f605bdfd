/** What strangers do to a server with an Authenticator costs nobody else anything. */
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { curveKeyPair, Dealer, Router } from 'zeromq-threads';

import { authenticated, CURVE_SERVER, curveClient } from './authenticating.js';
import { within } from './bounded.js';
import { ofTest } from './linked.js';

const ALICE = curveKeyPair();
const STRANGERS = 1000;
/** ZMTP 3.1: signature, version, CURVE, not as server, filler. */
const GREETING = Buffer.concat([
  Buffer.from('ff00000000000000017f0301', 'hex'),
  Buffer.from('CURVE'.padEnd(20, '\0')),
  Buffer.alloc(32),
]);
const HELLO = Buffer.concat([Buffer.from([4, 200, 5]), Buffer.from('HELLO'), Buffer.alloc(194, 7)]);

async function served() {
  const { context, authenticator } = authenticated();
  await authenticator.configureCurve({ keys: [ALICE.publicKey] });
  const router = ofTest(new Router({ ...CURVE_SERVER, context, backlog: 2000, handshakeInterval: 500 }));
  const endpoint = router.bind('tcp://127.0.0.1:*');
  void (async () => {
    for await (const request of router) router.trySend(request);
  })();
  const dealer = ofTest(new Dealer({ ...curveClient(ALICE), context }));
  dealer.connect(endpoint);
  const roundTrip = async (step: string): Promise<void> => {
    await dealer.send(step);
    expect(await within(`the echo ${step}`, dealer.recv('utf8'))).toBe(step);
  };
  await roundTrip('at first');
  // More than once, if its handshake took too long for the server.
  const { accepted } = authenticator.stats();
  return {
    accepted,
    router,
    authenticator,
    roundTrip,
    context,
    endpoint,
    port: Number(/\d+$/.exec(endpoint)?.[0]),
  };
}

async function stranger(port: number, bytes: Uint8Array): Promise<TcpSocket> {
  const tcp = connect(port, '127.0.0.1');
  onTestFinished(() => void tcp.destroy());
  tcp.on('error', () => {}).resume();
  await once(tcp, 'connect');
  tcp.write(bytes);
  return tcp;
}

describe('an authenticated peer goes on undisturbed', () => {
  it.each([
    ['nothing, slowly', GREETING.subarray(0, 5)],
    ['a greeting without a handshake', GREETING],
    ['a HELLO that is none', Buffer.concat([GREETING, HELLO])],
    ['a HELLO cut short', Buffer.concat([GREETING, Buffer.from([4, 6, 5]), Buffer.from('HELLO')])],
    ['an INITIATE at once', Buffer.concat([GREETING, Buffer.from([4, 9, 8]), Buffer.from('INITIATE')])],
    [
      'a frame that announces a gigabyte',
      Buffer.concat([GREETING, Buffer.from('02000000004000000041', 'hex')]),
    ],
    ['bytes without sense', Buffer.alloc(4096, 0xa5)],
  ])('by who sends %s, and is sent away', async (_what, bytes) => {
    const { accepted, authenticator, roundTrip, port } = await served();
    const tcp = await stranger(port, bytes);
    const closed = new Promise((resolve) => tcp.once('close', resolve)); // a reset is as good
    await roundTrip('meanwhile');
    await within('the server ends the connection', closed);
    await roundTrip('afterwards');
    expect(authenticator.stats()).toMatchObject({ accepted, failed: 0 });
  });

  it(`by ${STRANGERS} connections that do not prove anything`, async () => {
    const { accepted, authenticator, roundTrip, port } = await served();
    const kinds = [
      GREETING,
      Buffer.concat([GREETING, HELLO]),
      Buffer.alloc(64, 0xff),
      GREETING.subarray(0, 12),
    ];
    for (let count = 0; count < STRANGERS; count += 100) {
      const some = Array.from({ length: 100 }, (_, index) => stranger(port, kinds[index % kinds.length]!));
      await roundTrip(`while ${count} are there`);
      await within('100 more connect', Promise.all(some));
    }
    await roundTrip('with all of them');
    expect(authenticator.stats()).toMatchObject({ accepted, denied: 0, pending: 0 });
  });

  it('by who comes with a key that is not known, again and again', async () => {
    const { accepted, authenticator, roundTrip, context, endpoint } = await served();
    const sockets = Array.from({ length: 50 }, () => {
      const dealer = ofTest(new Dealer({ ...curveClient(curveKeyPair()), context }));
      dealer.connect(endpoint);
      dealer.trySend('let me in');
      return dealer;
    });
    while (authenticator.stats().denied < sockets.length) await roundTrip('meanwhile');
    await roundTrip('afterwards');
    expect(authenticator.stats().accepted).toBe(accepted);
    for (const socket of sockets) expect(socket.tryRecv()).toBeUndefined();
  });
});
