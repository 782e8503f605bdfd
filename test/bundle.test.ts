/** What users import is a bundle: of few files, with all that is loaded by address, and without what sockets do not need. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import * as entryFiles from '../dist/src/entry-files.js';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

/** The files and packages that an import of `file` loads. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/^import\b[^;'"]*['"]([^'"]+)['"];/gm)) {
    if (name === undefined) continue;
    if (name.startsWith('.')) loadedBy(resolve(dirname(file), name), seen);
    else seen.add(name);
  }
  return seen;
}

test.each(Object.entries(entryFiles))('%s is bundled', (_, { href }) => {
  const file = fileURLToPath(href);
  expect(file.startsWith(DIST), file).toBe(true);
  expect(existsSync(`${DIST}bundle/${file.slice(DIST.length)}`), file).toBe(true);
});

test('an import loads a handful of files, and no package', () => {
  const loaded = [...loadedBy(`${DIST}bundle/src/index.js`)];
  const packages = loaded.filter((name) => !name.startsWith('/') && !name.startsWith('node:'));
  expect(packages).toEqual([]);
  const files = loaded.filter((name) => name.startsWith('/'));
  expect(files.length, files.join('\n')).toBeGreaterThan(2);
  expect(files.length, files.join('\n')).toBeLessThan(12);
});

test('the command line loads the addon when it needs it', () => {
  const loaded = [...loadedBy(`${DIST}bundle/src/cli/main.js`)];
  expect(loaded.filter((name) => /\/(?:core|native)-/.test(name))).toEqual([]);
  expect(loaded).toContain('commander');
});

test('declarations are published with those that they import, and no others', () => {
  const types = `${DIST}types`;
  const published = readdirSync(types, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => join(types, name));
  const imported = new Set(['index.d.ts', 'draft.d.ts'].map((name) => join(types, name)));
  for (const file of published) {
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    for (const [, name = ''] of text.matchAll(/(?:\bfrom |\bimport\()['"](\.[^'"]+)\.js['"]/g)) {
      imported.add(resolve(dirname(file), `${name}.d.ts`));
    }
  }
  expect([...imported].sort()).toEqual(published.sort());
});
