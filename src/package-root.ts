import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ZmqError } from './errors.js';

/** The folder of this package, where its package.json is: wherever this file ends up under it, or in whose bundle. */
export const PACKAGE_ROOT = findRoot();

export const DIST = pathToFileURL(`${PACKAGE_ROOT}/dist/`);

/** Whether this file is part of an application's bundle. Of a folder that has other names, what is beside this file tells. */
export const IN_BUNDLE =
  !import.meta.url.startsWith(DIST.href) && !existsSync(new URL('../workers/io-worker.js', import.meta.url));

function findRoot(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('zeromq-threads/package.json'));
  } catch (cause) {
    throw bundleError('zeromq-threads cannot run from a bundle without its own files', cause);
  }
}

/** @internal What an application is told that has this package in its bundle. */
export function bundleError(what: string, cause?: unknown): ZmqError {
  const text = `${what}: have the bundler mark zeromq-threads as external, and install it where the bundle runs`;
  return new ZmqError(text, { code: 'MODULE_NOT_FOUND', cause });
}
