/** Echoes. What its setup and teardown do in which thread, workerData says: `{ setup: { 1: 'throw' }, ... }`. */
import { threadId, workerData } from 'node:worker_threads';

export default (request, { thread }) =>
  String(request[0]) === 'exit' ? process.exit(1) : `${thread} ${threadId}`;

const deeds = {
  throw: (what) => {
    throw new RangeError(`no ${what}`);
  },
  throwNull: () => {
    throw null;
  },
  exit: () => process.exit(4),
  hang: () => new Promise((resolve) => setTimeout(resolve, 600_000)),
  block: () => {
    for (;;);
  },
  // Ready, and gone while another still starts, which goes on once there is a new one in its place.
  dieWhenReady: () => {
    if (Atomics.compareExchange(workerData.word, 0, DEAD, REPLACED) === DEAD) return;
    setImmediate(function wait() {
      if (Atomics.compareExchange(workerData.word, 0, OTHER_STARTS, DEAD) === OTHER_STARTS) process.exit(1);
      setImmediate(wait);
    });
  },
  waitForReplacement: async () => {
    Atomics.store(workerData.word, 0, OTHER_STARTS);
    while (Atomics.load(workerData.word, 0) !== REPLACED) await new Promise(setImmediate);
  },
  waitUntilTold: async () => {
    Atomics.add(workerData.word, 0, 1);
    while (Atomics.load(workerData.word, 0) !== TOLD) await new Promise(setImmediate);
  },
  throwIfTold: () => {
    if (Atomics.load(workerData.word, 0) === 1) throw new RangeError('not now');
  },
  hangIfTold: () => (Atomics.load(workerData.word, 0) === 1 ? deeds.hang() : undefined),
};

const [OTHER_STARTS, DEAD, REPLACED] = [1, 2, 3];
const TOLD = 100;

const act = (what, thread) => deeds[workerData?.[what]?.[thread]]?.(what);

export const setup = ({ thread }) => act('setup', thread);
export const teardown = ({ thread }) => act('teardown', thread);
