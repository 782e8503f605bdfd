/** Replies that wait for room: for whom there is none, and for how long that is remembered. */
import { expect, it, onTestFinished } from 'vitest';

import { Dealer, Router, type Socket } from '../dist/src/index.js';
import { ReplyQueue } from '../dist/src/serve/reply-queue.js';
import { within } from './bounded.js';

interface Queued {
  readonly queue: ReplyQueue;
  readonly socket: Socket;
  readonly endpoint: string;
  send(id: string, text: string): Promise<void> | undefined;
}

let made = 0;

/** Replies within this process: its peers have room for two each, and no buffers of the operating system. */
function queued(patience: number): Queued {
  const router = new Router({ mandatory: true, sendHighWaterMark: 1, linger: 0 });
  const queue = new ReplyQueue(patience);
  onTestFinished(() => {
    queue.close();
    router.close();
  });
  const socket = router as unknown as Socket;
  made += 1;
  const endpoint = router.bind(`inproc://reply-queue.${made}`);
  return { queue, socket, endpoint, send: (id, text) => queue.send(socket, [Buffer.from(id), text]) };
}

/** A peer that the ROUTER knows. */
async function peerOf({ socket, endpoint }: Queued, routingId: string): Promise<Dealer> {
  const dealer = new Dealer({ routingId, receiveHighWaterMark: 1, linger: 0 });
  onTestFinished(() => dealer.close());
  dealer.connect(endpoint);
  await dealer.send('here');
  await within(`${routingId} is there`, socket.recvMultipart());
  return dealer;
}

/** Sends so many, numbered. @returns of those that have to wait, what comes of it */
function sendAll({ send }: Queued, id: string, count: number): Promise<void>[] {
  const sent = Array.from({ length: count }, (_, number) => send(id, String(number)));
  return sent.filter((outcome) => outcome !== undefined);
}

it('a peer without room keeps nobody but itself from being replied to at once', async () => {
  const replies = queued(Infinity);
  const { queue, socket, send } = replies;
  const deaf = await peerOf(replies, 'deaf');
  const other = await peerOf(replies, 'other');
  expect(queue.idle).toBe(true);
  const waiting = sendAll(replies, 'deaf', 10);
  expect(waiting).toHaveLength(8);
  expect(queue.idle).toBe(false);
  expect(queue.hasRoom(socket, 'deaf')).toBe(false);
  expect(queue.hasRoom(socket, 'other')).toBe(true);
  expect(send('other', 'at once')).toBeUndefined();
  expect(String(await within('the other reply', other.recv()))).toBe('at once');

  // Once it reads, it has all of it, in order.
  for (let number = 0; number < 10; number += 1) {
    expect(String(await within(`reply ${number}`, deaf.recv()))).toBe(String(number));
  }
  await within('all have left', Promise.all(waiting));
  expect(queue.idle).toBe(true);
});

it('a peer that is gone, or not replied to any more, is forgotten when its patience has been over for some time', async () => {
  const replies = queued(50);
  const { queue, socket, send } = replies;
  const gone = await peerOf(replies, 'gone');
  await peerOf(replies, 'deaf');
  for (const id of ['gone', 'deaf']) {
    for (const wait of sendAll(replies, id, 4)) {
      await expect(within('its patience is over', wait)).rejects.toThrow('The reply was not read');
    }
    expect(() => send(id, 'more'), 'it is not waited for again').toThrow('The reply was not read');
    expect(queue.hasRoom(socket, id)).toBe(false);
  }
  gone.close();
  await expect.poll(() => queue.idle, { timeout: 20_000 }).toBe(true);
});

it('a peer that is gone while replies wait for it is forgotten at once', async () => {
  const replies = queued(Infinity);
  const gone = await peerOf(replies, 'gone');
  const waiting = sendAll(replies, 'gone', 4);
  gone.close();
  const outcomes = await within('it is found gone', Promise.allSettled(waiting));
  expect(outcomes).toHaveLength(2);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'EHOSTUNREACH' } });
  expect(replies.queue.idle).toBe(true);
});
