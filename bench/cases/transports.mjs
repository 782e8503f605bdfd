/** End to end, both sides on the same library: over tcp and ipc in two processes, over inproc in one. */
import { rate } from '../lib/trial.mjs';
import { countFor, formatSize, named, npmShare } from './variants.mjs';

function endToEndCase(transport, size) {
  const inproc = transport === 'inproc';
  const variant = (library, role, label, share = 1) => ({
    ...named({ library, role }, { label, base: 'pull' }, countFor(size), share),
    binder: { library, role: inproc ? role.replace('pull', 'inproc') : role },
    connector: inproc ? undefined : { library, role: 'push' },
  });
  return {
    name: `${transport}-${size}`,
    title: `PUSH to PULL, ${formatSize(size)} over ${transport}, both sides on the same library`,
    full: true,
    group: `end to end, ${transport}`,
    size,
    transport,
    metrics: [
      { key: 'rate', label: 'msg/s', better: 'higher' },
      { key: 'cpu', label: 'CPU µs a message, both sides', better: 'lower' },
    ],
    figures: ({ bound, connected }) => ({
      rate: rate(bound),
      cpu: ((bound.cpuSeconds + (connected?.cpuSeconds ?? 0)) / bound.count) * 1e6,
    }),
    variants: [
      variant('c', 'pull', ''),
      variant('zeromq-threads-prebuilt', 'pull-batches', '`await send`, `batches()`'),
      variant('zeromq-threads', 'pull-batches', '`await send`, `batches()`'),
      variant('zeromq-threads', 'pull', '`await send`, `for await`'),
      variant('npm-zeromq', 'pull', '`await send`, `for await`', npmShare(size)),
    ],
  };
}

const SIZES = [16, 4096, 2 ** 20];
/** And where libzmq's batches of 8 KiB matter most. */
const SIZES_TCP = [16, 1024, 4096, 16_384, 65_536, 2 ** 20];

export const transportCases = ['tcp', 'ipc', 'inproc'].flatMap((transport) =>
  (transport === 'tcp' ? SIZES_TCP : SIZES).map((size) => endToEndCase(transport, size)),
);
