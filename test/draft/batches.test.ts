/** How much is read from a connection and written to one at a time, where libzmq has options for it. */
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { capability, Dealer, Pull, Push, Socket, type SocketTypeName, Stream } from 'zeromq-threads';

import { within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints, patternMessage, startPeer, verify } from '../peers/index.js';

const MOST = 65_536;
const LEAST = 8192;
/** Around what fits a batch, with headers of 2 and 9 bytes. */
const SIZES = [0, 255, 256, 8183, 8192, 16_384, 65_526, 65_527, 65_536, 65_537, 131_072, 1_000_000];
const SHAPES = SIZES.map((size) => [size]);

describe.skipIf(!capability.draft)('batches', () => {
  it.each<[SocketTypeName, number]>([
    ['PULL', 16_000],
    ['PUSH', 16_000],
    ['SUB', 16_000],
    ['STREAM', 16_000],
    ['SERVER', 16_000],
    ['REQ', 64_000],
    ['REP', 64_000],
    ['DEALER', 64_000],
    ['ROUTER', 64_000],
  ])('of a %s socket are %i bytes read, and 64 KiB written', (type, read) => {
    const socket = ofTest(new Socket(type));
    expect(socket.getOption('inBatchSize')).toBe(read);
    expect(socket.getOption('outBatchSize')).toBe(MOST);
  });

  it.each([
    [0, MOST, MOST],
    [1, LEAST, LEAST],
    [100, LEAST, LEAST],
    [200, LEAST, 12_800],
    [600, 9600, 38_400],
    [2000, 32_000, MOST],
    [2_000_000_000, MOST, MOST],
  ])(
    'with a receive high-water mark of %i are %i, of requests %i',
    (receiveHighWaterMark, oneWay, requests) => {
      const pull = ofTest(new Pull({ receiveHighWaterMark }));
      expect(pull.getOption('inBatchSize')).toBe(oneWay);
      const dealer = ofTest(new Dealer());
      dealer.setOption('ZMQ_RCVHWM', receiveHighWaterMark);
      expect(dealer.getOption('inBatchSize')).toBe(requests);
    },
  );

  it('are what was asked for', () => {
    const socket = ofTest(new Pull({ inBatchSize: 30_000, outBatchSize: 100_000, receiveHighWaterMark: 10 }));
    expect(socket.getOption('inBatchSize')).toBe(30_000);
    expect(socket.getOption('ZMQ_OUT_BATCH_SIZE')).toBe(100_000);
    const later = ofTest(new Pull());
    later.setOption('inBatchSize', 20_000);
    later.setOption('receiveHighWaterMark', 0);
    expect(later.getOption('inBatchSize')).toBe(20_000);
    expect(() => socket.setOption('inBatchSize', 0)).toThrow(/inBatchSize/);
    expect(() => new Push({ outBatchSize: 1.5 })).toThrow(/outBatchSize/);
  });

  it.each([
    { inBatchSize: MOST, more: 16_000, most: MOST },
    { inBatchSize: LEAST, more: 0, most: LEAST },
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
