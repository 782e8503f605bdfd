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

/** The median of a metric, undefined where the case was not run or the variant failed. */
export function figure(cases, caseName, variantName, key) {
  const found = cases.find(({ name }) => name === caseName);
  return found?.rows.find(({ variant }) => variant.name === variantName)?.summary?.[key]?.median;
}
