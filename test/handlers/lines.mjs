/** Handlers of the pipeline tests. Most of them obey a first frame that says what to do with the second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { toSink } from 'zeromq-threads';

/** Back as it came, with the thread's number. */
export default (frames, context) => [...frames, String(context.thread)];

export const same = (frames) => frames;

/** After a while that differs from message to message. */
export async function late(frames) {
  const number = Number(String(frames.at(-1)));
  await sleep((number * 7919) % 8);
  return frames;
}

/** Busy for a while that differs from message to message. */
export function busy(frames) {
  const number = Number(String(frames.at(-1)));
  const until = performance.now() + ((number * 7919) % 5) / 10;
  while (performance.now() < until);
  return frames;
}

/** Counts up the word, and waits until it is 100. */
export async function told(frames) {
  Atomics.add(workerData.word, 0, 1);
  while (Atomics.load(workerData.word, 0) !== 100) await new Promise(setImmediate);
  return frames;
}

/** Everything that can be returned, by the number: see `expectedOf` in pipeline.test.ts. */
export function forms([frame]) {
  const text = String(frame);
  switch (Number(text) % 8) {
    case 0:
      return undefined;
    case 1:
      return `${text} text`;
    case 2:
      return [text, 'two frames'];
    case 3:
      return [
        [text, 'first'],
        [text, 'second'],
      ];
    case 4:
      return (function* () {
        yield `${text} a`;
        yield [text, 'b'];
      })();
    case 5:
      return (async function* () {
        yield `${text} x`;
        await sleep(1);
        yield `${text} y`;
      })();
    case 6:
      return Promise.resolve(frame);
    default:
      return [];
  }
}

export function routed([frame]) {
  const number = Number(String(frame));
  if (number % 3 === 0) return toSink('left', frame);
  if (number % 3 === 1) return [toSink('right', frame), toSink('left', ['copy', frame])];
  return frame;
}

export function failing(frames) {
  const number = Number(String(frames.at(-1)));
  if (number % 10 === 3) throw new RangeError(`not ${number}`);
  if (number % 10 === 7) return sleep(1).then(() => Promise.reject(new Error(`nor ${number}`)));
  if (number % 10 === 9) return { not: 'sendable' };
  return frames;
}

let handled = 0;

/** Every so often its thread is gone. */
export function dying(frames, context) {
  const number = Number(String(frames.at(-1)));
  handled += 1;
  if (number % 200 === 150 && context.attempt === 0) process.exit(1);
  return frames;
}

/** Its thread is gone some time after it has returned: its result may be anywhere on its way out then. */
export function fleeting(frames, context) {
  const number = Number(String(frames.at(-1)));
  if (number % 50 === 25 && context.attempt === 0) setTimeout(() => process.exit(1), (number * 7919) % 12);
  return frames;
}

/** In a thread whose turns are long, so that others see to what it waits to send. */
export function occupying(frames) {
  const until = performance.now() + 3;
  while (performance.now() < until);
  return frames;
}

export async function slowThread(frames, context) {
  if (context.thread === 0) await sleep(100);
  return [...frames, String(context.thread)];
}

/** Never done before its signal aborts. */
export const stuck = (_, context) =>
  new Promise((resolve) => context.signal.addEventListener('abort', () => resolve(undefined)));

export const total = () => String(handled);

export function* yielding(frames) {
  yield frames;
}

export const throwing = () => {
  throw new RangeError('always');
};

/** Its thread is gone, whenever it is tried. */
export function deadly(frames) {
  if (Number(String(frames.at(-1))) % 10 === 5) process.exit(1);
  return frames;
}

/** What it leaves of the array it got is not what came. */
export function spoiling(frames) {
  const number = Number(String(frames.at(-1)));
  if (number % 3 === 0) frames.shift();
  if (number % 3 === 1) frames.length = 0;
  if (number % 3 === 2) frames[0] = 'no frame';
  throw new RangeError('always');
}

export function deadlyOrFailing(frames) {
  if (Number(String(frames.at(-1))) % 10 === 5) process.exit(1);
  throw new RangeError('always');
}

/** Past the other stages: 2 to a sink of its own; 4 to one that there is not. */
export function aside(frames) {
  const number = Number(String(frames.at(-1)));
  if (number % 10 === 2) return toSink('aside', frames);
  return number % 10 === 4 ? toSink('nowhere', frames) : frames;
}

export const sourced = (frames, { source }) => [...frames, String(source)];
