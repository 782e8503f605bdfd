/** Result tables in Markdown: every figure beside the rivals' and the ratio to them from the same run. */
import { formatFigure, ratio } from './stats.mjs';

/** Variants that others are compared with, as the column heads call them. */
export const RIVALS = [
  { library: 'c', label: 'C' },
  { library: 'npm-zeromq', label: 'npm zeromq' },
];

/** One table of a case: `rows` are `{ variant, count, summary: { [metric]: { median, min, max } } | undefined }`. */
export function caseTable({ title, metrics, repeats }, rows) {
  const rivals = RIVALS.map(({ library, label }) => ({
    label,
    row: rows.find(({ variant, summary }) => variant.library === library && summary),
  }));
  const head = ['driver', 'messages'];
  for (const { label } of metrics) head.push(label, 'min–max', ...rivals.map((rival) => `÷ ${rival.label}`));
  const body = rows.map((row) => {
    const cells = [row.variant.label, formatFigure(row.count)];
    for (const metric of metrics) cells.push(...metricCells(row, metric, rivals));
    return cells;
  });
  const times = repeats === undefined ? '' : ` (${repeats} times as many trials)`;
  return [`### ${title}${times}`, '', line(head), line(head.map(() => '---')), ...body.map(line), ''].join(
    '\n',
  );
}

function metricCells({ summary }, { key, better }, rivals) {
  if (!summary) return ['failed', '', ...rivals.map(() => '')];
  const { median, min, max } = summary[key];
  // C has no heap of JavaScript's, for one.
  if (!Number.isFinite(median)) return ['–', '', ...rivals.map(() => '–')];
  const ratios = rivals.map(({ row }) => {
    const times = row ? ratio(median, row.summary[key].median ?? Number.NaN, better) : Number.NaN;
    return Number.isFinite(times) ? times.toFixed(2) : '–';
  });
  return [`**${formatFigure(median)}**`, `${formatFigure(min)}–${formatFigure(max)}`, ...ratios];
}

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}
