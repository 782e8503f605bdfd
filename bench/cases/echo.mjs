/** ROUTER that echoes, DEALER that asks: two processes on the same library. */
import { rate } from '../lib/trial.mjs';

/**
 * A ROUTER drops what does not fit its mark, and libzmq counts a message as gone only some hundred later; so with
 * 1000 in flight and a mark of 1000 answers get lost. This mark is out of reach, for all drivers.
 */
const HWM = 10_000;

const pair = (library, suffix, client) => ({
  binder: { library, role: `echo-server${suffix}` },
  connector: { library, role: `${client}${suffix}` },
});

function echoVariants(client, count, npmShare) {
  const variant = (name, library, suffix, label, share = 1) => ({
    name,
    label,
    library,
    count: Math.round(count * share),
    ...pair(library, suffix, client),
  });
  return [
    variant('c', 'c', '', 'C'),
    variant('zeromq-threads-async', 'zeromq-threads', '', 'zeromq-threads async'),
    variant(
      'zeromq-threads-sync',
      'zeromq-threads',
      '-sync',
      'zeromq-threads `sendSync`/`recvMultipartSync`',
    ),
    variant('npm-zeromq', 'npm-zeromq', '', 'npm zeromq', npmShare),
  ];
}

export const echoCases = [
  {
    name: 'echo-64-1000',
    title: 'ROUTER-DEALER echo, 64 B over tcp, 1000 in flight',
    size: 64,
    hwm: HWM,
    window: 1000,
    metrics: [{ key: 'rate', label: 'round trips/s', better: 'higher' }],
    figures: ({ connected }) => ({ rate: rate(connected) }),
    variants: echoVariants('echo-client', 1_000_000, 0.2),
  },
  {
    name: 'echo-64-1',
    title: 'ROUTER-DEALER echo, 64 B over tcp, 1 in flight',
    size: 64,
    hwm: HWM,
    warmup: 500,
    metrics: [
      { key: 'p50', label: 'p50 µs', better: 'lower' },
      { key: 'p99', label: 'p99 µs', better: 'lower' },
    ],
    figures: ({ connected }) => ({ p50: connected.p50, p99: connected.p99, rate: rate(connected) }),
    variants: echoVariants('echo-latency', 10_000, 1),
  },
];
