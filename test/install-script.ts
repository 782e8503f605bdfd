/** The package's install script, on a system that has only what a test gives it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { PACKAGE_ROOT } from './peers/build.js';
import { scratchFolder } from './scratch-folder.js';

/**
 * Runs the install script of the package as npm unpacks it, with nothing in its PATH but node and these programs.
 *
 * @param also more of the package's folders
 * @returns how that went, and where the package is
 */
export function install(programs: Record<string, string>, also: readonly string[] = []) {
  const folder = scratchFolder();
  for (const name of ['package.json', 'binding.gyp', 'scripts/install.mjs']) {
    cpSync(join(PACKAGE_ROOT, name), join(folder, name));
  }
  for (const name of ['native', 'node_modules', ...also])
    symlinkSync(join(PACKAGE_ROOT, name), join(folder, name));
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
  return { status, stderr, folder };
}
