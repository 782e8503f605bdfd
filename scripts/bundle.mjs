/**
 * Bundles src/ and workers/ into dist/bundle/: the package is read from a few files instead of a hundred,
 * which is most of the time that an import takes, in every Worker anew. Part of scripts/build.sh.
 *
 * Entries keep their place in the tree, and what they share lies in src/, so that src/entry-files.ts holds in both.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

import * as entryFiles from '../dist/src/entry-files.js'; // tsc has made it just before

const dist = new URL('../dist/', import.meta.url).href;
const byAddress = Object.values(entryFiles).map(({ href }) => href.slice(dist.length, -'.js'.length));
const ENTRIES = ['src/index', 'src/draft', ...byAddress];

const root = fileURLToPath(new URL('../', import.meta.url));
const to = `${root}dist/bundle`;

await rm(to, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(ENTRIES.map((name) => [name, `./${name}.ts`])),
  platform: 'node',
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  // As tsconfig.json has it.
  transform: { target: 'es2023' },
  // Dependencies, and the package itself where it asks for its own package.json.
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  onLog(level, log) {
    throw new Error(`${level}: ${log.message}`);
  },
});
await bundle.write({
  dir: to,
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'src/[name]-[hash].js',
  codeSplitting: {
    groups: [
      // What does without the addon, which the command line loads late, and then that.
      {
        name: 'base',
        test: /\/src\/(?:describe-value|entry-files|errors|layout|package-root|socket-types)\.ts$/,
        priority: 3,
      },
      { name: 'native', test: /\/src\/native\.ts$/, priority: 2 },
      // What sockets are made of, and those who use them share.
      { name: 'core', test: /\/src\/(?!index|draft|multi-core)[^/]+\.ts$/, priority: 1 },
    ],
  },
});
await bundle.close();
