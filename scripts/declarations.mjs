/**
 * Copies what the package's two entries reach of the declarations in dist/src/, and their maps, to dist/types/, which
 * is what is published. Part of scripts/build.sh. Which files they reach is for the compiler to say.
 *
 * dist/types/ lies as deep as dist/src/, so the maps lead to the same sources from there.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const from = join(root, 'dist/src');
const to = join(root, 'dist/types');

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const options = ['--ignoreConfig', '--listFilesOnly', '--module', 'nodenext', '--types', 'node'];
const entries = ['index.d.ts', 'draft.d.ts'].map((name) => join(from, name));
const listing = execFileSync(process.execPath, [tsc, ...options, ...entries], { encoding: 'utf8' });
const reached = listing
  .split(/\r?\n/)
  .filter((file) => file !== '')
  .map((file) => relative(from, file))
  .filter((file) => !file.startsWith('..'));

rmSync(to, { recursive: true, force: true });
for (const file of reached) {
  for (const name of [file, `${file}.map`]) cpSync(join(from, name), join(to, name));
}
