/** The page of a result: machine, targets, where we are behind, plots, and every table. */
import { judgeTargets, targetTable } from './targets.mjs';

/** Markdown. @param folder where the plots are from there, as `performance/`; beside it unless told */
export function resultPage({ machine, options, otherLoad, libzmq, cases }, plots, folder = '') {
  const targets = targetTable(cases);
  const libraries = Object.entries(libzmq).map(([library, version]) => `${library} ${version}`);
  const parts = [
    '# Performance, side by side\n',
    `${machine.cores} cores (${machine.cpu}), ${Math.round(machine.memoryMiB / 1024)} GiB, ${machine.system}, Node.js ${machine.node}, at ${machine.commit ?? 'no commit'}. libzmq: ${libraries.join(', ')}.`,
    `Medians of ${options.trials} ${options.trials === 1 ? 'trial' : 'trials'}, number of messages times ${options.scale}. Other programs kept ${busy(otherLoad)} of the cores busy before and after. ÷: times as good as that rival in the same run, above 1 is better.\n`,
    '```sh\nnpm run bench    # and npm --prefix bench run report -- with the result it names\n```\n',
  ];
  if (targets) parts.push('## Targets\n', targets, '', behind(cases), '');
  if (plots.length > 0)
    parts.push('## Plots\n', ...plots.map(({ name, title }) => `![${title}](${folder}${name}.svg)\n`));
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
