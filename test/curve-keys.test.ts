/** CURVE keys and Z85: made, derived, written and read. */
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  curveKeyPair,
  curvePublicKey,
  Dealer,
  Router,
  z85Decode,
  z85Encode,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints, startPeer } from './peers/index.js';

describe('z85', () => {
  it('is that of RFC 32', () => {
    const bytes = Buffer.from([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b]);
    expect(z85Encode(bytes)).toBe('HelloWorld');
    expect(z85Decode('HelloWorld')).toEqual(bytes);
  });

  it('gives back what it was given, of any length that it takes', () => {
    for (let length = 0; length <= 256; length += 4) {
      const bytes = Buffer.from(Array.from({ length }, (_, n) => (n * 151 + length) & 255));
      expect(z85Decode(z85Encode(bytes)).equals(bytes), `${length} bytes`).toBe(true);
    }
    for (const word of [0, 0xffffffff, 0x80000000]) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(word);
      expect(z85Decode(z85Encode(bytes))).toEqual(bytes);
    }
  });

  it('takes any view or buffer', () => {
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
    const text = z85Encode(bytes);
    expect(z85Encode(bytes.buffer)).toBe(text);
    expect(z85Encode(new DataView(bytes.buffer))).toBe(text);
    expect(z85Encode(new Uint16Array(bytes.buffer))).toBe(text);
    expect(z85Encode(new Uint8Array(bytes.buffer, 4))).toBe(z85Encode(bytes.slice(4)));
  });

  it.each([
    ['five bytes', () => z85Encode(new Uint8Array(5)), /multiple of 4 bytes, got 5/],
    ['a string', () => z85Encode('text' as never), /data: expected a view/],
    ['nothing', () => z85Encode(undefined as never), /data: expected a view/],
    ['six characters', () => z85Decode('123456'), /multiple of 5 characters, got 6/],
    ['a character that is none of its own', () => z85Decode('abc"e'), /got "\\"" at 3/],
    ['one beyond ASCII', () => z85Decode('abcdé'), /at 4/],
    ['more than four bytes hold', () => z85Decode('#####'), /too large/],
    ['a number', () => z85Decode(5 as never), /text: expected a string/],
  ])('refuses %s', (_name, call, message) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(message);
  });
});

describe('key pairs', () => {
  it('are new each time, in Z85', () => {
    const pairs = Array.from({ length: 20 }, () => curveKeyPair());
    const keys = pairs.flatMap(({ publicKey, secretKey }) => [publicKey, secretKey]);
    expect(new Set(keys).size).toBe(40);
    for (const key of keys) expect(z85Decode(key).length).toBe(32);
  });

  it('have a public key that the secret one tells', () => {
    const { publicKey, secretKey } = curveKeyPair();
    expect(curvePublicKey(secretKey)).toBe(publicKey);
    expect(curvePublicKey(z85Decode(secretKey))).toBe(publicKey);
  });

  it.each([['x'], ['"'.repeat(40)], [new Uint8Array(31)], [null], [undefined], [40], [{}]])(
    'refuses %s as a secret key',
    (key) => {
      expect(() => curvePublicKey(key as never)).toThrow(ArgumentError);
    },
  );

  it('never put a secret into an error', () => {
    const nearly = `${curveKeyPair().secretKey.slice(0, 39)}"`;
    expect(() => curvePublicKey(nearly)).toThrow(/got 40 characters/);
    try {
      curvePublicKey(nearly);
    } catch (error) {
      expect(String(error)).not.toContain(nearly.slice(0, 10));
    }
  });
});

describe('a CURVE connection', () => {
  const server = curveKeyPair();
  const client = curveKeyPair();

  it('is made with them', async () => {
    const router = ofTest(new Router({ curveServer: true, curveSecretKey: server.secretKey }));
    const dealer = ofTest(
      new Dealer({
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
      }),
    );
    dealer.connect(router.bind(endpoints.tcp()));
    await dealer.send('secret');
    const [id, text] = await within('the request comes', router.recvMultipart());
    expect(String(text)).toBe('secret');
    await router.send([id!, 'answer']);
    expect(await within('the answer comes', dealer.recv('utf8'))).toBe('answer');
  });

  it.each(['c', 'python'] as const)('is made with a %s client', async (language) => {
    const router = ofTest(new Router({ curveServer: true, curveSecretKey: server.secretKey }));
    const endpoint = router.bind(endpoints.tcp());
    const peer = await startPeer(language, 'request', {
      type: 'DEALER',
      connect: endpoint,
      count: 5,
      size: 100,
      set: {
        CURVE_SERVERKEY: server.publicKey,
        CURVE_PUBLICKEY: client.publicKey,
        CURVE_SECRETKEY: client.secretKey,
      },
    });
    for (let n = 0; n < 5; n += 1) {
      await router.sendMultipart(await within(`request ${n} comes`, router.recvMultipart()));
    }
    expect((await peer.result()).received).toBe(5);
  });

  it.each(['c', 'python'] as const)('is made with a %s server', async (language) => {
    const peer = await startPeer(language, 'echo', {
      type: 'ROUTER',
      bind: endpoints.tcp(),
      count: 1,
      set: { CURVE_SERVER: 1, CURVE_SECRETKEY: server.secretKey },
      any: true,
    });
    const dealer = ofTest(
      new Dealer({
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
      }),
    );
    dealer.connect(peer.endpoint);
    await dealer.send('hello');
    expect(await within('the echo comes', dealer.recv('utf8'))).toBe('hello');
  });

  it('is not made with another key', async () => {
    const router = ofTest(new Router({ curveServer: true, curveSecretKey: server.secretKey }));
    const dealer = ofTest(
      new Dealer({
        curveServerKey: client.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
        linger: 0,
      }),
    );
    const failed = new Promise((resolve) => router.events.on('handshake:error:protocol', resolve));
    dealer.connect(router.bind(endpoints.tcp()));
    await dealer.send('secret');
    await within('the handshake fails', failed);
    expect(router.tryRecv()).toBeUndefined();
  });
});
