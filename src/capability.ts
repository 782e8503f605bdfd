/**
 * What the libzmq at hand is and can do.
 */
import { native } from './native.js';

/** Optional parts of libzmq. */
export interface Capability {
  readonly ipc: boolean;
  readonly pgm: boolean;
  readonly tipc: boolean;
  readonly norm: boolean;
  readonly curve: boolean;
  readonly gssapi: boolean;
  readonly draft: boolean;
}

/** The version of libzmq: `'4.3.4'`. */
export const version: string = native.version();

/** What this libzmq was built with. */
export const capability: Capability = Object.freeze({
  ipc: native.has('ipc'),
  pgm: native.has('pgm'),
  tipc: native.has('tipc'),
  norm: native.has('norm'),
  curve: native.has('curve'),
  gssapi: native.has('gssapi'),
  draft: native.has('draft'),
});
