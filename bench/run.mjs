/**
 * Runs the benchmarks: npm --prefix bench run bench -- [options]
 *
 *   --only REGEX     only what matches, as case/variant: pull, echo-64-1/, /npm-zeromq
 *   --except REGEX   all but what matches
 *   --trials N       trials of each variant (5); figures are medians
 *   --scale X        times the number of messages (1)
 *   --list           print the names and stop
 *
 * Variants take turns within each trial, so that a machine that slows down slows all of them. Every process is
 * fresh and verified; a run that fails or comes out short is reported as such, and the exit status is 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { echoCases } from './cases/echo.mjs';
import { pullCases } from './cases/pull.mjs';
import { pushCases } from './cases/push.mjs';
import { describeMachine, measureOtherLoad } from './lib/machine.mjs';
import { LIBRARIES, prepare } from './lib/programs.mjs';
import { caseTable } from './lib/report.mjs';
import { summarize } from './lib/stats.mjs';
import { runTrial } from './lib/trial.mjs';

/** Above this part of all cores in other hands, figures are not worth much. */
const QUIET = 0.05;
const RESULTS_DIR = fileURLToPath(new URL('results/', import.meta.url));

async function main() {
  const options = readOptions();
  const cases = select([...pullCases, ...pushCases, ...echoCases], options);
  if (options.list) {
    for (const { name, variants } of cases)
      for (const variant of variants) console.log(`${name}/${variant.name}`);
    return;
  }
  if (cases.length === 0) throw new Error('nothing matches');
  const processes = cases
    .flatMap(({ variants }) => variants)
    .flatMap(({ binder, connector }) => [binder, connector]);
  prepare(new Set(processes.map(({ library }) => library)));

  const started = new Date();
  const otherLoad = { before: await measureOtherLoad() };
  const libzmq = {};
  const results = [];
  for (const benchCase of cases) results.push(await runCase(benchCase, options, libzmq));

  otherLoad.after = await measureOtherLoad();

  const used = LIBRARIES.filter((library) => libzmq[library]).map(
    (library) => `${library} ${libzmq[library]}`,
  );
  console.log(`\n${results.map(({ table }) => table).join('\n')}`);
  console.log(
    `Medians of ${options.trials} trials. ÷: times as good as that rival in this run, above 1 is better.`,
  );
  console.log(`libzmq: ${used.join(', ')}.`);
  const busy = Math.max(otherLoad.before, otherLoad.after);
  if (busy > QUIET) {
    console.log(
      `Other programs kept ${Math.round(busy * 100)} % of the cores busy: do not trust these figures.`,
    );
  }
  save(started, { started, options, machine: describeMachine(), otherLoad, libzmq, cases: results });
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      except: { type: 'string' },
      trials: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
    },
  });
  const trials = Number(values.trials);
  const scale = Number(values.scale);
  if (!Number.isInteger(trials) || trials < 1)
    throw new Error(`--trials: expected 1 or more, got ${values.trials}`);
  if (!(scale > 0)) throw new Error(`--scale: expected a number above 0, got ${values.scale}`);
  return { ...values, trials, scale };
}

function select(cases, { only = '', except }) {
  const wanted = new RegExp(only);
  const unwanted = except ? new RegExp(except) : undefined;
  return cases
    .map((benchCase) => ({
      ...benchCase,
      variants: benchCase.variants.filter(({ name }) => {
        const path = `${benchCase.name}/${name}`;
        return wanted.test(path) && !unwanted?.test(path);
      }),
    }))
    .filter(({ variants }) => variants.length > 0);
}

/** All trials of one case, its variants taking turns. */
async function runCase(benchCase, { trials, scale }, libzmq) {
  const rows = benchCase.variants.map((variant) => ({
    variant,
    count: Math.max(2, Math.round(variant.count * scale)),
    trials: [],
  }));
  const failures = [];
  for (let trial = 1; trial <= trials; trial++) {
    for (const { variant, count, trials: done } of rows) {
      const name = `${benchCase.name}/${variant.name}`;
      try {
        const outcome = await runTrial({ ...benchCase, ...variant }, benchCase.figures, count);
        done.push(outcome);
        libzmq[variant.binder.library] ??= outcome.libzmq[0];
        libzmq[variant.connector.library] ??= outcome.libzmq[1];
        console.error(`${name} ${trial}/${trials}: ${describeFigures(outcome.figures)}`);
      } catch (error) {
        failures.push({ name, trial, error: error.message });
        console.error(`${name} ${trial}/${trials}: FAILED, ${error.message}`);
      }
    }
  }
  // A variant that failed once has no figure.
  for (const row of rows) if (row.trials.length === trials) row.summary = summaryOf(benchCase, row.trials);
  const { name, title } = benchCase;
  return { name, title, failures, rows, table: caseTable(benchCase, rows) };
}

function summaryOf({ metrics }, trials) {
  const values = (key) => summarize(trials.map(({ figures }) => figures[key]));
  return Object.fromEntries(metrics.map(({ key }) => [key, values(key)]));
}

function describeFigures(figures) {
  return Object.entries(figures)
    .map(([key, value]) => `${key} ${Math.round(value)}`)
    .join(', ');
}

function save(started, report) {
  mkdirSync(RESULTS_DIR, { recursive: true });
  const name = `${started.toISOString().replaceAll(':', '-')}.json`;
  writeFileSync(join(RESULTS_DIR, name), `${JSON.stringify(report, null, 2)}\n`);
  console.log(`Details: bench/results/${name}`);
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
