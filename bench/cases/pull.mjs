/** A C sender over tcp, and every way to receive. */
import { rate } from '../lib/trial.mjs';

const SENDER = { library: 'c', role: 'push' };

function pullCase(name, size, count) {
  const variant = (library, role, label, share = 1) => ({
    name: library === 'zeromq-threads' ? `${library}-${role}` : library,
    label,
    library,
    count: Math.round(count * share),
    binder: { library, role },
    connector: SENDER,
  });
  return {
    name,
    title: `PULL, ${size} B over tcp, from a C sender`,
    size,
    metrics: [{ key: 'rate', label: 'msg/s', better: 'higher' }],
    figures: ({ bound }) => ({ rate: rate(bound) }),
    variants: [
      variant('c', 'pull', 'C'),
      variant('zeromq-threads', 'pull-batches', 'zeromq-threads `batches()`'),
      variant('zeromq-threads', 'pull', 'zeromq-threads `for await`'),
      variant('npm-zeromq', 'pull', 'npm zeromq `for await`', 0.2),
    ],
  };
}

export const pullCases = [pullCase('pull-16', 16, 5_000_000)];
