/**
 * Runs the benchmarks: npm --prefix bench run bench -- [options]
 *
 *   --full           every case and variant; without it, those that the targets need
 *   --only REGEX     only what matches, as case/variant: pull, echo-64-1/, /npm-zeromq
 *   --except REGEX   all but what matches
 *   --trials N       trials of each variant (3); figures are medians
 *   --scale X        times the number of messages (1)
 *   --out FILE.json  writes the results there and not into results/, and the page into the folder FILE
 *   --list           print the names and stop
 *
 * Variants take turns within each trial, so that a machine that slows down slows all of them. Every process is
 * fresh and verified; a run that fails or comes out short is reported as such, and the exit status is 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { allCases } from './cases/index.mjs';
import { describeMachine, measureOtherLoad } from './lib/machine.mjs';
import { hasPrebuilt, LIBRARIES, prepare } from './lib/programs.mjs';
import { caseTable } from './lib/report.mjs';
import { RESULT_FORMAT } from './lib/results.mjs';
import { formatFigure, summarize } from './lib/stats.mjs';
import { targetTable } from './lib/targets.mjs';
import { runTrial } from './lib/trial.mjs';
import { writePage } from './lib/write-page.mjs';

/** Above this part of all cores in other hands, figures are not worth much. */
const QUIET = 0.05;
const RESULTS_DIR = fileURLToPath(new URL('results/', import.meta.url));

async function main() {
  const options = readOptions();
  let cases = select(allCases, options);
  const needed = cases.some(({ variants }) => variants.some(isPrebuilt));
  if (needed && !options.list && !hasPrebuilt())
    cases = select(allCases, options, (variant) => !isPrebuilt(variant));
  if (options.list) {
    for (const { name, variants } of cases)
      for (const variant of variants) console.log(`${name}/${variant.name}`);
    return;
  }
  if (cases.length === 0) throw new Error('nothing matches');
  const processes = cases
    .flatMap(({ variants }) => variants)
    .flatMap(({ binder, connector }) => [binder, connector])
    .filter(Boolean);
  prepare(new Set(processes.map(({ library }) => library)));

  const started = new Date();
  const otherLoad = { before: await measureOtherLoad() };
  const libzmq = {};
  const results = [];
  const progress = {
    done: 0,
    all: cases.reduce((sum, each) => sum + trialsOf(each, options) * each.variants.length, 0),
    started,
  };
  for (const benchCase of cases) results.push(await runCase(benchCase, options, libzmq, progress));

  otherLoad.after = await measureOtherLoad();

  const used = LIBRARIES.filter((library) => libzmq[library]).map(
    (library) => `${library} ${libzmq[library]}`,
  );
  console.log(`\n${results.map(({ table }) => table).join('\n')}`);
  const targets = targetTable(results);
  if (targets) console.log(`${targets}\n`);
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
  const { full, only, except, trials, scale } = options;
  const how = { full, only, except, trials, scale };
  await save(options.out, started, {
    format: RESULT_FORMAT,
    started,
    options: how,
    machine: describeMachine(),
    otherLoad,
    libzmq,
    cases: results,
  });
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      out: { type: 'string' },
      only: { type: 'string' },
      except: { type: 'string' },
      trials: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
    },
  });
  const trials = Number(values.trials);
  const scale = Number(values.scale);
  if (!Number.isInteger(trials) || trials < 1)
    throw new Error(`--trials: expected 1 or more, got ${values.trials}`);
  if (values.out !== undefined && !values.out.endsWith('.json'))
    throw new Error(`--out: expected a file that ends in .json, got ${values.out}`);
  if (!(scale > 0)) throw new Error(`--scale: expected a number above 0, got ${values.scale}`);
  return { ...values, trials, scale };
}

function select(cases, { full, only = '', except }, offered = () => true) {
  const wanted = new RegExp(only);
  const unwanted = except ? new RegExp(except) : undefined;
  return cases
    .filter((benchCase) => full || !benchCase.full)
    .map((benchCase) => ({
      ...benchCase,
      variants: benchCase.variants.filter((variant) => {
        const path = `${benchCase.name}/${variant.name}`;
        return (full || !variant.full) && wanted.test(path) && !unwanted?.test(path) && offered(variant);
      }),
    }))
    .filter(({ variants }) => variants.length > 0);
}

function isPrebuilt({ library }) {
  return library.endsWith('-prebuilt');
}

/** How many trials each variant of a case has. */
function trialsOf({ repeats = 1 }, { trials }) {
  return trials * repeats;
}

/** All trials of one case, its variants taking turns. */
async function runCase(benchCase, options, libzmq, progress) {
  const { scale } = options;
  const trials = trialsOf(benchCase, options);
  const rows = benchCase.variants.map((variant) => ({
    variant,
    count: variant.fixedCount ? variant.count : Math.max(2, Math.round(variant.count * scale)),
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
        if (variant.connector) libzmq[variant.connector.library] ??= outcome.libzmq[1];
        report(`${name} ${trial}/${trials}: ${describeFigures(outcome.figures)}`, progress);
      } catch (error) {
        failures.push({ name, trial, error: error.message });
        report(`${name} ${trial}/${trials}: FAILED, ${error.message}`, progress);
      }
    }
  }
  // A variant that failed once has no figure.
  for (const row of rows) if (row.trials.length === trials) row.summary = summaryOf(benchCase, row.trials);
  const { name, title, group, size, metrics } = benchCase;
  return { name, title, group, size, metrics, failures, rows, table: caseTable(benchCase, rows) };
}

/** One line for each trial, with how far the run has come and how long it will still take. */
function report(text, progress) {
  progress.done++;
  const { done, all, started } = progress;
  const left = ((Date.now() - started) / done) * (all - done);
  console.error(`[${done}/${all}, ${Math.ceil(left / 1000)} s left] ${text}`);
}

function summaryOf({ metrics }, trials) {
  const values = (key) => summarize(trials.map(({ figures }) => figures[key]));
  return Object.fromEntries(metrics.map(({ key }) => [key, values(key)]));
}

function describeFigures(figures) {
  return Object.entries(figures)
    .filter(([, value]) => Number.isFinite(value))
    .map(([key, value]) => `${key} ${formatFigure(value)}`)
    .join(', ');
}

/** The figures as JSON, and a page of tables and plots from them. */
async function save(out, started, results) {
  const path = out ?? join(RESULTS_DIR, `${started.toISOString().replaceAll(':', '-')}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  const folder = path.replace(/\.json$/, '');
  const page = join(folder, 'README.md');
  await writePage(results, page, folder);
  console.log(`Figures: ${relative(process.cwd(), path)}\nPage and plots: ${relative(process.cwd(), page)}`);
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
