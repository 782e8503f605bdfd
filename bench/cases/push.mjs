/** Every way to send, and a C receiver over tcp, whose clock counts. */
import { rate } from '../lib/trial.mjs';

const RECEIVER = { library: 'c', role: 'pull' };

function pushCase(name, size, count, hwm, markText) {
  const variant = (library, role, label, share = 1) => ({
    name: library === 'zeromq-threads' ? `${library}-${role}` : library,
    label,
    library,
    count: Math.round(count * share),
    binder: RECEIVER,
    connector: { library, role },
  });
  return {
    name,
    title: `PUSH, ${size} B over tcp, to a C receiver, high-water mark ${markText}`,
    size,
    hwm,
    metrics: [
      { key: 'rate', label: 'msg/s received', better: 'higher' },
      { key: 'accepted', label: 'msg/s accepted by the sender', better: 'higher' },
    ],
    figures: ({ bound, connected }) => ({ rate: rate(bound), accepted: rate(connected) }),
    variants: [
      variant('c', 'push', 'C'),
      variant('zeromq-threads', 'push', 'zeromq-threads `await send`'),
      variant('zeromq-threads', 'push-sync', 'zeromq-threads `sendSync`'),
      variant('npm-zeromq', 'push', 'npm zeromq `await send`', 0.2),
    ],
  };
}

export const pushCases = [
  pushCase('push-16', 16, 5_000_000, undefined, '1000 (the default)'),
  pushCase('push-16-hwm0', 16, 5_000_000, 0, '0 (no limit)'),
];
