/** A stream of messages, received in every way there is, by itself or mixed with the others. */
import { expect, test } from 'vitest';

import { type Batch, type Message, Pull, Push, SocketClosedError, type SocketOptions } from 'zeromq-threads';

import { turn, within } from '../bounded.js';
import { ofTest } from '../linked.js';
import { endpoints, mismatch, patternMessage, startPeer } from '../peers/index.js';
import { Random } from '../random.js';

const SHAPES: readonly (readonly number[])[] = [
  [16],
  [0],
  [16, 0],
  [300],
  [5000],
  [0, 1, 0],
  [70_000],
  Array.from({ length: 50 }, (_, k) => (k % 3) * 40),
  [1],
  [3000, 20_000, 0],
];
const COUNT = 2000;
const FRAMES = Array.from({ length: COUNT }, (_, n) => shapeOf(n).length).reduce(
  (sum, frames) => sum + frames,
);

function shapeOf(n: number): readonly number[] {
  return SHAPES[n % SHAPES.length]!;
}

/** Follows a stream of the pattern, frame by frame, and keeps some of it to look at again when all is over. */
class Expected {
  message = 0;
  frame = 0;
  frames = 0;
  readonly #kept: [number, number, Uint8Array][] = [];

  get done(): boolean {
    return this.message === COUNT;
  }

  /** @param keeps whether the bytes stay valid, so that they may be kept */
  take(bytes: Uint8Array, more: boolean, keeps: boolean): void {
    const { message: n, frame: k } = this;
    if (this.done) expect.fail('more came than was sent');
    const sizes = shapeOf(n);
    if (bytes.length !== sizes[k]) {
      expect.fail(`message ${n} frame ${k}: ${bytes.length} bytes, expected ${sizes[k]}`);
    }
    const at = mismatch(bytes, n, k);
    if (at >= 0) expect.fail(`message ${n} frame ${k}: wrong byte at offset ${at}`);
    const last = k + 1 === sizes.length;
    if (more === last) expect.fail(`message ${n} frame ${k}: more is ${more}`);
    this.frames += 1;
    this.frame = last ? 0 : k + 1;
    if (last) this.message += 1;
    if (!keeps) return;
    if (n % 20 === 0) this.#kept.push([n, k, bytes]);
    else if (n % 3 === 0) (bytes as Message).release();
  }

  /** The rest of a message: all of it, unless some frames were taken before. */
  takeMessage(frames: readonly Message[], keeps = true): void {
    const before = this.message;
    for (const frame of frames) this.take(frame, frame.more, keeps);
    if (this.message !== before + 1 || this.frame !== 0) {
      expect.fail(`message ${before}: ${frames.length} frames`);
    }
  }

  takeBatch(batch: Batch, access: 'at' | 'iterate' | 'raw', keeps: boolean): void {
    const { message, frames } = this;
    let bytes = 0;
    if (access === 'iterate') {
      for (const each of batch) {
        this.takeMessage(each, keeps);
        for (const frame of each) bytes += frame.length;
      }
    }
    for (let index = 0; access !== 'iterate' && index < batch.length; index++) {
      const [offset, size] = [batch.offset(index), batch.size(index)];
      const frame = access === 'at' ? batch.at(index) : batch.data.subarray(offset, offset + size);
      this.take(frame, batch.more(index), keeps && access === 'at');
      if (access === 'at') expect(batch.at(index).more).toBe(batch.more(index));
      bytes += size;
    }
    expect(batch.length, 'batch.length counts frames').toBe(this.frames - frames);
    expect(batch.messages, 'batch.messages counts messages').toBe(this.message - message);
    expect(batch.bytes, 'batch.bytes').toBe(bytes);
    expect(this.frame, 'a batch ends with a message').toBe(0);
  }

  checkKept(): void {
    for (const [n, k, bytes] of this.#kept) {
      const at = mismatch(bytes, n, k);
      if (at >= 0) expect.fail(`kept message ${n} frame ${k} has changed at offset ${at}`);
    }
  }
}

interface Reading {
  pull: Pull;
  expected: Expected;
  random: Random;
}

const ACCESS = ['at', 'iterate', 'raw'] as const;

/** What each does is one step: some receive one frame, some several messages. */
const MODES: Record<string, (reading: Reading) => Promise<void> | void> = {
  'recv, frame by frame': async ({ pull, expected }) => {
    const { message, frame } = expected;
    const received = await within(`message ${message} frame ${frame}`, pull.recv());
    expected.take(received, received.more, true);
  },
  recvMultipart: async ({ pull, expected }) => {
    expected.takeMessage(await within(`message ${expected.message}`, pull.recvMultipart()));
  },
  receive: async ({ pull, expected }) => {
    expected.takeMessage(await within(`message ${expected.message}`, pull.receive({ timeout: 5000 })));
  },
  tryRecv: async ({ pull, expected }) => {
    const received = pull.tryRecv();
    if (received === undefined) await turn();
    else expected.take(received, received.more, true);
  },
  tryRecvMultipart: async ({ pull, expected }) => {
    const received = pull.tryRecvMultipart();
    if (received === undefined) await turn();
    else expected.takeMessage(received);
  },
  recvSync: ({ pull, expected }) => {
    const received = pull.recvSync({ timeout: 10_000 });
    expected.take(received, received.more, true);
  },
  recvMultipartSync: ({ pull, expected }) => {
    expected.takeMessage(pull.recvMultipartSync({ timeout: 10_000 }));
  },
  'for await': async ({ pull, expected, random }) => {
    let left = 1 + random.below(20);
    for await (const frames of pull) {
      expected.takeMessage(frames);
      left -= 1;
      if (left === 0 || expected.done) break;
    }
  },
  'batches, borrowed': async ({ pull, expected, random }) => {
    let left = 1 + random.below(4);
    for await (const batch of pull.batches()) {
      expected.takeBatch(batch, random.oneOf(ACCESS), false);
      left -= 1;
      if (left === 0 || expected.done) break;
    }
  },
  'batches of at most 3': async ({ pull, expected, random }) => {
    let left = 1 + random.below(10);
    for await (const batch of pull.batches({ max: 3 })) {
      expect(batch.messages).toBeLessThanOrEqual(3);
      expected.takeBatch(batch, random.oneOf(ACCESS), false);
      left -= 1;
      if (left === 0 || expected.done) break;
    }
  },
  'batches, retained': async ({ pull, expected, random }) => {
    let left = 1 + random.below(4);
    for await (const batch of pull.batches({ max: 20 })) {
      expected.takeBatch(batch.retain(), random.oneOf(ACCESS), true);
      left -= 1;
      if (left === 0 || expected.done) break;
    }
  },
};

