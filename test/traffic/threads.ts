/** Several threads that send on one socket, or receive from it, in ways of their own. */
import { describe, expect, test } from 'vitest';

import { Dealer, type Handle, Pull, Push, type Socket, type SocketOptions } from 'zeromq-threads';

import { within } from '../bounded.js';
import { endpoints, patternMessage, patternNumber, startPeer, verify } from '../peers/index.js';
import { type Body, spawn, type Thread } from '../threads.js';

export const SHAPES = [
  [16, 0, 5],
  [16],
  [8, 3000, 0, 1],
  [16, 0],
  [16, 40_000],
  Array.from({ length: 20 }, () => 8),
];
export const shapeOf = (n: number) => SHAPES[n % SHAPES.length]!;

type SendWay = 'one by one' | 'many at once' | 'blocking' | 'trying';

interface SendJob {
  handle: Handle<'socket'>;
  way: SendWay;
  messages: Uint8Array[][];
}

const sendAll: Body<SendJob> = async ({ zmq, within, turn }, { handle, way, messages }, port) => {
  const socket = zmq.Socket.attach(handle);
  port.postMessage('attached');
  await new Promise((resolve) => port.once('message', resolve));
  const sends: Promise<void>[] = [];
  for (const [index, message] of messages.entries()) {
    switch (way) {
      case 'one by one':
        await within(`its message ${index} is accepted`, socket.send(message));
        break;
      case 'many at once':
        sends.push(socket.sendMultipart(message));
        if (sends.length === 50)
          await within(`its message ${index} is accepted`, Promise.all(sends.splice(0)));
        break;
      case 'blocking':
        socket.sendSync(message, { timeout: 10_000 });
        break;
      case 'trying':
        while (!socket.trySend(message)) await turn();
    }
  }
  await within('the rest is accepted', Promise.all(sends));
  port.postMessage('sent');
};

function messagesOf(sender: number, each: number): Uint8Array[][] {
  return Array.from({ length: each }, (_, index) => {
    const n = sender * each + index;
    return patternMessage(n, shapeOf(n));
  });
}

/** Starts the senders all at once. Resolves when they have sent everything. */
async function sendFrom(
  socket: Pick<Socket, 'share'>,
  ways: readonly SendWay[],
  each: number,
): Promise<void> {
  const handle = socket.share();
  const threads = ways.map((way, sender) =>
    spawn(sendAll, { handle, way, messages: messagesOf(sender, each) }),
  );
  await eachSays(threads, 'attached');
  for (const thread of threads) thread.post('go');
  await eachSays(threads, 'sent');
}

export async function eachSays(threads: readonly Thread[], word: string): Promise<void> {
  const said = await Promise.all(
    threads.map((thread, index) => thread.message(`thread ${index} says ${word}`, 20_000)),
  );
  expect(said).toEqual(threads.map(() => word));
}

const SENDERS: { ways: SendWay[]; options: SocketOptions }[] = [
  { ways: ['one by one', 'one by one'], options: {} },
  { ways: ['blocking', 'blocking'], options: {} },
  { ways: ['many at once', 'trying'], options: {} },
  { ways: ['one by one', 'blocking'], options: { sendHighWaterMark: 1 } },
  { ways: ['many at once', 'many at once'], options: { sendHighWaterMark: 2 } },
  { ways: ['trying', 'blocking'], options: { sendHighWaterMark: 150 } },
  { ways: ['many at once', 'blocking', 'one by one'], options: { sendHighWaterMark: 130 } },
];

/** Tests in which several threads send on one socket, `each` so many messages. */
export function threadsSend(each: number, repeats = 0): void {
  describe.each(SENDERS)('threads send $ways, $options', { repeats }, ({ ways, options }) => {
    const total = ways.length * each;

    test('to C: no message is interleaved with another, none is lost', async () => {
      const socket = new Push(options);
      const peer = await startPeer('c', 'recv', {
        connect: socket.bind(endpoints.tcp()),
        count: total,
        unordered: true,
        shapes: SHAPES,
        hwm: 10,
      });
      await sendFrom(socket, ways, each);
      socket.close({ linger: -1 });
      expect((await peer.result()).received).toBe(total);
    });

    test('to ourselves: each thread’s messages come in its order', async () => {
      const socket = new Dealer(options);
      const receiver = new Dealer({ receiveHighWaterMark: 10 });
      receiver.connect(socket.bind(endpoints.ipc()));
      const sending = sendFrom(socket, ways, each);
      sending.catch(() => {});
      const next = ways.map((_, sender) => sender * each);
      for (let count = 0; count < total; count++) {
        const message = await within(`message ${count} comes`, receiver.recvMultipart());
        const n = patternNumber(message[0]!);
        const sender = Math.floor(n / each);
        expect(n, `the next message of thread ${sender}`).toBe(next[sender]);
        verify(message, n, shapeOf(n));
        next[sender] = n + 1;
      }
      await sending;
      socket.close();
      receiver.close();
    });
  });
}

