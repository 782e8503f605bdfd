/** ROUTER that echoes, DEALER that asks: two processes. */
import { LATENCY_METRICS, latencyFigures } from '../lib/latency.mjs';
import { rate } from '../lib/trial.mjs';
import { named } from './variants.mjs';

/**
 * A ROUTER drops what does not fit its mark, and libzmq counts a message as gone only some hundred later; so with
 * 1000 in flight and a mark of 1000 answers get lost. This mark is out of reach, for all drivers.
 */
const HWM = 10_000;
// Steady state is what is compared: what an engine compiles, it has compiled by then, and threads that are started after
// a second are there.
const WARMUP = 15_000;
const SIZE = 64;

/** What a case of round trips has. */
const ROUND_TRIPS = {
  trips: true,
  metrics: LATENCY_METRICS,
  figures: ({ connected }) => ({ ...latencyFigures(connected), rate: rate(connected) }),
};

/** Both processes on the same library. */
function pairs(client, count, npmShare) {
  const variant = (library, suffix, label, { share = 1, full = false } = {}) => ({
    ...named({ library, role: suffix ? 'sync' : 'async' }, { label, base: 'async' }, count, share),
    binder: { library, role: `echo-server${suffix}` },
    connector: { library, role: `${client}${suffix}` },
    full,
  });
  const latency = client === 'echo-latency';
  return [
    variant('c', '', ''),
    variant('zeromq-threads', '', 'async'),
    variant('zeromq-threads', '-sync', '`sendSync`/`recvMultipartSync`'),
    variant('zeromq-threads-worker', '-sync', '`sendSync`/`recvMultipartSync`', { full: !latency }),
    variant('npm-zeromq', '', '', { share: npmShare }),
    variant('zeromq-threads-worker', '', 'async', { full: true }),
    variant('npm-zeromq-worker', '', '', { share: npmShare, full: true }),
    variant('pyzmq', '', '', { share: npmShare, full: true }),
  ];
}

/** A client in C that measures, the same for all; only the server changes. */
function servers(client, count, share = () => 1) {
  const variant = (library, role, label, full = false) => ({
    ...named({ library, role }, { label, base: 'echo-server' }, count, share(library)),
    binder: { library, role },
    connector: client,
    full,
  });
  return [
    variant('c', 'echo-server', 'server'),
    variant('zeromq-threads', 'echo-server', 'server, async'),
    variant('zeromq-threads', 'echo-server-sync', 'server, blocking calls'),
    variant('npm-zeromq', 'echo-server', 'server'),
    variant('pyzmq', 'echo-server', 'server', true),
  ];
}

/** All pairs, percentiles with so many requests under way. */
function windowCase(window) {
  const count = window === 1 ? 10_000 : 100_000;
  const variants = pairs('echo-window', count, 0.3).filter(
    ({ connector }) => !connector.role.endsWith('-sync'),
  );
  return {
    name: `echo-window-${window}`,
    title: `Round trips, 64 B over tcp, ${window} in flight`,
    full: true,
    group: 'round trips',
    size: SIZE,
    hwm: HWM,
    window,
    warmup: 1000,
    ...ROUND_TRIPS,
    variants,
  };
}

/** Open load: requests leave when they are due, and trips count from then. */
function rateCase(requests) {
  return {
    name: `echo-rate-${requests}`,
    title: `Round trips, 64 B over tcp, ${requests} requests a second from a C client, counted from when each was due`,
    full: true,
    group: 'fixed rates',
    size: SIZE,
    hwm: HWM,
    warmup: 1000,
    ...ROUND_TRIPS,
    variants: servers({ library: 'c', role: 'echo-rate', options: { rate: requests } }, requests * 2),
  };
}

export const echoCases = [
  {
    name: 'echo-64-1000',
    title: 'ROUTER-DEALER echo, 64 B over tcp, 1000 in flight',
    group: 'echo',
    size: SIZE,
    hwm: HWM,
    window: 1000,
    metrics: [{ key: 'rate', label: 'round trips/s', better: 'higher' }],
    figures: ({ connected }) => ({ rate: rate(connected) }),
    variants: pairs('echo-client', 700_000, 0.15),
  },
  {
    name: 'echo-64-1',
    // How long one takes depends on which cores the system puts four threads on, for as long as they live.
    repeats: 3,
    title: 'ROUTER-DEALER echo, 64 B over tcp, 1 in flight',
    group: 'round trip',
    size: SIZE,
    hwm: HWM,
    warmup: WARMUP,
    ...ROUND_TRIPS,
    variants: pairs('echo-latency', 8000, 1),
  },
  ...[1, 10, 100, 1000].map(windowCase),
  ...[1000, 10_000, 50_000].map(rateCase),
];
