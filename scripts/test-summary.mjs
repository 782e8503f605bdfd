// Prints `N passed, N failed` from Vitest's JSON report, for .ci/run.
//   test-summary.mjs REPORT STATUS      STATUS: how the test run exited
// Exits non-zero when there is no report, when anything failed, and when no test ran.
import { readFileSync } from 'node:fs';

const [, , file, exitStatus] = process.argv;

function count() {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1 };
  }
  const passed = report.numPassedTests;
  // A file that could not even be loaded has no failed test in it, and is one failure.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + broken;
  // Vitest also fails for errors outside any test.
  return { passed, failed: failed === 0 && exitStatus !== '0' ? 1 : failed };
}

const { passed, failed } = count();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
