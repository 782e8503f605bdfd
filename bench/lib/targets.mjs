/** The speed that zeromq-threads is to reach, as ratios within one run over tcp loopback. */
import { figure } from './results.mjs';

const OURS = 'zeromq-threads';
const C = 'c';
const NPM = 'npm-zeromq';

/** At least so many times the rate of a rival. */
const atLeast = (bound, caseName, ours, rival, key = 'rate') => ({
  bound: `>= ${bound.toFixed(2)}x ${rival === C ? 'C' : 'npm zeromq'}`,
  value: quotient(caseName, ours, rival, key),
  met: (value) => value >= bound,
});

/** At most so many times the time of a rival. */
const atMost = (bound, caseName, ours, rival, key) => ({
  bound: `${key} <= ${bound.toFixed(2)}x ${rival === C ? 'C' : 'npm zeromq'}`,
  value: quotient(caseName, ours, rival, key),
  met: (value) => value <= bound,
});

function quotient(caseName, ours, rival, key) {
  return (cases) => figure(cases, caseName, ours, key) / figure(cases, caseName, rival, key);
}

const RECEIVE_SIZES = [
  [16, '16 B'],
  [256, '256 B'],
  [4096, '4 KiB'],
  [65_536, '64 KiB'],
  [2 ** 20, '1 MiB'],
];

/** What is left of the receiving rate while the main thread is busy for half of the time. */
const whileBusy = (load, variant) => (cases) =>
  figure(cases, `busy-${load}-50`, variant, 'rate') / figure(cases, `busy-${load}-0`, variant, 'rate');

export const TARGETS = [
  ...RECEIVE_SIZES.map(([size, text]) => ({
    what: `receive, \`batches()\`, ${text}`,
    ...atLeast(0.9, `pull-${size}`, `${OURS}-pull-batches`, C),
  })),
  { what: 'receive, `for await`, 16 B', ...atLeast(0.7, 'pull-16', `${OURS}-pull`, C) },
  { what: 'receive, `for await`, 16 B', ...atLeast(12, 'pull-16', `${OURS}-pull`, NPM) },
  { what: 'receive, `for await`, 1 MiB', ...atLeast(1, `pull-${2 ** 20}`, `${OURS}-pull`, NPM) },
  { what: 'send, awaited, 16 B, mark 1,000', ...atLeast(0.6, 'push-16', `${OURS}-push`, C) },
  { what: 'send, awaited, 16 B, mark 1,000', ...atLeast(8, 'push-16', `${OURS}-push`, NPM) },
  { what: 'send, awaited, 16 B, no mark', ...atLeast(0.75, 'push-16-hwm0', `${OURS}-push`, C) },
  { what: 'send, 1 MiB, without a copy', ...atLeast(1, `push-${2 ** 20}`, `${OURS}-push-shared`, NPM) },
  { what: 'echo ROUTER-DEALER, 1,000 in flight', ...atLeast(8, 'echo-64-1000', `${OURS}-async`, NPM) },
  ...['p50', 'p99'].map((key) => ({
    what: 'round trip, 1 in flight, asynchronous',
    ...atMost(1, 'echo-64-1', `${OURS}-async`, NPM, key),
  })),
  {
    what: 'round trip, blocking calls in a Worker',
    ...atMost(1.05, 'echo-64-1', `${OURS}-worker-sync`, C, 'p50'),
  },
  ...[
    ['16-offered', '200,000 a second'],
    [16, 'all that comes of 16 B'],
    [16_384, 'all that comes of 16 KiB'],
  ].flatMap(([load, text]) => [
    ...['pull-batches', 'pull'].map((role) => ({
      what: `receive ${text} with ${role === 'pull' ? '`for await`' : '`batches()`'}, main thread 50 % busy`,
      bound: '> 0.90x idle',
      value: whileBusy(load, `${OURS}-${role}`),
      met: (value) => value > 0.9,
    })),
  ]),
  {
    what: 'event-loop delay at 100,000 messages/s',
    ...atMost(0.2, 'delay-16', `${OURS}-pull-watched`, NPM, 'p99'),
  },
  {
    what: '1,000 idle sockets',
    bound: '< 1 % of a core',
    value: (cases) => figure(cases, 'idle-1000', `${OURS}-idle`, 'cpu'),
    met: (value) => value < 1,
    unit: ' %',
  },
  { what: 'import and first message', ...atMost(1.3, 'start', `${OURS}-first-message`, NPM, 'first') },
];

/** `{ what, bound, value, met }` for every target; a value is undefined where its cases have no figures. */
export function judgeTargets(cases) {
  return TARGETS.map(({ what, bound, value, met, unit = 'x' }) => {
    const measured = value(cases);
    if (!Number.isFinite(measured)) return { what, bound, unit };
    return { what, bound, value: measured, met: met(measured), unit };
  });
}

/** Markdown; undefined when no target was measured. */
export function targetTable(cases) {
  const judged = judgeTargets(cases).filter(({ value }) => value !== undefined);
  if (judged.length === 0) return undefined;
  const lines = judged.map(
    ({ what, bound, value, met, unit }) =>
      `| ${what} | ${bound} | ${value.toFixed(2)}${unit} | ${met ? 'met' : '**missed**'} |`,
  );
  return ['| what | target | measured | |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
