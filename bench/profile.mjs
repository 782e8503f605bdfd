/**
 * Where a message's time goes: npm --prefix bench run profile -- [options]
 *
 *   --write FILE      writes the page that it prints, too
 *   --only REGEX      only these points, as pull-16/c
 *   --scale X         times the number of messages (1)
 *   --instructions    counts instructions, too, with valgrind; that takes some minutes
 *
 * Records who has the CPU with Linux's perf, a sample each half millisecond of CPU time, while a driver sends to or
 * receives from a process in C. Times are the process's CPU time, of all its threads, for each message.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { receiveCases } from './cases/receive.mjs';
import { sendCases } from './cases/send.mjs';
import { formatSize } from './cases/variants.mjs';
import { describeMachine } from './lib/machine.mjs';
import { prepare } from './lib/programs.mjs';
import { PARTS, readProfile } from './lib/samples.mjs';
import { runTrial } from './lib/trial.mjs';

const SIZES = [16, 16_384];
const VARIANTS = new Set([
  'c',
  'zeromq-threads-pull-batches',
  'zeromq-threads-pull',
  'zeromq-threads-push',
  'npm-zeromq',
]);
const NANOSECONDS = 1e9;

async function main() {
  const { values } = parseArgs({
    options: {
      write: { type: 'string' },
      only: { type: 'string', default: '' },
      scale: { type: 'string', default: '1' },
      instructions: { type: 'boolean', default: false },
    },
  });
  requireTool('perf', "Debian's package is linux-perf, Fedora's is perf");
  if (values.instructions) requireTool('valgrind', 'the package has that name everywhere');
  prepare(new Set(['c', 'zeromq-threads', 'npm-zeromq']));
  const folder = mkdtempSync(join(tmpdir(), 'zeromq-threads-profile-'));
  try {
    const wanted = new RegExp(values.only);
    const points = [];
    for (const [way, cases, side] of [
      ['receive', receiveCases, 'binder'],
      ['send', sendCases, 'connector'],
    ]) {
      for (const size of SIZES) {
        const benchCase = cases.find((each) => each.size === size && !each.frames && each.hwm !== 0);
        for (const variant of benchCase.variants.filter(({ name }) => VARIANTS.has(name))) {
          if (!wanted.test(`${benchCase.name}/${variant.name}`)) continue;
          console.error(`${benchCase.name}/${variant.name}`);
          const point = {
            way,
            size,
            variant,
            ...(await profile(benchCase, variant, side, folder, values.scale)),
          };
          if (values.instructions)
            point.instructions = await countInstructions(benchCase, variant, side, folder);
          points.push(point);
        }
      }
    }
    const page = profilePage(points, describeMachine());
    console.log(page);
    if (values.write !== undefined) writeFileSync(values.write, page);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function requireTool(name, where) {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
  } catch {
    throw new Error(`${name} is not installed: ${where}`);
  }
}

/** @returns nanoseconds of CPU a message, and the part of each of PARTS */
async function profile(benchCase, variant, side, folder, scale) {
  const file = join(folder, 'perf.data');
  const wrap = ([command, ...args]) => [
    'perf',
    'record',
    '--quiet',
    ...['-e', 'cpu-clock', '-F', '2000', '-o', file, '--'],
    command,
    ...(command === process.execPath ? ['--perf-basic-prof'] : []),
    ...args,
  ];
  const count = Math.max(2, Math.round(variant.count * 3 * Number(scale)));
  const sides = { ...variant, [side]: { ...variant[side], wrap } };
  const { bound, connected } = await runTrial({ ...benchCase, ...sides }, benchCase.figures, count);
  const { cpuSeconds } = side === 'binder' ? bound : connected;
  return { nanoseconds: (cpuSeconds * NANOSECONDS) / count, parts: readProfile(file) };
}

/**
 * Messages of a short run and of a long one: what the long one has more is what messages take. In the short one the
 * engine has compiled what it will: fewer would count its interpreter and compiler.
 */
const COUNTED = { 16: [50_000, 150_000], 16384: [10_000, 30_000] };
const VALGRIND_SECONDS = 600;

/** @returns instructions a message, of all threads, by valgrind's callgrind: those of the process, not the kernel's */
async function countInstructions(benchCase, variant, side, folder) {
  const file = join(folder, 'callgrind.out');
  const wrap = (command) => [
    'valgrind',
    '-q',
    '--tool=callgrind',
    `--callgrind-out-file=${file}`,
    ...command,
  ];
  const sides = {
    ...variant,
    [side]: { ...variant[side], wrap },
    limitSeconds: VALGRIND_SECONDS,
  };
  const totals = [];
  const counts = COUNTED[benchCase.size];
  for (const count of counts) {
    await runTrial({ ...benchCase, ...sides }, benchCase.figures, count);
    const [, total] = /^(?:totals|summary): (\d+)/m.exec(readFileSync(file, 'utf8'));
    totals.push(Number(total));
  }
  return (totals[1] - totals[0]) / (counts[1] - counts[0]);
}

function profilePage(points, machine) {
  const names = PARTS.map(([name]) => name);
  const counted = points.some(({ instructions }) => instructions !== undefined);
  const head = ['driver', 'CPU a message', ...(counted ? ['instructions'] : []), ...names];
  const lines = [
    '# Where a message’s time goes\n',
    `CPU time a message, of all threads of the process that is measured, by who spends it: a sample each half millisecond.
The other side is a process in C, over loopback tcp; ${machine.cores} cores (${machine.cpu}), ${machine.system}, Node.js ${machine.node}.
${counted ? 'Instructions are those of the process, not the kernel’s, counted by valgrind.\n' : ''}Made by \`npm --prefix bench run ${counted ? 'instructions' : 'profile'}\`.
`,
    ...PARTS.map(([name, what]) => `- **${name}**: ${what}`),
    '',
  ];
  for (const way of ['receive', 'send']) {
    for (const size of SIZES) {
      const rows = points.filter((point) => point.way === way && point.size === size);
      if (rows.length === 0) continue;
      lines.push(`## ${way === 'receive' ? 'Receiving' : 'Sending'} ${formatSize(size)}\n`);
      const table = [
        head,
        head.map(() => '---'),
        ...rows.map(({ variant, nanoseconds, parts, instructions }) => [
          variant.label,
          formatTime(nanoseconds),
          ...(counted
            ? [instructions === undefined ? '' : Math.round(instructions).toLocaleString('en')]
            : []),
          ...names.map(
            (name) => `${formatTime(nanoseconds * parts[name])} (${Math.round(parts[name] * 100)} %)`,
          ),
        ]),
      ];
      lines.push(...table.map((cells) => `| ${cells.join(' | ')} |`), '');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function formatTime(nanoseconds) {
  return nanoseconds < 10_000 ? `${Math.round(nanoseconds)} ns` : `${(nanoseconds / 1000).toFixed(1)} µs`;
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
