/**
 * Situations in which a call on a socket may swallow the edge of its descriptor that somebody else waits for. Each is
 * repeated with other delays; a wake-up that is lost shows as a stall. The same code runs in the ordinary suite and,
 * with larger counts, under test/stress.
 */
import { onTestFinished } from 'vitest';
import { Dealer, Poller, proxy, Router } from 'zeromq-threads';

import { turn, within } from '../bounded.js';
import { linked, ofTest } from '../linked.js';
import { endpoints } from '../peers/index.js';
import { Random } from '../random.js';
import { spawn } from '../threads.js';
import { blockUntilChanged, spin, withoutStall } from './stall.js';

export interface EdgeOptions {
  rounds: number;
  seed?: number;
}

/** trySend looks for room again and again, and finds none, while a message for the same socket arrives. */
export async function trySendWithoutRoom({ rounds, seed = 1 }: EdgeOptions): Promise<void> {
  const random = new Random(seed);
  const small = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
  const [full, peer] = linked(new Dealer(small), new Dealer(small), endpoints.inproc());
  while (full.trySend('fill'));
  for (let round = 0; round < rounds; round += 1) {
    const received = full.recv();
    for (let turns = random.below(5); turns > 0; turns -= 1) await turn();
    peer.trySend('x');
    for (let tries = random.below(30); tries > 0; tries -= 1) full.trySend('no room');
    await withoutStall(`round ${round} of seed ${seed}: the message arrives`, received);
  }
}

/** Several receives wait while another thread waits for room to send, on the same socket. */
export async function othersWaitForRoom({ rounds, seed = 2 }: EdgeOptions): Promise<void> {
  const random = new Random(seed);
  const [full, peer] = linked(
    new Dealer({ sendHighWaterMark: 1 }),
    new Dealer({ receiveHighWaterMark: 1 }),
    endpoints.inproc(),
  );
  const thread = spawn(({ zmq }, handle, port) => {
    const socket = zmq.Socket.attach(handle);
    while (socket.trySend('fill'));
    const parked = socket.send('waits').catch(() => 'closed');
    port.postMessage('parked');
    return parked;
  }, full.share());
  await thread.message('the other thread’s send waits');
  for (let round = 0; round < rounds; round += 1) {
    const received = Array.from({ length: 3 }, () => full.recv());
    await undefined;
    for (const _ of received) {
      peer.trySend('x');
      spin(random.below(3000));
    }
    await withoutStall(`round ${round} of seed ${seed}: three messages arrive`, Promise.all(received));
  }
  full.close();
  await thread.ended('the other thread ends');
}

/** A poller takes a socket over from a receive that was cancelled, while the very first message arrives. */
export async function pollerAfterCancelledReceive({ rounds, seed = 3 }: EdgeOptions): Promise<void> {
  const random = new Random(seed);
  for (let round = 0; round < rounds; round += 1) {
    const [watched, peer] = [new Dealer({ linger: 0 }), new Dealer({ linger: 0 })];
    peer.connect(watched.bind(endpoints.inproc()));
    const controller = new AbortController();
    const cancelled = watched.recv({ signal: controller.signal }).catch(() => {});
    if (round % 2 === 1) await turn();
    controller.abort();
    await cancelled;
    const poller = new Poller([watched]);
    peer.trySend('x');
    spin(random.below(3000));
    await withoutStall(`round ${round} of seed ${seed}: the poller sees the message`, poller.wait());
    if (watched.tryRecv() === undefined) throw new Error(`round ${round}: readable, but nothing is there`);
    poller.close();
    watched.close();
    peer.close();
  }
}

/**
 * A poller waits for room behind a send that waits, too, and that is withdrawn: from then on the room is the poller's.
 *
 * @param armedFirst whether the poller waits before the send does
 */
export async function pollerBehindWithdrawnSend({
  rounds,
  armedFirst,
}: EdgeOptions & { armedFirst: boolean }): Promise<void> {
  const small = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
  const [full, peer] = linked(new Dealer(small), new Dealer(small), endpoints.inproc());
  const poller = new Poller([{ socket: full, readable: false, writable: true }]);
  onTestFinished(() => poller.close());
  for (let round = 0; round < rounds; round += 1) {
    while (full.trySend('fill'));
    const controller = new AbortController();
    const early = armedFirst ? poller.wait() : undefined;
    if (round % 2 === 1) await turn();
    const withdrawn = full.send('withdrawn', { signal: controller.signal }).catch(() => {});
    if (round % 3 === 1) await turn();
    const writable = early ?? poller.wait();
    if (round % 5 < 3) await turn();
    controller.abort();
    await withdrawn;
    while (peer.tryRecv() !== undefined);
    await withoutStall(`round ${round}: the poller sees the room`, writable);
  }
}

/**
 * A send to a ROUTER's peer that has room waits behind one to a peer that has none, until that one is withdrawn.
 *
 * @param blocking whether it blocks a thread of its own
 */
