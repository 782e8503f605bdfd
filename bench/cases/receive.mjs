/** A C sender over tcp, and every way to receive. */
import { rate } from '../lib/trial.mjs';
import { countFor, formatSize, named, npmShare, SIZES } from './variants.mjs';

const SENDER = { library: 'c', role: 'push' };
const METRICS = [{ key: 'rate', label: 'msg/s', better: 'higher' }];

/** Every receiver of PULL, those of a short run first. */
export function receivers(size, count) {
  const variant = (library, role, label, { share = 1, full = false } = {}) => ({
    ...named({ library, role }, { label, base: 'pull' }, count, share),
    binder: { library, role },
    connector: SENDER,
    full,
  });
  const share = npmShare(size);
  return [
    variant('c', 'pull', ''),
    variant('zeromq-threads', 'pull-batches', '`batches()`'),
    variant('zeromq-threads', 'pull', '`for await`'),
    variant('npm-zeromq', 'pull', '`for await`', { share }),
    variant('c', 'pull-clocked', 'that reads the clock at each message', { full: true }),
    variant('zeromq-threads', 'pull-recv', '`await recv`', { full: true }),
    variant('zeromq-threads', 'pull-sync', '`recvSync`', { full: true }),
    variant('zeromq-threads-worker', 'pull-batches', '`batches()`', { full: true }),
    variant('zeromq-threads-worker', 'pull', '`for await`', { full: true }),
    variant('npm-zeromq-worker', 'pull', '`for await`', { share, full: true }),
    variant('pyzmq', 'pull', '`recv`', { share, full: true }),
  ];
}

function pullCase({ size, short }, frames = 1) {
  const count = Math.round(countFor(size) / frames);
  const many = frames > 1 ? `${frames} frames of ` : '';
  return {
    name: frames > 1 ? `pull-${frames}x${size}` : `pull-${size}`,
    title: `PULL, ${many}${formatSize(size)} over tcp, from a C sender`,
    full: !short,
    group: frames > 1 ? 'receive, several frames' : 'receive',
    size,
    frames: frames > 1 ? frames : undefined,
    metrics: METRICS,
    figures: ({ bound }) => ({ rate: rate(bound) }),
    variants: receivers(size, count),
  };
}

export const receiveCases = [
  ...SIZES.map((size) => pullCase(size)),
  ...[16, 4096].map((size) => pullCase({ size }, 5)),
];
