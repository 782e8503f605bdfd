/** What users import is a bundle: of few files, with all that is loaded by address, and without what sockets do not need. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';

import * as entryFiles from '../dist/src/entry-files.js';
import { runNode } from './peers/index.js';
import { scratchFolder } from './scratch-folder.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const DIST = `${ROOT}dist/`;

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

/** An application in one file, this package and all, as bundlers make it unless told. */
async function bundled(source: string): Promise<{ folder: string; url: URL }> {
  const folder = scratchFolder();
  const input = join(folder, 'app.mjs');
  writeFileSync(input, source);
  const bundle = await rolldown({
    input,
    platform: 'node',
    resolve: { alias: { 'zeromq-threads': `${DIST}bundle/src/index.js` } },
    onLog: () => {}, // what bundlers say of a package that they had better leave out
  });
  const file = join(folder, 'bundle.mjs');
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return { folder, url: pathToFileURL(file) };
}

const WAITS = `
  import { Pull, Push } from 'zeromq-threads';
  const pull = new Pull({ dedicatedWorker: true });
  const push = new Push();
  push.connect(pull.bind('tcp://127.0.0.1:*'));
  await push.send('from a bundle');
  console.log(await pull.recv('utf8'));
  // By now there is an I/O worker, if there was none.
  await pull.recv({ timeout: 1500 }).catch(({ name }) => console.log(name));
  pull.close();
  push.close();`;

test("in an application's bundle, its threads are those of the package that is installed there", async () => {
  const { folder, url } = await bundled(WAITS);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/zeromq-threads'));
  const result = await runNode(url, [], { step: 'a bundle' });
  expect(result).toMatchObject({ code: 0, stderr: '', lines: ['from a bundle', 'TimeoutError'] });
});

test.each(['serve', 'pipeline'])("%s() is refused in an application's bundle", async (name) => {
  const { folder, url } = await bundled(`
    import { ${name} } from 'zeromq-threads';
    await ${name}({}).catch(({ name, code, message }) => console.log(name, code, message));`);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/zeromq-threads'));
  const result = await runNode(url, [], { step: 'a bundle' });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).toMatch(/^ZmqError MODULE_NOT_FOUND .* mark zeromq-threads as external/);
});

test("in an application's bundle, where it is not installed, it says what to do, to who can catch it", async () => {
  const { url } = await bundled(WAITS);
  const script = `await import('${url}').catch(({ name, code, message }) => console.log(name, code, message));`;
  const result = await runNode(script, [], { step: 'a bundle alone' });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout).toMatch(/^ZmqError MODULE_NOT_FOUND .* mark zeromq-threads as external/);
});

test('with files missing, it says so at once', async () => {
  const { folder, url } = await bundled(WAITS);
  const installed = join(folder, 'node_modules/zeromq-threads');
  mkdirSync(installed, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json')); // a link would lead to where the rest is
  for (const name of ['build', 'node_modules']) symlinkSync(join(ROOT, name), join(installed, name));
  const result = await runNode(url, [], { step: 'a bundle with half a package' });
  expect(result).toMatchObject({ code: 1, stdout: '' });
  expect(result.stderr).toMatch(/ZmqError: .* mark zeromq-threads as external/);
});
