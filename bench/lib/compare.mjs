/**
 * Two result files side by side. Figures of two runs differ with the machine and its day, so they are not compared:
 * the ratios of zeromq-threads to its rivals within each run are.
 */
import { RIVALS } from './report.mjs';
import { ratio } from './stats.mjs';

const OURS = 'zeromq-threads';

/**
 * One row for each ratio that the first run has: `{ name, metric, rival, before, after, change, fell }`. `change` is
 * the part by which the ratio rose, negative when it fell; `fell` tells whether by more than `margin`. A row without
 * `after` is of a variant that failed in the second run, and counts as fallen. Cases and variants that were not run
 * there are left out, and so are ratios that are not finite.
 */
export function compareResults(before, after, margin) {
  const rows = [];
  for (const benchCase of before.cases) {
    const now = after.cases.find(({ name }) => name === benchCase.name);
    if (!now) continue;
    for (const row of benchCase.rows.filter(({ variant }) => isOurs(variant))) {
      const same = now.rows.find(({ variant }) => variant.name === row.variant.name);
      if (same) rows.push(...ratiosOf(benchCase, row, now, same, margin));
    }
  }
  return rows;
}

function ratiosOf(caseBefore, rowBefore, caseAfter, rowAfter, margin) {
  const rows = [];
  for (const metric of caseBefore.metrics) {
    for (const rival of RIVALS) {
      const old = ratioTo(caseBefore, rowBefore, metric, rival);
      if (!Number.isFinite(old) || old === 0) continue;
      const what = {
        name: `${caseBefore.name}/${rowBefore.variant.name}`,
        metric: metric.label,
        rival: rival.label,
        before: old,
      };
      if (!rowAfter.summary) {
        rows.push({ ...what, fell: true });
        continue;
      }
      const next = ratioTo(caseAfter, rowAfter, metric, rival);
      if (!Number.isFinite(next)) continue;
      const change = next / old - 1;
      rows.push({ ...what, after: next, change, fell: change < -margin });
    }
  }
  return rows;
}

function ratioTo(benchCase, row, { key, better }, { library }) {
  const rival = benchCase.rows.find(({ variant, summary }) => variant.library === library && summary);
  const [ours, theirs] = [row.summary?.[key]?.median, rival?.summary[key]?.median];
  return ours === undefined || theirs === undefined ? Number.NaN : ratio(ours, theirs, better);
}

const isOurs = ({ library }) => library.startsWith(OURS);

/** Markdown: fallen ratios first, then by name. */
export function comparisonTable(rows, margin) {
  const sorted = [...rows].sort((a, b) => Number(b.fell) - Number(a.fell));
  const lines = sorted.map(({ name, metric, rival, before, after, change, fell }) => {
    const cells = after === undefined ? ['failed', ''] : [after.toFixed(2), percent(change)];
    return `| ${name} | ${metric} ÷ ${rival} | ${before.toFixed(2)} | ${cells.join(' | ')} | ${fell ? '**fell**' : ''} |`;
  });
  const fallen = rows.filter(({ fell }) => fell).length;
  return [
    '| case | ratio | before | after | change | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    `${rows.length} ratios, of which ${fallen} fell by more than ${percent(margin).replace('+', '')}. Above 1 is better than that rival in the same run.`,
  ].join('\n');
}

function percent(part) {
  return `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(0)} %`;
}

/** 15%, 15 % and 0.15 are the same; throws for what is none, or not from 0 to 1. */
export function parseMargin(text) {
  const [, digits, sign] = /^([\d.]+)\s*(%?)$/.exec(text) ?? [];
  const margin = Number(digits) / (sign ? 100 : 1);
  if (!(margin >= 0 && margin < 1)) throw new Error(`--margin: expected 0 to 99 %, got ${text}`);
  return margin;
}
