/** Handlers that yield their results. The first frame is a number. */
import { setTimeout as sleep } from 'node:timers/promises';

const numberOf = ([frame]) => Number(String(frame));

export const set = ([frame]) => new Set([`${frame} a`, `${frame} b`]);

/** 1 yields once, and is never heard of again. */
export async function* hanging(frames) {
  yield `${numberOf(frames)} first`;
  if (numberOf(frames) === 1) await new Promise(() => {});
  yield `${numberOf(frames)} second`;
}

/** 1 yields once, then blocks its thread. */
export function* blocking(frames) {
  yield `${numberOf(frames)} first`;
  if (numberOf(frames) === 1) for (;;);
  yield `${numberOf(frames)} second`;
}

/** Yields for ever, without a promise anywhere. */
export function* endless(_frames, context) {
  try {
    for (;;) yield 'more';
  } finally {
    context.logger.info('finally');
  }
}

/** The thread of 1 dies before its first result. */
export async function* dyingAtFirst(frames, context) {
  if (numberOf(frames) === 1 && context.attempt === 0) process.exit(1);
  yield `${numberOf(frames)} first`;
}

/** The thread of 1 dies once its first result is out. */
export async function* dyingAtSecond(frames) {
  yield `${numberOf(frames)} first`;
  if (numberOf(frames) === 1) await sleep(20).then(() => process.exit(1));
  yield `${numberOf(frames)} second`;
}

/** Fails after its first result. */
export function* failing(frames) {
  yield `${numberOf(frames)} first`;
  if (numberOf(frames) === 1) throw new RangeError('no second');
  yield `${numberOf(frames)} second`;
}

const noDone = {
  get done() {
    throw new RangeError('no done');
  },
};

/** The iterators of 0 and 1 do not end as iterators do. */
export const misbehaving = ([frame]) => {
  const number = numberOf([frame]);
  const ends = [noDone, undefined, { done: true }];
  const steps = [{ done: false, value: `${number} first` }, ends[number]];
  const next = () => steps.shift();
  if (number === 1) return { [Symbol.asyncIterator]: () => ({ next: async () => next() }) };
  return { [Symbol.iterator]: () => ({ next }) };
};

const size = 10_000;
const payload = (n) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(n);
  return bytes;
};

/** As many results as the second frame says, of 10 kB each; says so of each that it makes. */
export function* many([, count], context) {
  for (let n = 0; n < Number(String(count)); n += 1) {
    context.logger.info(n);
    yield payload(n);
  }
}

export async function* manyLater(frames, context) {
  for (const bytes of many(frames, context)) {
    await undefined;
    yield bytes;
  }
}

/** 0 is never done; others yield as `many` does. */
export const oneStuck = (frames, context) =>
  numberOf(frames) === 0 ? new Promise(() => {}) : many(frames, context);
