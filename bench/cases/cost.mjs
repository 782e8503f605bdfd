/** What a message costs the process that receives or sends it. */
import { countFor, formatSize, named, npmShare } from './variants.mjs';

const METRICS = [
  { key: 'cpu', label: 'CPU µs a message', better: 'lower' },
  { key: 'heap', label: 'heap bytes a message', better: 'lower' },
  { key: 'gc', label: 'GC % of the time', better: 'lower' },
  { key: 'rss', label: 'peak RSS MiB', better: 'lower' },
];

const costOf = ({ cpuSeconds, heapBytes, gcSeconds, seconds, count, maxRssKiB }) => ({
  cpu: (cpuSeconds / count) * 1e6,
  heap: heapBytes / count,
  gc: (gcSeconds / seconds) * 100,
  rss: maxRssKiB / 1024,
});

function costCase(kind, size) {
  const receives = kind === 'pull';
  const variant = (library, role, label, share = 1) => {
    // C has no heap of JavaScript's, and no figures of it.
    const measured = { library, role, options: library === 'c' ? {} : { gc: 1 } };
    const other = { library: 'c', role: receives ? 'push' : 'pull' };
    return {
      ...named({ library, role }, { label, base: kind }, countFor(size) / 2, share),
      ...(receives ? { binder: measured, connector: other } : { binder: other, connector: measured }),
    };
  };
  return {
    name: `cost-${kind}-${size}`,
    title: `What ${receives ? 'receiving' : 'sending'} a message costs, ${formatSize(size)} over tcp`,
    full: true,
    group: 'cost',
    size,
    metrics: METRICS,
    figures: ({ bound, connected }) => costOf(receives ? bound : connected),
    variants: [
      variant('c', kind, ''),
      ...(receives ? [variant('zeromq-threads', 'pull-batches', '`batches()`')] : []),
      variant('zeromq-threads', kind, receives ? '`for await`' : '`await send`'),
      variant('npm-zeromq', kind, receives ? '`for await`' : '`await send`', npmShare(size)),
    ],
  };
}

export const costCases = ['pull', 'push'].flatMap((kind) => [16, 16_384].map((size) => costCase(kind, size)));
