/** Proves the test peers right: C and Python against each other and against the TypeScript pattern. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import {
  addToChecksum,
  endpoints,
  mismatch,
  moduleFile,
  type PeerLanguage,
  pattern,
  patternChecksum,
  patternMessage,
  patternNumber,
  runNode,
  startNode,
  startPeer,
  verify,
} from './peers/index.js';

const PAIRS: [PeerLanguage, PeerLanguage][] = [
  ['c', 'c'],
  ['c', 'python'],
  ['python', 'c'],
  ['python', 'python'],
];

describe('pattern', () => {
  test('follows its rule', () => {
    const master = (x: number) => (7 * x + 13 * (x >> 8) + 29 * (x >> 16)) & 255;
    for (const [n, k, size] of [
      [0, 0, 7],
      [1, 0, 16],
      [123_456_789, 3, 100_000],
    ] as const) {
      const frame = pattern(n, k, size);
      expect(frame.length).toBe(size);
      for (let i = size < 8 ? 0 : 8; i < size; i++) {
        if (frame[i] !== master(((31 * n + 17 * k) % 65521) + i))
          expect.fail(`byte ${i} of (${n}, ${k}, ${size})`);
      }
      if (size >= 8) expect(patternNumber(frame)).toBe(n);
    }
  });

  test('tells wrong bytes, numbers and sizes', () => {
    const frame = pattern(5, 1, 300);
    expect(mismatch(frame, 5, 1)).toBe(-1);
    expect(mismatch(frame, 6, 1)).toBe(0);
    expect(mismatch(frame, 5, 0)).toBe(8);
    frame[299]! ^= 1;
    expect(mismatch(frame, 5, 1)).toBe(299);
    expect(mismatch(new Uint8Array(0), 5, 1)).toBe(-1);
    expect(() => verify([pattern(1, 0, 8)], 1, [8, 8])).toThrow('1 frames, expected 2');
    expect(() => verify([pattern(1, 0, 8)], 1, [9])).toThrow('8 bytes, expected 9');
    expect(() => verify(patternMessage(1, [8, 0, 20]), 1, [8, 0, 20])).not.toThrow();
  });

  test('works on shared memory', () => {
    const shared = Buffer.from(new SharedArrayBuffer(64)).fill(pattern(9, 0, 64));
    expect(mismatch(shared, 9, 0)).toBe(-1);
    expect(addToChecksum(0, [shared])).toBe(patternChecksum(1, [64], 9));
  });
});

describe.each(PAIRS)('%s against %s', (left, right) => {
  test.each(['tcp', 'ipc'] as const)(
    'PUSH-PULL over %s, multipart with an empty frame',
    async (transport) => {
      const shape = { count: 500, sizes: [16, 0, 70_000, 3], first: 7 };
      const receiver = await startPeer(left, 'recv', { bind: endpoints[transport](), ...shape });
      const sender = await startPeer(right, 'send', { connect: receiver.endpoint, ...shape });
      const expected = { bytes: 500 * 70_019, checksum: patternChecksum(500, shape.sizes, 7) };
      expect(await sender.result()).toMatchObject({ ok: true, sent: 500, ...expected });
      expect(await receiver.result()).toMatchObject({ ok: true, received: 500, ...expected });
    },
  );

  test('messages whose shapes take turns', async () => {
    const shapes = [[0], [1], [16], [70_000, 0, 3]];
    const receiver = await startPeer(left, 'recv', { bind: endpoints.tcp(), count: 400, first: 2, shapes });
    const sender = await startPeer(right, 'send', {
      connect: receiver.endpoint,
      count: 400,
      first: 2,
      shapes,
    });
    const { bytes, checksum } = await sender.result();
    expect(bytes).toBe(100 * 70_020);
    expect(await receiver.result()).toMatchObject({ received: 400, bytes, checksum });
  });

  test('two senders, unordered', async () => {
    const receiver = await startPeer(left, 'recv', { bind: endpoints.tcp(), count: 400, unordered: true });
    for (const first of [0, 200])
      await startPeer(right, 'send', { connect: receiver.endpoint, count: 200, first });
    expect((await receiver.result()).received).toBe(400);
  });

  test('REQ-REP', async () => {
    const server = await startPeer(left, 'echo', { type: 'REP', bind: endpoints.tcp(), count: 100 });
    const client = await startPeer(right, 'request', {
      connect: server.endpoint,
      count: 100,
      sizes: [0, 64],
    });
    const checksum = patternChecksum(100, [0, 64]);
    expect(await client.result()).toMatchObject({ received: 100, checksum });
    expect(await server.result()).toMatchObject({ sent: 100, checksum });
  });

  test('ROUTER-DEALER with a window and a delimiter', async () => {
    const server = await startPeer(left, 'echo', { bind: endpoints.tcp(), count: 1000 });
    const client = await startPeer(right, 'request', {
      type: 'DEALER',
      connect: server.endpoint,
      count: 1000,
      window: 50,
      delimiter: true,
      size: 64,
    });
    expect(await client.result()).toMatchObject({ received: 1000, checksum: patternChecksum(1000, [64]) });
    expect((await server.result()).sent).toBe(1000);
  });

  test('ROUTER addresses a DEALER by its routing id', async () => {
    const router = await startPeer(left, 'send', {
      type: 'ROUTER',
      bind: endpoints.tcp(),
      count: 100,
      to: 'alice',
    });
    const dealer = await startPeer(right, 'recv', {
      type: 'DEALER',
      connect: router.endpoint,
      count: 100,
      identity: 'alice',
    });
    expect((await dealer.result()).received).toBe(100);
    expect((await router.result()).sent).toBe(100);
  });

  test('XPUB waits for its subscriber, SUB takes its topics, XPUB hears it leave', async () => {
    const publisher = await startPeer(left, 'xpub', {
      bind: endpoints.tcp(),
      count: 30,
      topic: ['a', 'b', 'c'],
      untilUnsubscribed: true,
    });
    const subscriber = await startPeer(right, 'sub', { connect: publisher.endpoint, topic: 'b', count: 10 });
    expect(await subscriber.result()).toMatchObject({ received: 10, first: 1, last: 28 });
    expect((await publisher.event('subscribe')).topic).toBe('b');
    expect((await publisher.event('unsubscribe')).topic).toBe('b');
    expect((await publisher.result()).sent).toBe(30);
  });

  test('PUB and XSUB meet through sync', async () => {
    const publisher = await startPeer(left, 'pub', { bind: endpoints.tcp(), count: 500, hold: true });
    const subscriber = await startPeer(right, 'xsub', { connect: publisher.endpoint, count: 500 });
    await subscriber.event('sync');
    publisher.go();
    expect(await subscriber.result()).toMatchObject({ received: 500, checksum: patternChecksum(500, [16]) });
  });

  test('STREAM echoes raw bytes and tells of connects and disconnects', async () => {
    const server = await startPeer(left, 'stream', { bind: endpoints.tcp(), count: 1 });
    const client = await startPeer(right, 'stream', {
      connect: server.endpoint,
      count: 50,
      sizes: [10_000, 1],
    });
    expect(await client.result()).toMatchObject({ bytes: 500_050, connects: 1 });
    expect(await server.result()).toMatchObject({ bytes: 500_050, connects: 1, disconnects: 1 });
    expect((await server.event('connect')).peer).toBe((await server.event('disconnect')).peer);
  });
});

describe.each(['c', 'python'] as const)('a %s peer', (language) => {
  test('fails on a wrong message', async () => {
    const receiver = await startPeer(language, 'recv', { bind: endpoints.tcp(), count: 10, size: 32 });
    await startPeer(language, 'send', { connect: receiver.endpoint, count: 10, size: 33 });
    await expect(receiver.result()).rejects.toThrow('message 0 frame 0: 33 bytes, expected 32');
  });

  test('fails when messages are out of order', async () => {
    const receiver = await startPeer(language, 'recv', { bind: endpoints.tcp(), count: 2 });
    await startPeer(language, 'send', { connect: receiver.endpoint, count: 2, first: 1 });
    await expect(receiver.result()).rejects.toThrow('message 0 frame 0: wrong byte at offset 0');
  });

  test('fails when a message has the shape of another', async () => {
    const receiver = await startPeer(language, 'recv', {
      bind: endpoints.tcp(),
      count: 2,
      shapes: [[8], [9, 1]],
    });
    await startPeer(language, 'send', { connect: receiver.endpoint, count: 2, shapes: [[8], [9, 0]] });
    await expect(receiver.result()).rejects.toThrow('message 1 frame 1: 0 bytes, expected 1');
  });

  test('names the step it timed out in', async () => {
    const receiver = await startPeer(language, 'recv', { bind: endpoints.tcp(), count: 10, timeout: 300 });
    await expect(receiver.result()).rejects.toThrow('timed out while receiving, done so far: 0');
    expect((await receiver.process.exited).code).toBe(3);
  });

  test('stops when told to, and says how far it got', async () => {
    const receiver = await startPeer(language, 'recv', { bind: endpoints.tcp() });
    const sender = await startPeer(language, 'send', { connect: receiver.endpoint, count: 5 });
    await sender.result();
    receiver.stop();
    const { received, stopped } = await receiver.result();
    expect(stopped).toBe(true);
    expect(received).toBeLessThanOrEqual(5);
  });

  test('holds until told to go, and keeps to its high-water mark meanwhile', async () => {
    const receiver = await startPeer(language, 'recv', {
      bind: endpoints.ipc(),
      count: 20,
      size: 1 << 20,
      hwm: 1,
      hold: true,
    });
    const sender = await startPeer(language, 'send', {
      connect: receiver.endpoint,
      count: 20,
      size: 1 << 20,
      hwm: 1,
    });
    await expect(sender.event('done', 200)).rejects.toThrow('200 ms passed before: event "done"');
    receiver.go();
    expect((await receiver.result()).received).toBe(20);
  });

  test('stays connected until told to stop', async () => {
    const receiver = await startPeer('c', 'recv', { bind: endpoints.tcp(), count: 5 });
    const sender = await startPeer(language, 'send', { connect: receiver.endpoint, count: 5, stay: true });
    await receiver.result();
    expect(sender.events).toEqual([]);
    sender.stop();
    expect(await sender.result()).toMatchObject({ sent: 5, stopped: true });
  });

  test('ends when its starter does', async () => {
    const receiver = await startPeer(language, 'recv', { bind: endpoints.tcp() });
    receiver.process.endInput();
    expect((await receiver.process.exited).code).toBe(4);
  });

  test('reports an absent ROUTER peer under --mandatory, and a wrong command line', async () => {
    const router = await startPeer(language, 'send', {
      type: 'ROUTER',
      bind: endpoints.tcp(),
      count: 1,
      to: 'nobody',
      mandatory: true,
    });
    await expect(router.result()).rejects.toThrow('EHOSTUNREACH');
    await expect(startPeer(language, 'recv', {})).rejects.toThrow('expected --bind or --connect');
  });

  test('takes socket options by name: CURVE', async () => {
    // The key pairs of libzmq's own documentation.
    const server = {
      CURVE_SERVER: 1,
      CURVE_SECRETKEY: 'JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6',
    };
    const client = {
      CURVE_SERVERKEY: 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7',
      CURVE_PUBLICKEY: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID',
      CURVE_SECRETKEY: 'D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs',
    };
    const receiver = await startPeer('c', 'recv', { bind: endpoints.tcp(), count: 3, set: server });
    await startPeer(language, 'send', { connect: receiver.endpoint, count: 3, set: client });
    expect((await receiver.result()).received).toBe(3);
  });
});

describe('runNode', () => {
  test('gives output, status and duration', async () => {
    const helper = moduleFile('export const word = "hello";');
    const result = await runNode(
      `import { word } from ${JSON.stringify(helper.href)};
       console.log(word, process.argv[2]); console.error('oops'); process.exitCode = 7;`,
      ['there'],
    );
    expect(result).toMatchObject({ code: 7, signal: null, stdout: 'hello there\n', stderr: 'oops\n' });
    expect(result.duration).toBeGreaterThan(1);
  });

  test('kills what does not end, and says what hung', async () => {
    const hanging = runNode('console.log("started"); setInterval(() => {}, 1000);', [], {
      timeout: 1000,
      step: 'a timer',
    });
    await expect(hanging).rejects.toThrow(
      /a timer: 1000 ms passed before: the process ends by itself[\s\S]*started/,
    );
  });

  test('tells a signal, and lets a running script be awaited line by line', async () => {
    const child = startNode('console.log("up"); setInterval(() => {}, 1000);');
    await child.waitFor('it is up', 5000, ({ lines }) => lines.find((line) => line === 'up'));
    expect(await child.kill('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });
});

test('an endpoint nobody bound yet can be connected to first', async () => {
  const endpoint = await endpoints.unboundTcp();
  const sender = await startPeer('c', 'send', { connect: endpoint, count: 5 });
  const receiver = await startPeer('python', 'recv', { bind: endpoint, count: 5 });
  expect((await receiver.result()).received).toBe(5);
  await sender.result();
});

describe('moduleFile', () => {
  let url: URL;

  test('writes a module', () => {
    url = moduleFile('export {};');
    expect(existsSync(fileURLToPath(url))).toBe(true);
  });

  test('leaves nothing behind', () => {
    expect(existsSync(fileURLToPath(url))).toBe(false);
  });
});
