/** Declarations that the compiler writes for an application: it can name all types of what the package exports. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { scratchFolder } from './scratch-folder.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** A project with the package installed: of a package that is only linked, the compiler would name any file. */
function project(sources: Record<string, string>): string {
  const folder = scratchFolder();
  const installed = join(folder, 'node_modules/zeromq-threads');
  mkdirSync(join(folder, 'src'));
  mkdirSync(installed, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  cpSync(join(ROOT, 'dist/types'), join(installed, 'dist/types'), {
    recursive: true,
    filter: (from) => !from.endsWith('.map'),
  });
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, 'src', name), text);
  const { compilerOptions } = JSON.parse(
    readFileSync(join(ROOT, 'tsconfig.json'), 'utf8').replaceAll(/^\s*\/\/.*$/gm, ''),
  ) as { compilerOptions: object };
  const settings = { compilerOptions: { ...compilerOptions, rootDir: 'src' }, include: ['src'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', type: 'module' }));
  return folder;
}

test('an application can export what it likes of the package, without annotations', async () => {
  const folder = project({
    'exported.ts': readFileSync(join(ROOT, 'test/types/declarations.test-d.ts'), 'utf8'),
    'draft.ts': `
      import * as draft from 'zeromq-threads/draft';
      export const everything = { ...draft };
      export const Chosen = draft.Server;
      export const received = (server: draft.Server) => server.recv();`,
  });
  const compiled = await promisify(execFile)(process.execPath, [TSC, '-p', folder]).catch(
    (error: { stdout: string }) => error,
  );
  expect(compiled.stdout).toBe('');
  const written = readFileSync(join(folder, 'dist/exported.d.ts'), 'utf8');
  expect(written).toContain('zmq.LaneStats[]');
  expect(written).not.toContain('node_modules');
});
