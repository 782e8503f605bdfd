/** Where the native addon is, without loading it: src/native.ts looks in the same places. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, resolve, sep } from 'node:path';
import { PACKAGE_ROOT } from '../package-root.js';

export const ADDON_VARIABLE = 'ZEROMQ_THREADS_ADDON';

/** How an addon came to be used. */
export type AddonOrigin = 'variable' | 'prebuild' | 'build';

export interface AddonFound {
  readonly origin: AddonOrigin;
  readonly path: string;
}

/** The file that would be loaded; undefined if there is none. */
export function findAddon(): AddonFound | undefined {
  const chosen = process.env[ADDON_VARIABLE];
  if (chosen !== undefined && chosen !== '') {
    const path = resolve(chosen);
    return existsSync(path) ? { origin: 'variable', path } : undefined;
  }
  const { resolve: find } = createRequire(import.meta.url)('node-gyp-build') as {
    resolve: (directory: string) => string;
  };
  try {
    const path = find(PACKAGE_ROOT);
    const origin = relative(PACKAGE_ROOT, path).startsWith(`prebuilds${sep}`) ? 'prebuild' : 'build';
    return { origin, path };
  } catch {
    return undefined;
  }
}