type ReceiveWay = 'frames' | 'messages' | 'ten at once' | 'for await' | 'batches' | 'blocking' | 'trying';

interface ReceiveJob {
  handle: Handle<'socket'>;
  way: ReceiveWay;
  share: number;
  /** How many messages all threads together have. */
  taken: Int32Array;
}

/** Takes its share, not a message more, and posts it. */
const receiveShare: Body<ReceiveJob> = async ({ zmq, turn }, { handle, way, share, taken }, port) => {
  const socket = zmq.Socket.attach(handle);
  const messages: Uint8Array[][] = [];
  const take = (message: Uint8Array[]): boolean => {
    Atomics.add(taken, 0, 1);
    return messages.push(message) === share;
  };
  port.postMessage('attached');
  await new Promise((resolve) => port.once('message', resolve));
  while (messages.length < share) {
    if (way === 'frames') {
      const frames = [await socket.recv()];
      while (frames.at(-1)!.more) frames.push(await socket.recv());
      take(frames);
    } else if (way === 'messages') {
      take(await socket.recvMultipart());
    } else if (way === 'ten at once') {
      const receives = Array.from({ length: 10 }, () => socket.recvMultipart());
      for (const message of await Promise.all(receives)) take(message);
    } else if (way === 'for await') {
      for await (const message of socket) if (take(message)) break;
    } else if (way === 'batches') {
      for await (const batch of socket.batches({ max: 3 })) {
        for (const message of batch.retain()) take(message);
        if (share - messages.length < 3) break;
      }
      while (messages.length < share) take(await socket.recvMultipart());
    } else if (way === 'blocking') {
      take(socket.recvMultipartSync());
    } else {
      const message = socket.tryRecvMultipart();
      if (message === undefined) await turn();
      else take(message);
    }
  }
  port.postMessage(messages);
};

const RECEIVERS: { ways: ReceiveWay[]; options: SocketOptions }[] = [
  { ways: ['messages', 'messages'], options: {} },
  { ways: ['frames', 'for await'], options: {} },
  { ways: ['for await', 'for await'], options: { receiveHighWaterMark: 1 } },
  { ways: ['ten at once', 'ten at once'], options: {} },
  { ways: ['blocking', 'blocking'], options: {} },
  { ways: ['blocking', 'messages'], options: { receiveHighWaterMark: 2 } },
  { ways: ['ten at once', 'trying'], options: {} },
  { ways: ['batches', 'messages'], options: {} },
  { ways: ['batches', 'blocking', 'ten at once'], options: { receiveHighWaterMark: 5 } },
];

/** Tests in which several threads receive from one socket, each `share` messages. */
export function threadsReceive(share: number, repeats = 0): void {
  test.each(RECEIVERS)(
    'threads receive by $ways, $options: each its share',
    { repeats },
    async ({ ways, options }) => {
      const count = ways.length * share;
      const socket = new Pull(options);
      const endpoint = socket.bind(endpoints.tcp());
      const taken = new Int32Array(new SharedArrayBuffer(4));
      const handle = socket.share();
      const threads = ways.map((way) => spawn(receiveShare, { handle, way, share, taken }));
      await eachSays(threads, 'attached');
      for (const thread of threads) thread.post('go');
      await startPeer('c', 'send', { connect: endpoint, count, shapes: SHAPES, hwm: 10, stay: true });
      const lists = await Promise.all(
        threads.map(async (thread, index): Promise<Uint8Array[][]> => {
          try {
            return await thread.message(`thread ${index} has its share`, 20_000);
          } catch (error) {
            const left = socket.readable ? 'some are left' : 'none is left';
            throw new Error(`${Atomics.load(taken, 0)} of ${count} messages were taken, ${left}`, {
              cause: error,
            });
          }
        }),
      );
      const seen = new Set<number>();
      for (const list of lists) {
        let last = -1;
        for (const message of list) {
          const n = patternNumber(message[0]!);
          verify(message, n, shapeOf(n));
          expect(seen.has(n), `message ${n} came before`).toBe(false);
          expect(n, 'the order within a thread').toBeGreaterThan(last);
          seen.add(n);
          last = n;
        }
      }
      expect(seen.size).toBe(count);
      expect(socket.tryRecv(), 'what is left').toBeUndefined();
      socket.close();
    },
  );
}
