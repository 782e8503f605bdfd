/** PUB and SUB: either side under test, the other in C. Topics are the first bytes of messages. */
import { rate } from '../lib/trial.mjs';
import { countFor, formatSize, named } from './variants.mjs';

const slowest = ({ everyConnected }) => Math.min(...everyConnected.map(rate));

function subscribeCase(size, period, connectors) {
  const count = Math.round(countFor(size) / 2 / connectors);
  const variant = (library, role, label, share = 1) => ({
    ...named({ library, role }, { label, base: 'subscribe' }, count, share),
    binder: { library: 'c', role: 'publish', options: { subscriptions: period * connectors } },
    connector: { library, role },
  });
  return {
    name: `subscribe-${size}-${period}x${connectors}`,
    title: `SUB, ${formatSize(size)} over tcp, ${period} topics, ${connectors} subscribers, from a C publisher`,
    full: true,
    group: 'subscribe',
    size,
    hwm: 0,
    period,
    connectors,
    metrics: [{ key: 'rate', label: 'msg/s of the slowest', better: 'higher' }],
    figures: (results) => ({ rate: slowest(results) }),
    variants: [
      variant('c', 'subscribe', ''),
      variant('zeromq-threads', 'subscribe-batches', '`batches()`'),
      variant('zeromq-threads', 'subscribe', '`for await`'),
      variant('npm-zeromq', 'subscribe', '`for await`', 0.15),
      variant('pyzmq', 'subscribe', '', 0.15),
    ],
  };
}

function publishCase(size, period, connectors) {
  const count = Math.round(countFor(size) / 2 / connectors);
  const variant = (library, label, share = 1) => ({
    ...named({ library, role: 'publish' }, { label, base: 'publish' }, count, share),
    binder: { library, role: 'publish', options: { subscriptions: period * connectors } },
    connector: { library: 'c', role: 'subscribe' },
  });
  return {
    name: `publish-${size}-${period}x${connectors}`,
    title: `PUB, ${formatSize(size)} over tcp, ${period} topics, to ${connectors} C subscribers`,
    full: true,
    group: 'publish',
    size,
    hwm: 0,
    period,
    connectors,
    metrics: [{ key: 'rate', label: 'msg/s at the slowest', better: 'higher' }],
    figures: (results) => ({ rate: slowest(results) }),
    variants: [
      variant('c', ''),
      variant('zeromq-threads', '`await send`'),
      variant('npm-zeromq', '`await send`', 0.15),
    ],
  };
}

const points = [16, 4096].flatMap((size) =>
  [1, 10, 100].flatMap((period) => [1, 4].map((connectors) => [size, period, connectors])),
);

export const publishCases = [
  ...points.map((point) => subscribeCase(...point)),
  ...points.map((point) => publishCase(...point)),
];
