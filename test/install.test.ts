/** Where the addon cannot be compiled, what is to be installed is said last. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

import { install } from './install-script.js';

const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

test.each([
  ['pkg-config', {}, /pkg-config or libzmq is missing/],
  ['libzmq', { 'pkg-config': 'exit 1' }, /pkg-config or libzmq is missing/],
  ['Python', { 'pkg-config': 'exit 0' }, /find Python[\s\S]*that failed/],
  ['a compiler', { 'pkg-config': 'exit 0', python3: `exec ${PYTHON} "$@"` }, /gyp ERR![\s\S]*that failed/],
])('without %s', (_, programs, reason) => {
  const { status, stderr } = install(programs);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(reason);
  expect(stderr.trimEnd().split('\n').at(-5)).toMatch(
    /^ {2}Debian, Ubuntu: .*libzmq3-dev.* g\+\+ make python3$/,
  );
});
