/** The page that the serve benchmark writes. */
import {
  BOUND,
  BOUND_SYSTEM,
  BURNS,
  BUSY,
  CLIENTS,
  OURS,
  OURS_SYSTEM,
  SIZES,
  THREADS,
  VARIANTS,
  WINDOW,
} from '../cases/serve.mjs';
import { formatFigure, summarize } from './stats.mjs';

const NO_RIVALS = [OURS, OURS_SYSTEM, BOUND, BOUND_SYSTEM];
/** Microseconds of CPU outside the handler that a message of 64 bytes may cost. */
const MOST_OUTSIDE = 3;
/** How many times the rate of the Piscina variant is aimed at where handlers take next to nothing. */
const TIMES_PISCINA = 3;

const HEAD = `# Performance of serve()

Requests to a server whose handlers burn 0, 5, 20 or 100 µs of CPU, and the same work done with npm \`zeromq\` in the three
ways that are usual. This page is written by the benchmark:

\`\`\`sh
npm run build:prebuilt && npm --prefix bench ci
npm --prefix bench run serve -- --write ../docs/performance-serve.md    # a quarter of an hour, on an idle machine
\`\`\`
`;

/** What a busy main thread may change. */
const LEAST_KEPT = 0.9;
const BUSY_TEXT = `The main thread of the server has other work all the time: turns of 10 ms, one after the other. That takes a core
from everybody, so the comparison is with another process that does the same work. The two take turns; what is left is
the median of all turns.
`;

export function servePage({ rows, trials, machine, otherLoad, failures }) {
  const summaries = rows.map((row) => ({
    ...row,
    rate: summarize(row.trials.map(({ rate }) => rate)),
    cpu: summarize(row.trials.map(({ cpu }) => cpu)),
    outside: summarize(row.trials.map(({ outside }) => outside)),
    io: summarize(row.trials.map(({ io }) => io)),
    burned: summarize(row.trials.map(({ burn }) => burn)),
  }));
  const parts = [HEAD, method({ trials, machine, otherLoad })];
  for (const size of SIZES) {
    parts.push(`## ${size === 64 ? '64 bytes' : '16 KiB'}\n`);
    for (const burn of BURNS) {
      const group = summaries.filter(
        (row) => row.size === size && row.burn === burn && row.busy === undefined,
      );
      if (group.length > 0) parts.push(table(burn, group));
    }
  }
  const busy = summaries.filter(({ busy }) => busy !== undefined);
  if (busy.length > 0) parts.push('## With a busy main thread\n', BUSY_TEXT, busyTable(busy));
  parts.push('## What was aimed at\n', verdicts(summaries));
  if (failures.length > 0) {
    parts.push('## Failures\n', `${failures.map(({ name, error }) => `- ${name}: ${error}`).join('\n')}\n`);
  }
  return parts.join('\n');
}

function method({ trials, machine, otherLoad }) {
  const { cpu, cores, system, node } = machine;
  return `${cores} cores (${cpu}), ${system}, Node.js ${node}. ${CLIENTS} clients in C, each a process with ${WINDOW} requests in
flight over loopback tcp, share these cores with the server, so CPU counts as much as rate: *outside* is the server
process's CPU less that of its handlers (by their threads' CPU clocks), for each message. Servers with threads have
${THREADS}. Medians of ${trials} ${trials === 1 ? 'trial' : 'trials'}, smallest and largest beside them; variants take turns, every process is new. Every client
checks that each of its requests was answered with its own bytes. \`serve()\` runs on the libzmq that the published package
carries along, with which it reads and writes 64 KiB at a time where others have 8 KiB, and once more on the system's; npm \`zeromq\`
runs on the one that it carries along. The last two lines of each table are no rivals but what libzmq and the system take:
a ROUTER in C that answers in the thread that receives, on the one libzmq and on the other. Other programs kept ${Math.round(otherLoad * 100)} % of the cores busy.
`;
}

