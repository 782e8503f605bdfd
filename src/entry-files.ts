/**
 * Files that are loaded by their address and not by an import: what Workers, handler threads and other processes begin
 * with. All of them are named here, because an address is relative to the file that has it, and most files are bundled
 * into one of this folder (scripts/bundle.mjs, which bundles what is named here). In an application's bundle they are
 * not: there they are those of the installed package.
 */
import { existsSync } from 'node:fs';
import { bundleError, DIST, IN_BUNDLE } from './package-root.js';

/** dist/, or dist/bundle/. */
const BASE = base();

export const IO_WORKER = new URL('workers/io-worker.js', BASE);
export const ZAP_THREAD = new URL('workers/zap-thread.js', BASE);
export const HANDLER_THREAD = new URL('workers/handler-thread.js', BASE);
export const REPLY_OUTLET = new URL('src/serve/reply-outlet.js', BASE);
export const STAGE_OUTLET = new URL('src/pipeline/stage-outlet.js', BASE);
export const COMMAND_LINE = new URL('src/cli/main.js', BASE);
export const DOCTOR_SELF_TEST = new URL('src/cli/doctor-self-test.js', BASE);

function base(): URL {
  if (!IN_BUNDLE) return new URL('../', import.meta.url);
  const base = new URL('bundle/', DIST);
  if (existsSync(new URL('workers/io-worker.js', base))) return base;
  // Now, when somebody can catch it: a Worker tells of it when there is nobody to tell.
  throw bundleError('zeromq-threads cannot run from a bundle without its own files');
}
