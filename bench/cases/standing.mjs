/** Starting, and holding many sockets or peers. */
import { rate } from '../lib/trial.mjs';
import { named } from './variants.mjs';

const JAVASCRIPT = ['zeromq-threads', 'npm-zeromq'];

const startCase = {
  name: 'start',
  title: 'A process that imports the library and receives one message from a C sender',
  group: 'start-up',
  size: 16,
  metrics: [
    { key: 'first', label: 'ms to the first message', better: 'lower' },
    { key: 'import', label: 'ms of them in import', better: 'lower' },
    { key: 'rss', label: 'peak RSS MiB', better: 'lower' },
  ],
  figures: ({ connected }) => ({
    first: connected.seconds * 1000,
    import: connected.importSeconds * 1000,
    rss: connected.maxRssKiB / 1024,
  }),
  variants: JAVASCRIPT.map((library) => ({
    ...named({ library, role: 'first-message' }, { label: '', base: 'first-message' }, 1),
    fixedCount: true,
    binder: { library: 'c', role: 'push' },
    connector: { library, role: 'first-message' },
  })),
};

function idleCase(sockets, full) {
  return {
    name: `idle-${sockets}`,
    title: `${sockets} connected sockets that wait for messages, and none comes`,
    full,
    group: 'idle',
    size: 16,
    metrics: [
      { key: 'cpu', label: '% of a core', better: 'lower' },
      { key: 'rss', label: 'peak RSS MiB', better: 'lower' },
    ],
    figures: ({ connected }) => ({ cpu: connected.idleCpu * 100, rss: connected.maxRssKiB / 1024 }),
    variants: JAVASCRIPT.map((library) => ({
      ...named({ library, role: 'idle' }, { label: '', base: 'idle' }, sockets + 1),
      fixedCount: true,
      binder: { library: 'c', role: 'echo-server' },
      connector: { library, role: 'idle', options: { sockets, idle: 3000 } },
    })),
  };
}

function socketsCase(sockets) {
  const count = 500_000;
  return {
    name: `sockets-${sockets}`,
    title: `${sockets} PULL sockets of one process, 16 B over tcp, one C sender`,
    full: true,
    group: 'many sockets',
    size: 16,
    metrics: [{ key: 'rate', label: 'msg/s', better: 'higher' }],
    figures: ({ connected }) => ({ rate: rate(connected) }),
    variants: JAVASCRIPT.map((library) => ({
      ...named(
        { library, role: 'pull-many' },
        { label: '`for await`', base: 'pull-many' },
        count,
        library === 'npm-zeromq' ? 0.3 : 1,
      ),
      binder: { library: 'c', role: 'push' },
      connector: { library, role: 'pull-many', options: { sockets } },
    })),
  };
}

/** Every peer is answered once before the clock starts. */
function peersCase(peers) {
  return {
    name: `peers-${peers}`,
    title: `ROUTER with ${peers} peers in one C process, 64 B over tcp, ${Math.max(1000, peers)} in flight`,
    full: true,
    group: 'many peers',
    size: 64,
    hwm: 20_000,
    window: 1000,
    extra: peers,
    metrics: [
      { key: 'rate', label: 'round trips/s', better: 'higher' },
      { key: 'rss', label: 'peak RSS MiB', better: 'lower' },
    ],
    figures: ({ bound, connected }) => ({ rate: rate(connected), rss: bound.maxRssKiB / 1024 }),
    variants: ['c', ...JAVASCRIPT].map((library) => ({
      ...named(
        { library, role: 'echo-server' },
        { label: 'server', base: 'echo-server' },
        Math.max(400_000, peers),
        library === 'npm-zeromq' ? 0.2 : 1,
      ),
      binder: { library, role: 'echo-server' },
      connector: { library: 'c', role: 'echo-peers', options: { sockets: peers } },
    })),
  };
}

export const standingCases = [
  startCase,
  idleCase(1, true),
  idleCase(1000, false),
  ...[1, 10, 100, 1000].map(socketsCase),
  ...[1, 10, 100, 1000, 10_000].map(peersCase),
];
