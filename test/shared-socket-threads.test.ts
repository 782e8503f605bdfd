/** One socket in several threads: messages stay whole, come in each thread's order, exactly once, and nobody stalls. */
import { expect, test } from 'vitest';

import { Dealer, type Handle, Pull, Push, Router, Socket } from 'zeromq-threads';

import { within } from './bounded.js';
import { endpoints, pattern, patternMessage, patternNumber, startPeer } from './peers/index.js';
import { type Body, spawn } from './threads.js';
import { eachSays, SHAPES, threadsReceive, threadsSend } from './traffic/threads.js';

threadsSend(1500);
threadsReceive(1200);

/** Receives requests and sends the answers through the same socket, as the handler threads of a server do. */
const answer: Body<Handle<'socket'>> = async ({ zmq }, handle, port) => {
  const router = zmq.Socket.attach(handle);
  port.postMessage('attached');
  for await (const request of router) await router.send(request);
  port.postMessage('closed');
};

test('threads answer requests on one ROUTER', async () => {
  const count = 2000;
  const router = new Router();
  const endpoint = router.bind(endpoints.tcp());
  const handle = router.share();
  const threads = [spawn(answer, handle), spawn(answer, handle)];
  await eachSays(threads, 'attached');
  const clients = await Promise.all(
    [1, 100].map((window) =>
      startPeer('c', 'request', {
        type: 'DEALER',
        connect: endpoint,
        count,
        window,
        shapes: SHAPES,
        unordered: true,
      }),
    ),
  );
  for (const client of clients) expect((await client.result()).received).toBe(count);
  router.close();
  await eachSays(threads, 'closed');
});

/** Takes some messages and ends; what it did not take is for others. */
const takeSome: Body<{ handle: Handle<'socket'>; count: number }> = async (
  { zmq },
  { handle, count },
  port,
) => {
  const socket = zmq.Socket.attach(handle);
  const numbers: number[] = [];
  while (numbers.length < count) {
    const [frame] = await socket.recvMultipart();
    numbers.push(Number(frame!.readBigUInt64LE()));
  }
  port.postMessage(numbers);
};

test('a thread that stops receiving keeps nothing from the others', async () => {
  const count = 1000;
  const socket = new Pull();
  const handle = socket.share();
  await startPeer('c', 'send', { connect: socket.bind(endpoints.tcp()), count, shapes: SHAPES, stay: true });
  const seen: number[] = [];
  for (let turns = 0; turns < 3; turns++) {
    const thread = spawn(takeSome, { handle, count: 100 });
    seen.push(...(await thread.message(`thread ${turns} has its messages`)));
    await thread.ended(`thread ${turns} ends`);
    for (let n = 0; n < 50; n++) {
      const [frame] = await within('the owner gets a message', socket.recvMultipart());
      seen.push(patternNumber(frame!));
    }
  }
  while (seen.length < count) {
    const [frame] = await within(`message ${seen.length} comes`, socket.recvMultipart());
    seen.push(patternNumber(frame!));
  }
  expect(seen).toEqual(Array.from({ length: count }, (_, n) => n));
  socket.close();
});

test.each([
  ['tryRecv', (socket: Pull | Socket) => socket.tryRecv()],
  ['recvSync', (socket: Pull | Socket) => socket.recvSync({ timeout: 10_000 })],
] as const)(
  '%s takes one message and leaves the next to others, also when memory runs out',
  async (_, take) => {
    const push = new Push();
    const pull = new Pull();
    push.connect(pull.bind(endpoints.inproc()));
    const again = Socket.attach(pull.share());
    const count = 400;
    // Most messages need a new chunk. That is where one more might slip in.
    for (let n = 0; n < count; n++)
      expect(push.trySend(patternMessage(n, [n % 3 === 0 ? 40_000 : 9000])[0]!)).toBe(true);
    for (let n = 0; n < count; n++) {
      const message = take(n % 2 === 0 ? pull : again);
      expect(message && patternNumber(message), `message ${n}`).toBe(n);
    }
    pull.close();
    push.close();
  },
);

test('what the owner receives of a shared socket is what it asks for, also before others attach', async () => {
  const push = new Push();
  const pull = new Pull();
  push.connect(pull.bind(endpoints.inproc()));
  const handle = pull.share();
  const first = [pull.recv(), pull.recv()];
  for (let n = 0; n < 100; n++) await push.send(pattern(n, 0, 16));
  const received = await within('the owner gets what it asked for', Promise.all(first));
  expect(received.map(patternNumber)).toEqual([0, 1]);
  const other = Socket.attach(handle);
  for (let n = 2; n < 100; n++) {
    expect(patternNumber(await within(`message ${n} comes`, other.recv()))).toBe(n);
  }
  pull.close();
  push.close();
});

test('the same thread may attach, too', async () => {
  const push = new Push();
  const pull = new Pull();
  push.connect(pull.bind(endpoints.tcp()));
  const again = Socket.attach(pull.share());
  const receives = [pull.recv(), again.recv(), pull.recv(), again.recv()];
  for (const text of ['a', 'b', 'c', 'd']) await push.send(text);
  const texts = await within('all four receives settle', Promise.all(receives));
  expect(texts.map(String).sort()).toEqual(['a', 'b', 'c', 'd']);
  again.close();
  expect(pull.closed).toBe(true);
  push.close();
});

/** Blocks in a send to a peer that has no room. */
const blocks: Body<Handle<'socket'>> = ({ zmq, assert }, handle, port) => {
  const router = zmq.Socket.attach(handle);
  port.postMessage('blocks');
  assert.throws(() => router.sendSync(['full', 'no room'], { timeout: 1000 }), { code: 'EAGAIN' });
};

test('a thread that waits for room at one peer costs no CPU while another waits for messages', async () => {
  const small = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
  const router = new Router({ ...small, mandatory: true });
  const endpoint = router.bind(endpoints.inproc());
  const peers = ['full', 'free'].map((routingId) => new Dealer({ ...small, routingId }));
  for (const peer of peers) {
    peer.connect(endpoint);
    await peer.send('here');
    await within('a peer is there', router.receive());
  }
  while (router.trySend(['full', 'fill']));
  const thread = spawn(blocks, router.share());
  await thread.message('the other thread blocks');
  const received = router.receive();
  const before = process.cpuUsage();
  const begun = performance.now();
  await thread.ended('its time is over');
  const { user, system } = process.cpuUsage(before);
  // A wait that spins takes all of it.
  expect((user + system) / 1000).toBeLessThan((performance.now() - begun) / 2);
  await peers[1]!.send('news');
  expect(String((await within('the message arrives', received))[1])).toBe('news');
  router.close();
  for (const peer of peers) peer.close();
});
