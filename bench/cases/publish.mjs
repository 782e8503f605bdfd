/** PUB and SUB: either side under test, the other in C. Topics are the first bytes of messages. */
import { rate } from '../lib/trial.mjs';
import { countFor, formatSize, named, npmShare, SIZES } from './variants.mjs';

function nameOf(way, { size, period, connectors, frames }) {
  return `${way}-${frames > 1 ? `${frames}x` : ''}${size}-${period}x${connectors}`;
}

function payloadOf(size, frames) {
  return frames > 1 ? `${frames} frames of ${formatSize(size)}` : formatSize(size);
}

/** What is drawn together: a line over the sizes, and bars for the rest. */
function groupOf(way, { period, connectors, frames }) {
  if (frames > 1) return `${way}, several frames`;
  return period === 10 && connectors === 1 ? way : `${way}, topics × subscribers`;
}

const slowest = ({ everyConnected }) => Math.min(...everyConnected.map(rate));

function subscribeCase({ size, period, connectors, frames = 1 }) {
  const count = Math.max(2, Math.round(countFor(size) / 2 / connectors / frames));
  const variant = (library, role, label, share = 1) => ({
    ...named({ library, role }, { label, base: 'subscribe' }, count, share),
    binder: { library: 'c', role: 'publish', options: { subscriptions: period * connectors } },
    connector: { library, role },
  });
  return {
    name: nameOf('subscribe', { size, period, connectors, frames }),
    title: `SUB, ${payloadOf(size, frames)} over tcp, ${period} topics, ${connectors} subscribers, from a C publisher`,
    full: true,
    group: groupOf('subscribe', { period, connectors, frames }),
    size,
    hwm: 0,
    period,
    connectors,
    frames: frames > 1 ? frames : undefined,
    metrics: [{ key: 'rate', label: 'msg/s of the slowest', better: 'higher' }],
    figures: (results) => ({ rate: slowest(results) }),
    variants: [
      variant('c', 'subscribe', ''),
      variant('zeromq-threads', 'subscribe-batches', '`batches()`'),
      variant('zeromq-threads', 'subscribe', '`for await`'),
      variant('npm-zeromq', 'subscribe', '`for await`', npmShare(size)),
      variant('pyzmq', 'subscribe', '', npmShare(size)),
    ],
  };
}

function publishCase({ size, period, connectors, frames = 1 }) {
  const count = Math.max(2, Math.round(countFor(size) / 2 / connectors / frames));
  const variant = (library, label, share = 1) => ({
    ...named({ library, role: 'publish' }, { label, base: 'publish' }, count, share),
    binder: { library, role: 'publish', options: { subscriptions: period * connectors } },
    connector: { library: 'c', role: 'subscribe' },
  });
  return {
    name: nameOf('publish', { size, period, connectors, frames }),
    title: `PUB, ${payloadOf(size, frames)} over tcp, ${period} topics, to ${connectors} C subscribers`,
    full: true,
    group: groupOf('publish', { period, connectors, frames }),
    size,
    hwm: 0,
    period,
    connectors,
    frames: frames > 1 ? frames : undefined,
    metrics: [{ key: 'rate', label: 'msg/s at the slowest', better: 'higher' }],
    figures: (results) => ({ rate: slowest(results) }),
    variants: [
      variant('c', ''),
      variant('zeromq-threads', '`await send`'),
      variant('npm-zeromq', '`await send`', npmShare(size)),
    ],
  };
}

const TOPICS = [1, 10, 100];
const SUBSCRIBERS = [1, 4];
const points = [
  ...[16, 4096].flatMap((size) =>
    TOPICS.flatMap((period) => SUBSCRIBERS.map((connectors) => ({ size, period, connectors }))),
  ),
  // Over the sizes, with the topics that a byte can tell apart and one subscriber.
  ...SIZES.filter(({ size }) => size !== 16 && size !== 4096).map(({ size }) => ({
    size,
    period: 10,
    connectors: 1,
  })),
  ...[16, 4096].map((size) => ({ size, period: 10, connectors: 1, frames: 5 })),
];

export const publishCases = [...points.map(subscribeCase), ...points.map(publishCase)];
