// Prints `N passed, N failed` from Vitest's JSON reports, for .ci/run.
//   test-summary.mjs STATUS REPORT...      STATUS: how the test runs exited
// Exits non-zero when there is no report, when anything failed, and when no test ran.
import { readFileSync } from 'node:fs';

const [, , exitStatus, ...files] = process.argv;

function count(file) {
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
  return { passed, failed: report.numFailedTests + broken };
}

const counts = files.map(count);
const passed = counts.reduce((sum, report) => sum + report.passed, 0);
let failed = counts.reduce((sum, report) => sum + report.failed, 0);
// Vitest also fails for errors outside any test.
if (failed === 0 && exitStatus !== '0') failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
