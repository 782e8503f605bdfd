/** Sends of every kind, mixed at random, to a peer that stops now and then: they are accepted in order or not at all. */
import { expect, test } from 'vitest';

import { Socket, TimeoutError } from 'zeromq-threads';

import { isPending, within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints, type Peer, patternMessage, startPeer } from '../peers/index.js';
import { Random } from '../random.js';

const SHAPES = [[16], [0], [16, 0, 300], [5000], [70_000], [1], [16, 40_000], [200]];
const shapeOf = (n: number) => SHAPES[n % SHAPES.length]!;

/** Stops the peer now and then; lets it go on once a send waits for it. */
class Brake {
  #stopped = false;

  constructor(readonly peer: Peer) {}

  stop(): void {
    this.#stopped = true;
    process.kill(this.peer.pid, 'SIGSTOP');
  }

  release(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    process.kill(this.peer.pid, 'SIGCONT');
  }

  async settled(step: string, promise: Promise<void>): Promise<void> {
    // Observed at once, so that a rejection is never without somebody who listens.
    if (this.#stopped && (await isPending(promise, 10))) this.release();
    await within(step, promise);
  }
}

const LINKS = [
  { type: 'PUSH', theirs: 'PULL', transport: 'ipc', mark: 20 },
  { type: 'PUSH', theirs: 'PULL', transport: 'tcp', mark: 1000 },
  { type: 'PUSH', theirs: 'PULL', transport: 'ipc', mark: 150 },
  { type: 'DEALER', theirs: 'DEALER', transport: 'tcp', mark: 1000 },
  { type: 'PAIR', theirs: 'PAIR', transport: 'ipc', mark: 200 },
] as const;

/** A test for each of the seeds, which are over different links. */
export function mixedSends(count: number, seeds: readonly number[]): void {
  const cases = seeds.map((seed) => ({ seed, ...LINKS[seed % LINKS.length]! }));
  test.each(cases)('whichever way messages are sent: $type, mark $mark, seed $seed', (link) =>
    sendInEveryWay(count, link),
  );
}

async function sendInEveryWay(count: number, link: (typeof LINKS)[number] & { seed: number }): Promise<void> {
  const { seed, type, theirs, transport, mark } = link;
  const random = new Random(seed);
  const socket = ofTest(new Socket(type, { sendHighWaterMark: mark }));
  const peer = await startPeer('c', 'recv', {
    type: theirs,
    bind: endpoints[transport](),
    count: count,
    shapes: SHAPES,
    set: { RCVHWM: 10 },
  });
  socket.connect(peer.endpoint);
  const brake = new Brake(peer);
  const ways = { refused: 0, timedOut: 0, waited: 0 };
  const unsettled: Promise<void>[] = [];
  const settleOldest = async (left: number) => {
    while (unsettled.length > left) await brake.settled('an earlier send settles', unsettled.shift()!);
  };
  let n = 0;
  while (n < count) {
    const message = patternMessage(n, shapeOf(n));
    if (random.below(500) === 0) brake.stop();
    switch (random.below(6)) {
      case 0:
      case 1:
        unsettled.push(socket.send(message.length === 1 ? message[0]! : message));
        unsettled.at(-1)!.catch(() => {}); // it is awaited later; should the test fail before that, it is no news
        n += 1;
        if (unsettled.length > 60) await settleOldest(random.below(60));
        break;
      case 2: {
        const sending = socket.sendMultipart(message);
        if (await isPending(sending, 0)) ways.waited += 1;
        await brake.settled(`message ${n} is accepted`, sending);
        n += 1;
        break;
      }
      case 3:
        if (socket.trySend(message)) n += 1;
        else ways.refused += 1;
        break;
      case 4:
        try {
          socket.sendSync(message, { timeout: random.below(3) });
          n += 1;
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
          ways.timedOut += 1;
          // The peer does not read yet: there is no better time to be refused.
          if (socket.trySend(message)) n += 1;
          else ways.refused += 1;
          brake.release();
        }
        break;
      default:
        try {
          await socket.send(message, { timeout: random.below(3) });
          n += 1;
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
          ways.timedOut += 1;
          if (ways.timedOut % 5 === 0) brake.release();
        }
    }
  }
  await settleOldest(0);
  brake.release();
  // Over ipc, libzmq 4.3.4 loses what is under way to a receiver at its mark when the sender goes.
  if (transport === 'tcp') socket.close({ linger: -1 });
  expect((await peer.result()).received).toBe(count);
  expect(Math.min(ways.refused, ways.timedOut, ways.waited), JSON.stringify(ways)).toBeGreaterThan(0);
}
