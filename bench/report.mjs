/**
 * Writes a result as a page with plots: npm --prefix bench run report -- RESULT.json... [PAGE.md...] [--out FOLDER]
 *
 * The page is FOLDER/README.md, its plots are SVG files beside it; without --out the folder has the name of the first
 * result. With --write FILE.md it is that file, and the plots are in the folder FILE beside it.
 * Several results complete each other: a case that two of them have is taken from the later file. Files in Markdown, as
 * profile.mjs writes, become sections of the page.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { mergeResults, readResults } from './lib/results.mjs';
import { writePage } from './lib/write-page.mjs';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' }, write: { type: 'string' } },
  });
  const pages = positionals.filter((file) => file.endsWith('.md'));
  const files = positionals.filter((file) => !file.endsWith('.md'));
  if (files.length === 0)
    throw new Error(
      'usage: npm --prefix bench run report -- RESULT.json... [PAGE.md...] [--out FOLDER | --write FILE.md]',
    );
  const results = mergeResults(files.map(readResults));
  const others = pages.map((file) => readFileSync(file, 'utf8'));
  const folder = resolve((values.write ?? values.out ?? files[0]).replace(/\.(json|md)$/, ''));
  const page = values.write ? resolve(values.write) : join(folder, 'README.md');
  const plots = await writePage(results, page, folder, others);
  console.log(`Page: ${page}, ${plots} plots`);
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 2;
});
