/** Result files, and how to find a figure in one. */
import { readFileSync } from 'node:fs';

/** Files of another form are refused: comparing them would be guessing. */
export const RESULT_FORMAT = 2;

export function readResults(path) {
  const text = readFileSync(path, 'utf8');
  let results;
  try {
    results = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}: expected a result file, got no JSON: ${error.message}`);
  }
  if (results?.format !== RESULT_FORMAT) {
    throw new Error(`${path}: expected results of form ${RESULT_FORMAT}, got ${results?.format ?? 'none'}`);
  }
  return results;
}

/** Runs of one machine and commit that each measured a part; throws where they are not. The last run of a case counts. */
export function mergeResults(all) {
  const [first] = all;
  const cases = new Map();
  for (const results of all) {
    for (const key of ['cpu', 'cores', 'node', 'commit']) {
      const [value, expected] = [results.machine[key], first.machine[key]];
      if (value !== expected) throw new Error(`results of different ${key}: ${expected} and ${value}`);
    }
    if (results.options.trials !== first.options.trials || results.options.scale !== first.options.scale) {
      throw new Error('results of different --trials or --scale');
    }
    for (const each of results.cases) cases.set(each.name, each);
  }
  return {
    ...first,
    libzmq: Object.assign({}, ...all.map(({ libzmq }) => libzmq)),
    otherLoad: {
      before: Math.max(...all.map(({ otherLoad }) => otherLoad.before)),
      after: Math.max(...all.map(({ otherLoad }) => otherLoad.after)),
    },
    cases: [...cases.values()],
  };
}

/** The median of a metric, undefined where the case was not run or the variant failed. */
export function figure(cases, caseName, variantName, key) {
  const found = cases.find(({ name }) => name === caseName);
  return found?.rows.find(({ variant }) => variant.name === variantName)?.summary?.[key]?.median;
}
