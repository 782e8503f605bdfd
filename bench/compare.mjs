/**
 * Sets two results side by side: npm run bench:compare -- BEFORE.json AFTER.json [--margin 15%]
 *
 * What is compared are the ratios of zeromq-threads to C and to npm zeromq, each within its own run. Exit status: 1
 * when one fell by more than the margin, or a variant failed in the second run; 2 when there is nothing to compare.
 */
import { parseArgs } from 'node:util';

import { compareResults, comparisonTable, parseMargin } from './lib/compare.mjs';
import { readResults } from './lib/results.mjs';

const USAGE = 'usage: npm run bench:compare -- BEFORE.json AFTER.json [--margin 15%]';

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { margin: { type: 'string', default: '15%' } },
  });
  if (positionals.length !== 2) throw new Error(USAGE);
  const margin = parseMargin(values.margin);
  const [before, after] = positionals.map(readResults);
  const rows = compareResults(before, after, margin);
  if (rows.length === 0) throw new Error('the two runs have no ratio in common');
  if (before.machine?.cpu !== after.machine?.cpu || before.machine?.cores !== after.machine?.cores) {
    console.log('The two runs are of different machines.\n');
  }
  console.log(comparisonTable(rows, margin));
  if (rows.some(({ fell }) => fell)) process.exitCode = 1;
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
