/** How much is read from a connection and written to one at a time, where libzmq has options for it. */
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { capability, Dealer, Pull, Push, Socket, type SocketTypeName, Stream } from 'zeromq-threads';

import { within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints, patternMessage, startPeer, verify } from '../peers/index.js';

const DEFAULT = 65_536;
const LIBZMQ_DEFAULT = 8192;
/** Around what fits a batch, with headers of 2 and 9 bytes. */
const SIZES = [0, 255, 256, 8183, 8192, 16_384, 65_526, 65_527, 65_536, 65_537, 131_072, 1_000_000];
const SHAPES = SIZES.map((size) => [size]);

describe.skipIf(!capability.draft)('batches', () => {
  it.each<SocketTypeName>(['PULL', 'PUSH', 'PUB', 'SUB', 'DEALER', 'ROUTER', 'STREAM', 'SERVER', 'RADIO'])(
    'of a %s socket are 64 KiB',
    (type) => {
      const socket = ofTest(new Socket(type));
      expect(socket.getOption('inBatchSize')).toBe(DEFAULT);
      expect(socket.getOption('outBatchSize')).toBe(DEFAULT);
    },
  );

  it('are small for what is received with a small high-water mark', () => {
    const small = ofTest(new Pull({ receiveHighWaterMark: 999 }));
    expect(small.getOption('inBatchSize')).toBe(LIBZMQ_DEFAULT);
    expect(small.getOption('outBatchSize')).toBe(DEFAULT);
    for (const [mark, size] of [
      [1000, DEFAULT],
      [1, LIBZMQ_DEFAULT],
      [0, DEFAULT],
    ] as const) {
      small.setOption('receiveHighWaterMark', mark);
      expect(small.getOption('inBatchSize'), `with a mark of ${mark}`).toBe(size);
    }
    small.setOption('inBatchSize', 20_000);
    small.setOption('receiveHighWaterMark', 10);
    expect(small.getOption('inBatchSize')).toBe(20_000);
    const told = ofTest(new Pull({ inBatchSize: 30_000, receiveHighWaterMark: 10 }));
    expect(told.getOption('inBatchSize')).toBe(30_000);
  });

  it('are what was asked for', () => {
    const socket = ofTest(new Pull({ inBatchSize: LIBZMQ_DEFAULT, outBatchSize: 100_000 }));
    expect(socket.getOption('inBatchSize')).toBe(LIBZMQ_DEFAULT);
    expect(socket.getOption('ZMQ_OUT_BATCH_SIZE')).toBe(100_000);
    expect(() => socket.setOption('inBatchSize', 0)).toThrow(/inBatchSize/);
    expect(() => new Push({ outBatchSize: 1.5 })).toThrow(/outBatchSize/);
  });

  it.each([
    { inBatchSize: undefined, more: LIBZMQ_DEFAULT, most: DEFAULT },
    { inBatchSize: LIBZMQ_DEFAULT, more: 0, most: LIBZMQ_DEFAULT },
  ])(
    'of $inBatchSize bytes are how much a STREAM receives at a time',
    async ({ inBatchSize, more, most }) => {
      const stream = ofTest(new Stream({ notify: false, inBatchSize }));
      const endpoint = stream.bind(endpoints.tcp());
      const bytes = 2_000_000;
      const client = connect(Number(endpoint.split(':').at(-1)), '127.0.0.1');
      onTestFinished(() => void client.destroy());
      client.write(Buffer.alloc(bytes));
      let largest = 0;
      for (let received = 0; received < bytes; ) {
        const [, data] = await within(`more than ${received} bytes`, stream.receive());
        received += data!.length;
        largest = Math.max(largest, data!.length);
      }
      expect(largest).toBeGreaterThan(more);
      expect(largest).toBeLessThanOrEqual(most);
    },
  );

  describe.each(['c', 'python'] as const)('messages around their size, with a peer in %s', (language) => {
    const count = 10 * SIZES.length;

    it('are received', async () => {
      const peer = await startPeer(language, 'send', { bind: endpoints.tcp(), count, shapes: SHAPES });
      const pull = ofTest(new Pull());
      pull.connect(peer.endpoint);
      for (let n = 0; n < count; n++) {
        verify(await within(`message ${n}`, pull.recvMultipart()), n, SHAPES[n % SHAPES.length]!);
      }
      await peer.result();
    });

    it('are sent and come back', async () => {
      const peer = await startPeer(language, 'echo', {
        type: 'ROUTER',
        bind: endpoints.tcp(),
        count,
        shapes: SHAPES,
      });
      const dealer = ofTest(new Dealer());
      dealer.connect(peer.endpoint);
      const sent = (async () => {
        for (let n = 0; n < count; n++) await dealer.send(patternMessage(n, SHAPES[n % SHAPES.length]!));
      })();
      for (let n = 0; n < count; n++) {
        verify(await within(`echo ${n}`, dealer.recvMultipart()), n, SHAPES[n % SHAPES.length]!);
      }
      await sent;
      await peer.result();
    });
  });
});
