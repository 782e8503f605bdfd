/**
 * Races between the end of a wait and what it waits for. The same code runs in the ordinary suite and, with larger
 * counts, under test/stress.
 */
import { expect } from 'vitest';

import { Context, Dealer, Pull, Push, TimeoutError } from 'zeromq-threads';

import { turn, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';
import { Random } from './random.js';
import { spawn } from './threads.js';

/** How a race ends: each outcome has to happen, or the race was none. */
export interface Outcomes {
  received: number;
  ended: number;
}

/** How a waiting operation is ended, and how to recognise that it was. */
export interface Ending {
  options(chance: () => number): { timeout?: number; signal?: AbortSignal };
  expects(reason: unknown): void;
}

/** Numbers from 0 up to 1, the same in every run. */
function chances(seed: number): () => number {
  const random = new Random(seed);
  return () => random.below(1 << 20) / (1 << 20);
}

export const endings: Record<'timeout' | 'abort', Ending> = {
  timeout: {
    options: () => ({ timeout: 1 }),
    expects: (reason) => {
      expect(reason).toBeInstanceOf(TimeoutError);
      expect(reason).toMatchObject({ code: 'EAGAIN', timeoutSecs: 0.001 });
    },
  },
  abort: {
    options: (chance) => {
      const controller = new AbortController();
      // From the same turn to a little later than the message, one way or another.
      const delay = chance();
      if (delay < 0.2) queueMicrotask(() => controller.abort('cancelled'));
      else if (delay < 0.6) setImmediate(() => controller.abort('cancelled'));
      else setTimeout(() => controller.abort('cancelled'), 1);
      return { signal: controller.signal };
    },
    expects: (reason) => expect(reason).toBe('cancelled'),
  },
};

/**
 * `lanes` receivers, each with a sender in another thread that sends one message when it is told to, now or a little
 * later. Each receives with an end in sight; if the end comes first, the message has to come to the next receive.
 */
export async function raceReceives(ending: Ending, lanes: number, races: number): Promise<Outcomes> {
  const outcomes: Outcomes = { received: 0, ended: 0 };
  const pulls = Array.from({ length: lanes }, () => ofTest(new Pull()));
  const thread = spawn(
    ({ zmq }, addresses: string[], port) => {
      const pushes = addresses.map((endpoint) => {
        const push = new zmq.Push({ sendHighWaterMark: 0 });
        push.connect(endpoint);
        return push;
      });
      port.on('message', ([lane, number, delay]: [number, number, number]) => {
        const send = (): void => pushes[lane]!.sendSync(`${number}`);
        if (delay === 0) send();
        else if (delay === 1) setImmediate(send);
        else setTimeout(send, 1);
      });
      port.postMessage('ready');
    },
    pulls.map((pull) => pull.bind(endpoints.tcp())),
  );
  await thread.message('the sending thread is ready');
  const chance = chances(races);
  const race = async (pull: Pull, lane: number, number: number): Promise<void> => {
    const settled = pull.recv('utf8', ending.options(chance)).then(
      (text) => {
        expect(text, `lane ${lane}, race ${number}`).toBe(`${number}`);
        return true;
      },
      (reason: unknown) => {
        ending.expects(reason);
        return false;
      },
    );
    thread.post([lane, number, Math.floor(chance() * 3)]);
    if (chance() < 0.3) await turn();
    if (await settled) {
      outcomes.received += 1;
      return;
    }
    outcomes.ended += 1;
    const left = await within(`lane ${lane}: message ${number} comes to the next receive`, pull.recv('utf8'));
    expect(left, `lane ${lane}, after race ${number}`).toBe(`${number}`);
  };
  await Promise.all(
    pulls.map(async (pull, lane) => {
      for (let number = 0; number < races; number += 1) await race(pull, lane, number);
      await expect(pull.recv({ timeout: 5 }), `lane ${lane} has nothing left`).rejects.toThrow(TimeoutError);
    }),
  );
  return outcomes;
}

/**
 * Sends with an end in sight against a receiver that makes room now and then. What arrives has to be just those
 * messages whose send succeeded, in order.
 */
export async function raceSends(ending: Ending, lanes: number, races: number): Promise<Outcomes> {
  const outcomes: Outcomes = { received: 0, ended: 0 };
  const chance = chances(races + 1);
  const all = Array.from({ length: lanes }, () => {
    const dealer = ofTest(new Dealer({ sendHighWaterMark: 1, receiveHighWaterMark: 1 }));
    const sink = ofTest(new Dealer({ sendHighWaterMark: 1, receiveHighWaterMark: 1 }));
    sink.connect(dealer.bind(endpoints.inproc()));
    return { dealer, sink };
  });
  await within(
    `${lanes} x ${races} sends settle`,
    Promise.all(
      all.map(async ({ dealer, sink }, lane) => {
        const accepted: string[] = [];
        const arrived: string[] = [];
        const takeOne = (): void => {
          if (sink.closed) return; // a timer that fires after the test
          const frames = sink.tryRecvMultipart();
          if (frames !== undefined) arrived.push(frames.map(String).join());
        };
        for (let race = 0; race < races; race += 1) {
          const data = race % 3 === 0 ? [`${race}`, 'tail'] : `${race}`;
          const when = chance();
          if (when < 0.3) setImmediate(takeOne);
          else if (when < 0.6) setTimeout(takeOne, 1);
          await dealer.send(data, ending.options(chance)).then(
            () => {
              accepted.push(String(data));
              outcomes.received += 1;
            },
            (reason: unknown) => {
              ending.expects(reason);
              outcomes.ended += 1;
            },
          );
        }
        while (arrived.length < accepted.length) {
          const frames = await within(`lane ${lane}: message ${arrived.length}`, sink.recvMultipart());
          arrived.push(frames.map(String).join());
        }
        expect(arrived, `lane ${lane}`).toEqual(accepted);
        await turn();
        takeOne();
        expect(arrived.length, `lane ${lane} has nothing left`).toBe(accepted.length);
      }),
    ),
    120_000,
  );
  return outcomes;
}

/** A parked send and its end in the same turn, in either order, of a PUSH that nobody is connected to yet. */
export async function raceFirstPeer(rounds: number): Promise<Outcomes> {
  const outcomes: Outcomes = { received: 0, ended: 0 };
  const chance = chances(rounds);
  let context = new Context();
  for (let round = 0; round < rounds; round += 1) {
    if (round % 100 === 99) {
      // libzmq closes sockets in a thread of its own, which may be slower than this one.
      await within(
        `round ${round}: the sockets so far are closed`,
        context.close({ timeout: 10_000 }),
        20_000,
      );
      context = new Context();
    }
    const push = new Push({ context });
    const pull = new Pull({ context });
    const endpoint = push.bind(endpoints.inproc());
    const controller = new AbortController();
    const settled = push.send('x', { signal: controller.signal }).then(
      () => true,
      (reason: unknown) => {
        expect(reason).toBe('cancelled');
        return false;
      },
    );
    const steps = [() => pull.connect(endpoint), () => controller.abort('cancelled')];
    if (chance() < 0.5) steps.reverse();
    steps[0]!();
    if (chance() < 0.5) await turn();
    steps[1]!();
    const accepted = await within(`round ${round}: the send settles`, settled);
    outcomes[accepted ? 'received' : 'ended'] += 1;
    push.sendSync('last');
    expect(String(pull.recvSync({ timeout: 10_000 })), `round ${round}`).toBe(accepted ? 'x' : 'last');
    if (accepted) expect(String(pull.recvSync({ timeout: 10_000 }))).toBe('last');
    push.close();
    pull.close();
  }
  await context.close();
  return outcomes;
}
