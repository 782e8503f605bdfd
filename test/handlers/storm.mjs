/** Handlers that do everything a handler may do, by the number in the first frame: see traffic/line-storm.ts. */
import { setTimeout as sleep } from 'node:timers/promises';

const textOf = (frame) => String(frame);

/** How many results a number has. */
export const resultsOf = (n) => (n * 7919) % 4;
/** Whether its handler throws; a generator does so once it has yielded. */
export const throws = (n) => n % 97 === 13;
/** Whether its thread dies at the first attempt. */
export const dies = (n, deathsEvery) => n % deathsEvery === deathsEvery - 1;

async function* later(n, delay) {
  for (let i = 0; i < resultsOf(n); i += 1) {
    if (delay > 0) await sleep(delay);
    yield [String(n), String(i)];
  }
  if (throws(n)) throw new RangeError(`not ${n}`);
}

function* atOnce(n) {
  for (let i = 0; i < resultsOf(n); i += 1) yield [String(n), String(i)];
  if (throws(n)) throw new RangeError(`not ${n}`);
}

/** The first stage. A second frame says how often threads die; `end` passes as it is. */
export function spread([frame, every], context) {
  if (textOf(frame) === 'end') return frame;
  const n = Number(textOf(frame));
  const delay = (n * 31) % 11 === 0 ? (n * 17) % 5 : 0;
  if (context.attempt === 0 && dies(n, Number(textOf(every)))) process.exit(1);
  switch (n % 3) {
    case 0:
      return later(n, delay);
    case 1:
      return atOnce(n);
    default: {
      if (throws(n)) return sleep(delay).then(() => Promise.reject(new RangeError(`not ${n}`)));
      const results = Array.from({ length: resultsOf(n) }, (_, i) => [String(n), String(i)]);
      return delay > 0 ? sleep(delay).then(() => results) : results;
    }
  }
}

/** The second stage: after a while, as it was. */
export function delayed(frames) {
  const n = Number(textOf(frames[0]));
  return n % 13 === 0 ? sleep(n % 4).then(() => frames) : frames;
}