function table(burn, group) {
  const ours = group.find(({ variant }) => variant.name === OURS);
  const lines = group.map((row) => {
    const compared =
      ours === undefined || row === ours
        ? ['', '']
        : [
            `${(ours.rate.median / row.rate.median).toFixed(1)} ×`,
            `${(row.outside.median / ours.outside.median).toFixed(1)} ×`,
          ];
    const useful = (row.burned.median / row.cpu.median) * 100;
    return [
      row.variant.label,
      formatFigure(row.rate.median),
      `${formatFigure(row.rate.min)}–${formatFigure(row.rate.max)}`,
      `${row.outside.median.toFixed(1)} µs`,
      `${row.outside.min.toFixed(1)}–${row.outside.max.toFixed(1)}`,
      `${row.io.median.toFixed(1)} µs`,
      `${useful.toFixed(0)} %`,
      ...compared,
    ];
  });
  const head = [
    `handlers of ${burn} µs`,
    'messages/s',
    'min–max',
    'CPU outside',
    'min–max',
    'in libzmq’s I/O thread',
    'of CPU in handlers',
    'serve() is faster',
    'and takes less',
  ];
  return `${[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

/** Pairs of one point and variant: another process busy, then the main thread. */
function busyPairs(rows) {
  const pairs = [];
  for (const other of rows.filter(({ busy }) => busy === BUSY[0])) {
    const main = rows.find(
      (row) => row.busy === BUSY[1] && row.variant === other.variant && row.burn === other.burn,
    );
    if (main === undefined) continue;
    const turns = Math.min(main.trials.length, other.trials.length);
    const left = Array.from({ length: turns }, (_, turn) => main.trials[turn].rate / other.trials[turn].rate);
    pairs.push({ other, main, left: summarize(left) });
  }
  return pairs;
}

function busyTable(rows) {
  const head = [
    '64 bytes',
    'another process is busy',
    'the main thread is busy',
    'of the rate is left',
    'min–max',
  ];
  const lines = busyPairs(rows).map(({ other, main, left }) => [
    `${other.variant.label}, handlers of ${other.burn} µs`,
    `${formatFigure(other.rate.median)}/s`,
    `${formatFigure(main.rate.median)}/s`,
    `${(left.median * 100).toFixed(0)} %`,
    `${(left.min * 100).toFixed(0)}–${(left.max * 100).toFixed(0)} %`,
  ]);
  return `${[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function verdicts(summaries) {
  const find = (size, burn, name) =>
    summaries.find(
      (row) => row.size === size && row.burn === burn && row.variant.name === name && row.busy === undefined,
    );
  const lines = [];
  const inC = (burn, name) => {
    const bound = find(64, burn, name);
    return bound === undefined ? '' : `; ${bound.outside.median.toFixed(1)} µs in C`;
  };
  const judge = (what, points) => {
    if (points.length === 0) return;
    const missed = points.filter(({ met }) => !met).map(({ text }) => text);
    lines.push(`- ${what}: ${missed.length === 0 ? '**met**' : `**missed** at ${missed.join('; ')}`}.`);
  };
  for (const [name, bound, how] of [
    [OURS, BOUND, ''],
    [OURS_SYSTEM, BOUND_SYSTEM, ', on the system’s libzmq'],
  ]) {
    const all = SIZES.flatMap((size) =>
      BURNS.map((burn) => ({ size, burn, ours: find(size, burn, name) })),
    ).filter(({ ours }) => ours !== undefined);
    judge(
      `At most ${MOST_OUTSIDE} µs outside the handler at 64 bytes${how}`,
      all
        .filter(({ size }) => size === 64)
        .map(({ burn, ours }) => ({
          met: ours.outside.median <= MOST_OUTSIDE,
          text: `${burn} µs (${ours.outside.median.toFixed(1)} µs, of which ${ours.io.median.toFixed(1)} µs in libzmq’s I/O thread${inC(burn, bound)})`,
        })),
    );
    const rivals = all.flatMap((point) =>
      VARIANTS.filter(({ name }) => !NO_RIVALS.includes(name))
        .map((variant) => ({
          ...point,
          rival: variant.name,
          row: find(point.size, point.burn, variant.name),
        }))
        .filter(({ row }) => row !== undefined),
    );
    const where = ({ size, burn, rival }, ratio) =>
      `${burn} µs, ${size} bytes, ${rival} (${ratio.toFixed(2)} ×)`;
    judge(
      `Faster than all three everywhere${how}`,
      rivals.map((point) => {
        const ratio = point.ours.rate.median / point.row.rate.median;
        return { met: ratio > 1, text: where(point, ratio) };
      }),
    );
    judge(
      `Less CPU a message than all three everywhere${how}`,
      rivals.map((point) => {
        const ratio = point.row.outside.median / point.ours.outside.median;
        return { met: ratio > 1, text: where(point, ratio) };
      }),
    );
    judge(
      `At 0 and 5 µs at least ${TIMES_PISCINA} times as fast as (b)${how}`,
      rivals
        .filter(({ burn, rival }) => burn <= 5 && rival === 'npm-piscina')
        .map((point) => {
          const ratio = point.ours.rate.median / point.row.rate.median;
          const most = find(point.size, point.burn, bound);
          const beside =
            most === undefined ? '' : `, C ${(most.rate.median / point.row.rate.median).toFixed(2)} ×`;
          return { met: ratio >= TIMES_PISCINA, text: `${where(point, ratio)}${beside}` };
        }),
    );
  }
  judge(
    'A busy main thread takes less than a tenth of the rate',
    busyPairs(summaries)
      .filter(({ main }) => main.variant.name === OURS)
      .map(({ main, left }) => ({
        met: left.median > LEAST_KEPT,
        text: `${main.burn} µs (${(left.median * 100).toFixed(0)} % are left)`,
      })),
  );
  return `${lines.join('\n')}\n`;
}
