/** Writes a result's page and its plots. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { resultPage } from './page.mjs';
import { drawPlots } from './plots.mjs';

/**
 * The page is `page`, and its plots are SVG files in `folder`, which is the page's own or one beside it. `others` are
 * pages in Markdown that become sections of it.
 */
export async function writePage(results, page, folder, others = []) {
  const plots = await drawPlots(results.cases);
  const beside = folder !== dirname(page);
  // Plots of a result before this one may have had other names.
  if (beside) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, svg } of plots) writeFileSync(join(folder, `${name}.svg`), `${svg}\n`);
  writeFileSync(page, resultPage(results, plots, beside ? `${basename(folder)}/` : '', others));
  return plots.length;
}
