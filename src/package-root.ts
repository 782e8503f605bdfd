import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const require = createRequire(import.meta.url);

/** The folder of this package, where its package.json is: wherever this file ends up under it. */
export const PACKAGE_ROOT = dirname(require.resolve('zeromq-threads/package.json'));
