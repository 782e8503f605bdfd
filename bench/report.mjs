/**
 * Writes a result as a page with plots: npm --prefix bench run report -- RESULT.json... [--out FOLDER]
 *
 * The page is FOLDER/README.md, its plots are SVG files beside it; without --out the folder has the name of the first
 * result. With --write FILE.md it is that file, and the plots are in the folder FILE beside it.
 * Several results complete each other: a case that two of them have is taken from the later file.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { resultPage } from './lib/page.mjs';
import { drawPlots } from './lib/plots.mjs';
import { mergeResults, readResults } from './lib/results.mjs';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' }, write: { type: 'string' } },
  });
  if (positionals.length === 0)
    throw new Error(
      'usage: npm --prefix bench run report -- RESULT.json... [--out FOLDER | --write FILE.md]',
    );
  const results = mergeResults(positionals.map(readResults));
  const plots = await drawPlots(results.cases);
  const folder = resolve((values.write ?? values.out ?? positionals[0]).replace(/\.(json|md)$/, ''));
  const page = values.write ? resolve(values.write) : join(folder, 'README.md');
  // Plots of a result before this one may have had other names.
  if (values.write) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, svg } of plots) writeFileSync(join(folder, `${name}.svg`), `${svg}\n`);
  writeFileSync(page, resultPage(results, plots, values.write ? `${basename(folder)}/` : ''));
  console.log(`Page: ${page}, ${plots.length} plots`);
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 2;
});
