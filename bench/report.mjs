/**
 * Writes a result as a page with plots: npm --prefix bench run report -- RESULT.json... [--out FOLDER]
 *
 * The page is FOLDER/README.md, its plots are SVG files beside it; without --out the folder has the name of the first
 * result. Several results complete each other: a case that two of them have is taken from the later file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { resultPage } from './lib/page.mjs';
import { drawPlots } from './lib/plots.mjs';
import { mergeResults, readResults } from './lib/results.mjs';

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' } } });
  if (positionals.length === 0)
    throw new Error('usage: npm --prefix bench run report -- RESULT.json... [--out FOLDER]');
  const results = mergeResults(positionals.map(readResults));
  const plots = await drawPlots(results.cases);
  const folder = resolve(values.out ?? positionals[0].replace(/\.json$/, ''));
  mkdirSync(folder, { recursive: true });
  for (const { name, svg } of plots) writeFileSync(join(folder, `${name}.svg`), `${svg}\n`);
  writeFileSync(join(folder, 'README.md'), resultPage(results, plots));
  console.log(`Page: ${join(folder, 'README.md')}, ${plots.length} plots`);
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 2;
});