export async function sendBehindWithdrawnSend({
  rounds,
  blocking,
}: EdgeOptions & { blocking: boolean }): Promise<void> {
  const small = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
  const router = ofTest(new Router({ ...small, mandatory: true }));
  const endpoint = router.bind(endpoints.inproc());
  const [full, free] = ['full', 'free'].map((routingId) => {
    const peer = ofTest(new Dealer({ ...small, routingId }));
    peer.connect(endpoint);
    return peer;
  }) as [Dealer, Dealer];
  for (const peer of [full, free]) {
    await peer.send('here');
    await within('a peer is there', router.receive());
  }
  while (router.trySend(['full', 'fill']));
  const asked = new Int32Array(new SharedArrayBuffer(4));
  const thread = !blocking
    ? undefined
    : spawn(
        ({ zmq }, data, port) => {
          const socket = zmq.Socket.attach(data.handle);
          for (let round = 0; round < data.rounds; round += 1) {
            while (Atomics.load(data.asked, 0) === round) Atomics.wait(data.asked, 0, round);
            port.postMessage('sends');
            socket.sendSync(['free', 'behind']);
          }
        },
        { handle: router.share(), asked, rounds },
      );
  for (let round = 0; round < rounds; round += 1) {
    const controller = new AbortController();
    const withdrawn = router.send(['full', 'withdrawn'], { signal: controller.signal }).catch(() => {});
    let behind: Promise<unknown> = Promise.resolve();
    if (thread === undefined) behind = router.send(['free', 'behind']);
    else {
      Atomics.store(asked, 0, round + 1);
      Atomics.notify(asked, 0);
      await thread.message(`round ${round}: the other thread sends`);
      spin(20_000); // mostly it waits by then
    }
    if (round % 2 === 1) await turn();
    controller.abort();
    await withdrawn;
    await withoutStall(`round ${round}: what waited behind it arrives`, free.recv());
    await behind;
  }
}

/**
 * A thread sends with trySend and then blocks, so that it does not come to look after the edge it may have swallowed.
 * Another thread receives from the same socket, through an I/O worker that other traffic keeps from ever being idle.
 */
export async function senderThatBlocks({ rounds, seed = 4 }: EdgeOptions): Promise<void> {
  const socket = ofTest(new Dealer());
  const endpoint = socket.bind(endpoints.tcp());
  const [asked, answered] = [
    new Int32Array(new SharedArrayBuffer(4)),
    new Int32Array(new SharedArrayBuffer(4)),
  ];
  const receiver = spawn(
    async ({ zmq }, data, port) => {
      const shared = zmq.Socket.attach(data.handle);
      const noise = new zmq.Pull();
      port.postMessage(noise.bind('tcp://127.0.0.1:*'));
      const noisy = (async () => {
        for await (const _ of noise);
      })();
      for await (const _ of shared) {
        Atomics.add(data.answered, 0, 1);
        Atomics.notify(data.answered, 0);
      }
      noise.close();
      await noisy;
    },
    { handle: socket.share(), answered },
  );
  const noiseEndpoint: string = await receiver.message('the receiver is ready');
  const noisy = spawn(({ zmq }, to) => {
    const push = new zmq.Push({ linger: 0 });
    push.connect(to);
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      push.trySend('noise');
      Atomics.wait(nothing, 0, 0, 1);
    }
  }, noiseEndpoint);
  const peer = spawn(
    ({ zmq }, data, port) => {
      const dealer = new zmq.Dealer({ linger: 0 });
      dealer.connect(data.endpoint);
      dealer.sendSync('connected');
      port.postMessage('connected');
      for (let round = 0; round < data.rounds; round += 1) {
        // A wait may end by the notice of the round before, if that comes late.
        while (Atomics.load(data.asked, 0) === round) Atomics.wait(data.asked, 0, round);
        dealer.sendSync('x');
        while (dealer.tryRecv() !== undefined);
      }
      for (;;) dealer.recvSync(); // stays, with its connection, until it is terminated
    },
    { endpoint, rounds, asked },
  );
  await peer.message('the peer is connected');
  await withoutStall(
    'its greeting arrives',
    Atomics.waitAsync(answered, 0, 0).value as Promise<string>,
    5000,
  );
  const random = new Random(seed);
  // From here on this thread does not return to its event loop.
  for (let round = 0; round < rounds; round += 1) {
    Atomics.store(asked, 0, round + 1);
    Atomics.notify(asked, 0);
    for (let tries = 10 + random.below(40); tries > 0; tries -= 1) socket.trySend('');
    blockUntilChanged(`round ${round} of seed ${seed}: the other thread receives`, answered, round + 1);
  }
  await noisy.terminate('the noise ends');
  socket.close();
  await peer.terminate('the peer ends');
  await receiver.ended('the receiver ends');
}

/**
 * Each send to a ROUTER's only peer waits for the one before it to be received: room for it is announced once, while
 * ZMQ_POLLOUT says all the time that there is some.
 *
 * @param proxied whether a proxy sends, from another thread
 */
export async function roomOfOnePeer({
  rounds,
  proxied = false,
}: EdgeOptions & { proxied?: boolean }): Promise<void> {
  const small = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
  const router = new Router({ ...small, mandatory: true });
  const [, peer] = linked(router, new Dealer({ ...small, routingId: 'peer' }), endpoints.inproc());
  await peer.send('here');
  await within('the peer is there', router.receive());
  let source: Router | Dealer = router;
  if (proxied) {
    const [frontend, other] = linked(new Dealer(small), new Dealer(small), endpoints.inproc());
    const joined = proxy(frontend, router);
    onTestFinished(() => joined.terminate());
    source = other;
  }
  const sending = (async () => {
    for (let round = 0; round < rounds; round += 1) await source.send(['peer', `${round}`]);
  })();
  for (let round = 0; round < rounds; round += 1) {
    await withoutStall(`message ${round} arrives`, peer.recv());
  }
  await withoutStall('the last send is accepted', sending);
}
