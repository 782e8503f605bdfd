/** What an application does to the messages, and messages to the application. */
import { LATENCY_METRICS, latencyFigures } from '../lib/latency.mjs';
import { rate } from '../lib/trial.mjs';
import { countFor, formatSize, named, npmShare } from './variants.mjs';

const SENDER = { library: 'c', role: 'push' };

/** A C sender as fast as it goes, while the receiver's main thread is busy. */
function busyCase(size, part, full) {
  const percent = part * 100;
  const variant = (library, role, label, share = 1) => ({
    ...named({ library, role }, { label, base: 'pull' }, countFor(size) / 2, share),
    binder: { library, role, options: { busy: part || undefined } },
    connector: SENDER,
  });
  // At 100 % whoever receives in the main thread gets one turn in 10 ms.
  const slow = part === 1 ? 0.1 : 1;
  return {
    name: `busy-${size}-${percent}`,
    title: `PULL, ${formatSize(size)} over tcp, main thread ${percent} % busy`,
    full,
    group: 'busy main thread',
    size,
    metrics: [{ key: 'rate', label: 'msg/s', better: 'higher' }],
    figures: ({ bound }) => ({ rate: rate(bound) }),
    variants: [
      variant('zeromq-threads', 'pull-batches', '`batches()`', slow),
      variant('zeromq-threads', 'pull', '`for await`', slow),
      variant('npm-zeromq', 'pull', '`for await`', npmShare(size) * slow),
      variant('zeromq-threads-worker', 'pull', '`for await`'),
      variant('npm-zeromq-worker', 'pull', '`for await`', npmShare(size)),
    ],
  };
}

/** More than one npm zeromq thread receives in half of its time, and less than it receives in all of it. */
const OFFERED = 200_000;

/** As above, from a C sender at a steady rate, which leaves the cores time: what falls behind is the receiver's doing. */
function offeredCase(part) {
  const { variants, ...rest } = busyCase(16, part, part === 1);
  return {
    ...rest,
    name: `busy-16-offered-${part * 100}`,
    title: `PULL, 16 B over tcp, ${OFFERED} offered a second, main thread ${part * 100} % busy`,
    group: 'busy main thread, steady rate',
    variants: variants.map((variant) => ({
      ...variant,
      count: part === 1 && !variant.library.endsWith('-worker') ? OFFERED / 4 : 2 * OFFERED,
      connector: { library: 'c', role: 'push-rate', options: { rate: OFFERED } },
    })),
  };
}

const RATE = 100_000;

/** Timers of a thread that receives at a steady rate. */
const delayCase = {
  name: 'delay-16',
  title: `Event-loop delay of a thread that receives ${RATE} messages of 16 B a second`,
  group: 'event-loop delay',
  size: 16,
  metrics: LATENCY_METRICS,
  figures: ({ bound }) => ({ ...latencyFigures(bound), rate: rate(bound) }),
  variants: ['zeromq-threads', 'npm-zeromq'].map((library) => ({
    ...named({ library, role: 'pull-watched' }, { label: '`for await`', base: 'pull-watched' }, 4 * RATE),
    // The second half is watched: threads that are started after a second are there by then.
    binder: { library, role: 'pull-watched' },
    connector: { library: 'c', role: 'push-rate', options: { rate: RATE } },
  })),
};

export const loadedCases = [
  ...[0, 0.5, 1].map((part) => busyCase(16, part, part === 1)),
  ...[0, 0.5, 1].map((part) => busyCase(16_384, part, part === 1)),
  ...[0, 0.5, 1].map((part) => offeredCase(part)),
  delayCase,
];
