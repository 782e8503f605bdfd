/** Where the addon cannot be compiled, what is to be installed is said last. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

import { PACKAGE_ROOT } from './peers/build.js';
import { scratchFolder } from './scratch-folder.js';

/** Runs the install script of the package as npm unpacks it, with nothing in its PATH but node and these programs. */
function install(programs: Record<string, string>) {
  const folder = scratchFolder();
  for (const name of ['package.json', 'binding.gyp', 'scripts/install.mjs']) {
    cpSync(join(PACKAGE_ROOT, name), join(folder, name));
  }
  for (const name of ['native', 'node_modules']) symlinkSync(join(PACKAGE_ROOT, name), join(folder, name));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${code}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const { status, stderr } = spawnSync(process.execPath, ['scripts/install.mjs'], {
    cwd: folder,
    // Nothing of what npm, which may run the tests, tells node-gyp; and it is to download no headers.
    env: { PATH: bin, HOME: folder, npm_config_nodedir: dirname(dirname(process.execPath)) },
    encoding: 'utf8',
  });
  return { status, stderr };
}

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
