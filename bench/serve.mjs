/**
 * Measures serve() against what can be built with npm zeromq: npm --prefix bench run serve -- [options]
 *
 *   --trials N       trials of each variant (3); figures are medians
 *   --measure MS     how long each is measured (1000)
 *   --only REGEX     only these points and variants, as 20-64/npm-loop
 *   --write FILE     writes the page that it prints, too
 *
 * Variants take turns. Every client proves that each of its requests was answered with its own bytes.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { BURNS, BUSY, BUSY_POINTS, BUSY_ROUNDS, SIZES, VARIANTS } from './cases/serve.mjs';
import { calibrate } from './lib/burn.mjs';
import { describeMachine, measureOtherLoad } from './lib/machine.mjs';
import { hasPrebuilt, prepare, threadClock } from './lib/programs.mjs';
import { servePage } from './lib/serve-report.mjs';
import { serveTrial } from './lib/serve-trial.mjs';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '3' },
    measure: { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
    write: { type: 'string' },
  },
});
const trials = Number(values.trials);
const wanted = new RegExp(values.only);

prepare(new Set(['c', 'zeromq-threads', 'npm-zeromq']));
threadClock();
const otherLoad = await measureOtherLoad();
const spinsPerMicrosecond = calibrate();
const offered = hasPrebuilt() ? VARIANTS : VARIANTS.filter((variant) => !variant.prebuilt);
const points = SIZES.flatMap((size) => BURNS.map((burn) => ({ size, burn })));
const rows = points.flatMap((point) => offered.map((variant) => ({ ...point, variant, trials: [] })));
for (const { size, burn, variants } of BUSY_POINTS) {
  for (const variant of offered.filter(({ name }) => variants.includes(name)))
    for (const busy of BUSY) rows.push({ size, burn, variant, busy, trials: [] });
}
const failures = [];
for (let trial = 1; trial <= trials; trial += 1) {
  for (const row of rows.filter(({ busy }) => busy === undefined)) await run(row);
  for (let round = 1; round <= BUSY_ROUNDS; round += 1) {
    for (const row of rows.filter(({ busy }) => busy !== undefined)) await run(row);
  }
}
const page = servePage({
  rows: rows.filter((row) => row.trials.length > 0),
  trials,
  machine: describeMachine(),
  otherLoad,
  failures,
});
console.log(page);
if (values.write !== undefined) writeFileSync(values.write, page);
if (failures.length > 0) process.exitCode = 1;

async function run({ size, burn, variant, busy, trials: done }) {
  const name = `${burn}-${size}/${variant.name}${busy === undefined ? '' : `, ${busy} busy`}`;
  if (!wanted.test(name)) return;
  const which = `${name}, trial ${done.length + 1}`;
  try {
    const spins = Math.round(burn * spinsPerMicrosecond);
    const figures = await serveTrial({
      variant,
      size,
      burn,
      spins,
      measure: Number(values.measure),
      busy,
    });
    done.push(figures);
    const { rate, cpu, burn: burned, outside, io } = figures;
    console.error(
      `${which}: ${Math.round(rate)}/s, ${cpu.toFixed(2)} us CPU, of which ${burned.toFixed(2)} burned, ${outside.toFixed(2)} outside (${io.toFixed(2)} in libzmq's I/O threads)`,
    );
  } catch (error) {
    failures.push({ name, error: error.message });
    console.error(`${which}: FAILED, ${error.message}`);
  }
}
