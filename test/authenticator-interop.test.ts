/** Secure connections between this package, libzmq in C, and pyzmq; our Authenticator, and those of czmq and pyzmq. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curveKeyPair, Push, writeCurveKeyFiles } from 'zeromq-threads';

import {
  authenticated,
  CURVE_SERVER,
  curveClient,
  PLAIN_SERVER,
  pulling,
  SERVER_KEYS,
} from './authenticating.js';
import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, startPeer } from './peers/index.js';
import { SECURITY_LIBRARIES, startAuthenticator } from './peers/security.js';
import { scratchFolder } from './scratch-folder.js';

const ALICE = curveKeyPair();
const MALLORY = curveKeyPair();
const COUNT = 20;

const PEER_SERVER = {
  CURVE_SERVER: 1,
  CURVE_PUBLICKEY: SERVER_KEYS.publicKey,
  CURVE_SECRETKEY: SERVER_KEYS.secretKey,
};
const peerClient = ({ publicKey, secretKey } = ALICE) => ({
  CURVE_SERVERKEY: SERVER_KEYS.publicKey,
  CURVE_PUBLICKEY: publicKey,
  CURVE_SECRETKEY: secretKey,
});

describe('CURVE', () => {
  it.each(['c', 'python'] as const)('to a server here from a client in %s', async (language) => {
    const { context, authenticator } = authenticated();
    await authenticator.configureCurve({ keys: [ALICE.publicKey] });
    const [pull, endpoint] = pulling(context, CURVE_SERVER);
    const peer = await startPeer(language, 'send', { connect: endpoint, count: COUNT, set: peerClient() });
    for (let count = 0; count < COUNT; count += 1) {
      const message = await within(`message ${count}`, pull.recv());
      expect(message.metadata('User-Id')).toBe(ALICE.publicKey);
    }
    expect((await peer.result()).sent).toBe(COUNT);
  });

  it.each(['c', 'python'] as const)('from a client here to a server in %s', async (language) => {
    const peer = await startPeer(language, 'recv', {
      bind: endpoints.tcp(),
      count: COUNT,
      any: true,
      set: PEER_SERVER,
    });
    const push = ofTest(new Push(curveClient(ALICE)));
    push.connect(peer.endpoint);
    for (let count = 0; count < COUNT; count += 1) await push.send(`${count}`);
    expect((await peer.result()).received).toBe(COUNT);
  });

  it.each([
    ['c', 'python'],
    ['python', 'c'],
  ] as const)('from %s to %s', async (from, to) => {
    const server = await startPeer(to, 'recv', { bind: endpoints.tcp(), count: COUNT, set: PEER_SERVER });
    await startPeer(from, 'send', { connect: server.endpoint, count: COUNT, set: peerClient() });
    expect((await server.result()).received).toBe(COUNT);
  });
});

describe.each(['c', 'python'] as const)('PLAIN from %s', (language) => {
  it('is accepted with the right password only', async () => {
    const { context, authenticator } = authenticated();
    await authenticator.configurePlain({ passwords: { admin: 'secret' } });
    const [pull, endpoint] = pulling(context, PLAIN_SERVER);
    const client = (PLAIN_PASSWORD: string) =>
      startPeer(language, 'send', {
        connect: endpoint,
        count: 1,
        linger: 0,
        stay: true,
        set: { PLAIN_USERNAME: 'admin', PLAIN_PASSWORD },
      });
    await client('wrong');
    await client('secret');
    expect((await within('the message', pull.recv())).metadata('User-Id')).toBe('admin');
    while (authenticator.stats().denied === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(authenticator.stats()).toMatchObject({ accepted: 1, denied: 1 });
    expect(pull.tryRecv()).toBeUndefined();
  });
});

describe.each(SECURITY_LIBRARIES)("%s's authenticator", (library) => {
  it('lets in the clients here whose key it has, and no others', async () => {
    const folder = scratchFolder();
    await writeCurveKeyFiles(join(folder, 'alice'), ALICE);
    const server = await startAuthenticator(library, folder, SERVER_KEYS);
    const stranger = ofTest(new Push(curveClient(MALLORY)));
    const refused = new Promise<number>((resolve) => {
      stranger.events.once('handshake:error:auth', ({ status }) => resolve(status));
    });
    stranger.connect(server.endpoint);
    stranger.trySend('mallory');
    expect(await within('the stranger is refused', refused)).toBe(400);
    const push = ofTest(new Push(curveClient(ALICE)));
    push.connect(server.endpoint);
    await push.send('alice');
    expect(await server.message()).toBe('alice');
  });
});
