/** Every way to send, and a C receiver over tcp, whose clock counts. */
import { rate } from '../lib/trial.mjs';
import { countFor, formatSize, named, npmShare, SIZES } from './variants.mjs';

/** From here on memory that is shared is sent without a copy. */
const ZERO_COPY = 16_384;
const RECEIVER = { library: 'c', role: 'pull' };

function pushCase({ size, hwm, full = false, frames = 1 }) {
  const count = Math.round(countFor(size) / frames);
  const variant = (library, role, label, { share = 1, full = false } = {}) => ({
    ...named({ library, role }, { label, base: 'push' }, count, share),
    binder: RECEIVER,
    connector: { library, role },
    full,
  });
  const share = npmShare(size);
  const suffix = hwm === 0 ? '-hwm0' : '';
  const many = frames > 1 ? `${frames} frames of ` : '';
  return {
    name: `push-${frames > 1 ? `${frames}x` : ''}${size}${suffix}`,
    title: `PUSH, ${many}${formatSize(size)} over tcp, to a C receiver, high-water mark ${hwm === 0 ? '0 (no limit)' : '1000 (the default)'}`,
    full,
    group: frames > 1 ? 'send, several frames' : hwm === 0 ? 'send, no high-water mark' : 'send',
    size,
    hwm,
    frames: frames > 1 ? frames : undefined,
    metrics: [
      { key: 'rate', label: 'msg/s received', better: 'higher' },
      { key: 'accepted', label: 'msg/s accepted by the sender', better: 'higher' },
    ],
    figures: ({ bound, connected }) => ({ rate: rate(bound), accepted: rate(connected) }),
    variants: [
      variant('c', 'push', ''),
      variant('zeromq-threads', 'push', '`await send`'),
      variant('zeromq-threads', 'push-sync', '`sendSync`'),
      ...(size < ZERO_COPY
        ? []
        : [variant('zeromq-threads', 'push-shared', '`await send` of shared memory, without a copy')]),
      variant('npm-zeromq', 'push', '`await send`', { share }),
      variant('zeromq-threads-worker', 'push', '`await send`', { full: true }),
      variant('npm-zeromq-worker', 'push', '`await send`', { share, full: true }),
      variant('pyzmq', 'push', '`send`', { share, full: true }),
    ],
  };
}

const inShortRun = new Set([16, 2 ** 20]);

export const sendCases = [
  ...SIZES.map(({ size }) => pushCase({ size, full: !inShortRun.has(size) })),
  ...SIZES.map(({ size }) => pushCase({ size, hwm: 0, full: size !== 16 })),
  ...[16, 4096].map((size) => pushCase({ size, full: true, frames: 5 })),
];