/** A promise that is looked at later: should the test fail before that, its rejection is no news. */
function noted<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  return promise;
}

/** Several receives of any kind at once. What is asked for first comes first, whatever each of them takes. */
async function severalAtOnce({ pull, expected, random }: Reading): Promise<void> {
  const asked = Array.from({ length: 1 + random.below(10) }, (): (() => Promise<void>) => {
    switch (random.below(4)) {
      case 0: {
        const receiving = noted(pull.recv());
        return async () => {
          const received = await receiving;
          expected.take(received, received.more, true);
        };
      }
      case 1: {
        const receiving = noted(pull.recvMultipart());
        return async () => expected.takeMessage(await receiving);
      }
      case 2: {
        const receiving = noted(pull[Symbol.asyncIterator]().next());
        return async () => {
          const { done, value } = await receiving;
          if (!done) expected.takeMessage(value);
        };
      }
      default: {
        const iterator = pull.batches({ max: 1 + random.below(10) });
        const receiving = noted(iterator.next());
        return async () => {
          const { done, value } = await receiving;
          if (done) return;
          expected.takeBatch(value, random.oneOf(ACCESS), false);
          await iterator.return?.();
        };
      }
    }
  });
  for (const settled of asked) {
    try {
      await within(`message ${expected.message}`, settled());
    } catch (error) {
      if (!(error instanceof SocketClosedError)) throw error;
    }
    // Whoever still waits when all has come is told of the end.
    if (expected.done) pull.close();
  }
}

/** Where the messages come from. */
export type Source = 'c' | 'ourselves';

/** The ways to receive. A blocking call never lets the event loop turn, and so would never let ourselves send. */
export function waysToReceive(from: Source): string[] {
  return Object.keys(MODES).filter((name) => from === 'c' || !name.endsWith('Sync'));
}

/** A C peer's messages, or our own over inproc. */
async function start(from: Source, options: SocketOptions<'PULL'>): Promise<Pull> {
  const pull = ofTest(new Pull(options));
  if (from === 'c') {
    const endpoint = pull.bind(endpoints.ipc());
    await startPeer('c', 'send', { connect: endpoint, count: COUNT, shapes: SHAPES, stay: true });
    return pull;
  }
  const push = ofTest(new Push());
  push.connect(pull.bind(endpoints.inproc()));
  const sending = (async () => {
    for (let n = 0; n < COUNT; n++) await push.sendMultipart(patternMessage(n, shapeOf(n)));
  })();
  sending.catch(() => {}); // the test failed already, and closed the socket
  return pull;
}

async function read(reading: Reading, step: () => Promise<void> | void): Promise<void> {
  const { pull, expected } = reading;
  while (!expected.done) await step();
  expect(expected.frames).toBe(FRAMES);
  if (!pull.closed) expect(pull.tryRecv(), 'what is left').toBeUndefined();
  expected.checkKept();
}

async function reading(from: Source, seed: number, options: SocketOptions<'PULL'>): Promise<Reading> {
  return { pull: await start(from, options), expected: new Expected(), random: new Random(seed) };
}

/** All of a stream, in one way. */
export async function receiveBy(from: Source, mode: string): Promise<void> {
  const made = await reading(from, 0, {});
  await within(
    'all of it',
    read(made, () => MODES[mode]!(made)),
    20_000,
  );
}

const OPTIONS: SocketOptions<'PULL'>[] = [
  {},
  { receiveHighWaterMark: 5 },
  { prefetch: 4096 },
  { dedicatedWorker: true },
];

/** Tests that mix all ways, for each of the seeds with other options. */
export function mixedReceives(from: Source, seeds: readonly number[]): void {
  const cases = seeds.map((seed) => ({ seed, options: OPTIONS[seed % OPTIONS.length]! }));

  test.each(cases)('all ways mixed, $options, seed $seed', async ({ seed, options }) => {
    const made = await reading(from, seed, options);
    const modes = waysToReceive(from);
    await within(
      'all of it',
      read(made, () => MODES[made.random.oneOf(modes)]!(made)),
      20_000,
    );
  });

  test.each(cases)('several at once, $options, seed $seed', async ({ seed, options }) => {
    const made = await reading(from, seed, options);
    await within(
      'all of it',
      read(made, () => severalAtOnce(made)),
      20_000,
    );
  });
}
