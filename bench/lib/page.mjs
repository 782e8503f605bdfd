/** The page of a result: machine, targets, where we are behind, plots, and every table. */
import { RIVALS } from './report.mjs';
import { formatFigure, ratio } from './stats.mjs';
import { judgeTargets, targetTable } from './targets.mjs';

/**
 * Markdown. `others` are further pages in Markdown, as that of the profile, which become sections of this one.
 *
 * @param folder where the plots are from there, as `performance/`; beside it unless told
 */
export function resultPage({ machine, options, otherLoad, libzmq, cases }, plots, folder = '', others = []) {
  const targets = targetTable(cases);
  const libraries = Object.entries(libzmq).map(([library, version]) => `${library} ${version}`);
  const parts = [
    '# Performance, side by side\n',
    `${machine.cores} cores (${machine.cpu}), ${Math.round(machine.memoryMiB / 1024)} GiB, ${machine.system}, Node.js ${machine.node}, at ${machine.commit ?? 'no commit'}. libzmq: ${libraries.join(', ')}.${versions(machine)}`,
    `Medians of ${options.trials} ${options.trials === 1 ? 'trial' : 'trials'}, number of messages times ${options.scale}. Other programs kept ${busy(otherLoad)} of the cores busy before and after. ÷: times as good as that rival in the same run, above 1 is better.\n`,
    `\`\`\`sh\n${commandOf(options)}\nnpm --prefix bench run report -- RESULT.json --write PAGE.md    # with the result it names\n\`\`\`\n`,
  ];
  if (targets) parts.push('## Targets\n', targets, '', behind(cases), '');
  parts.push('## Where we are behind\n', slower(cases), '');
  if (plots.length > 0)
    parts.push('## Plots\n', ...plots.map(({ name, title }) => `![${title}](${folder}${name}.svg)\n`));
  parts.push(...others.map(asSection));
  parts.push('## Tables\n', ...cases.map(({ table }) => table));
  const failures = cases.flatMap((each) => each.failures);
  if (failures.length > 0) {
    parts.push(
      '## Failures\n',
      ...failures.map(({ name, trial, error }) => `- ${name}, trial ${trial}: ${error}`),
      '',
    );
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

/** A page's headings one level down, as far as they are no lines of code. */
function asSection(page) {
  let code = false;
  const lines = page.split('\n').map((line) => {
    if (line.startsWith('```')) code = !code;
    return !code && /^#+ /.test(line) ? `#${line}` : line;
  });
  return `${lines.join('\n').trimEnd()}\n`;
}

function versions({ packages = {} }) {
  const all = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return all.length === 0 ? '' : ` Packages: ${all.join(', ')}.`;
}

/** The command that made the result. */
function commandOf({ full, only, except, trials, scale }) {
  const given = [
    ...(only ? ['--only', `'${only}'`] : []),
    ...(except ? ['--except', `'${except}'`] : []),
    ...(trials !== 3 ? ['--trials', trials] : []),
    ...(scale !== 1 ? ['--scale', scale] : []),
  ];
  return ['npm run', full ? 'bench:full' : 'bench', ...(given.length > 0 ? ['--', ...given] : [])].join(' ');
}

/** Whatever a rival does better than the best of our ways, the worst first, and then than the others of them. */
function slower(cases) {
  return RIVALS.map(({ library, label }) => {
    const ways = cases.flatMap((each) => each.metrics.map((metric) => waysBeside(each, metric, library)));
    const points = ways.flatMap(([best]) => best ?? []);
    if (points.length === 0) return `Nothing was measured beside ${label}.\n`;
    return [bestBehind(points, label), ...othersBehind(ways, label)].join('\n');
  }).join('\n');
}

function bestBehind(points, label) {
  const worse = points.filter(isBehind).sort((a, b) => a.ratio - b.ratio);
  if (worse.length === 0) return `Nowhere behind ${label}, of ${points.length} figures.\n`;
  const lines = worse.map(
    (point) =>
      `| ${point.case} | ${point.metric} | ${formatFigure(point.ours)} | ${formatFigure(point.theirs)} | ${point.ratio.toFixed(2)} | ${point.driver} |`,
  );
  return [
    `Behind ${label} in ${worse.length} of ${points.length} figures, by the best of our ways:`,
    '',
    `| case | figure | zeromq-threads | ${label} | times as good | our best way |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

/** What is behind of the ways beside the best one, which may well be the usual ones. */
function othersBehind(ways, label) {
  const figures = new Map();
  for (const point of ways.flatMap(([, ...others]) => others).filter(isBehind)) {
    const way = `${point.case}, ${point.driver}`;
    figures.set(way, [...(figures.get(way) ?? []), `${point.metric} ${point.ratio.toFixed(2)}`]);
  }
  if (figures.size === 0) return [];
  const lines = [...figures].map(([way, times]) => `- ${way}: ${times.join(', ')}`);
  return [
    `Behind ${label} by other ways of ours, which may be the usual ones (times as good):\n`,
    ...lines,
    '',
  ];
}

function isBehind(point) {
  return point.ratio < 1;
}

/** What each of our ways reaches, the best first. */
function waysBeside({ name, rows }, { key, label, better }, library) {
  const measured = rows.filter(({ summary }) => Number.isFinite(summary?.[key]?.median));
  const rival = measured.find(({ variant }) => variant.library === library);
  if (rival === undefined) return [];
  const theirs = rival.summary[key].median;
  return measured
    .filter(({ variant }) => variant.library.startsWith('zeromq-threads'))
    .map(({ variant, summary }) => ({
      case: name,
      metric: label,
      ours: summary[key].median,
      theirs,
      ratio: ratio(summary[key].median, theirs, better),
      driver: variant.label,
    }))
    .filter((point) => Number.isFinite(point.ratio))
    .sort((a, b) => b.ratio - a.ratio);
}

function busy({ before, after }) {
  return `${Math.round(before * 100)} % and ${Math.round(after * 100)} %`;
}

function behind(cases) {
  const measured = judgeTargets(cases).filter(({ value }) => value !== undefined);
  const missed = measured.filter(({ met }) => !met);
  if (missed.length === 0) return `All ${measured.length} targets that were measured are met.`;
  const lines = missed.map(
    ({ what, bound, value, unit }) => `- ${what}: ${value.toFixed(2)}${unit}, aimed at ${bound}.`,
  );
  return [`Behind in ${missed.length} of ${measured.length}:`, '', ...lines].join('\n');
}
