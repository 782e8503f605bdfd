/**
 * What the libzmq at hand is and can do.
 */
import { native } from './native.js';

/** Optional parts of libzmq. */
export interface Capability {
  /** `ipc://` endpoints: sockets of the file system. */
  readonly ipc: boolean;
  /** `pgm://` and `epgm://` endpoints: reliable multicast. */
  readonly pgm: boolean;
  /** `tipc://` endpoints: the protocol of Linux clusters. */
  readonly tipc: boolean;
  /** `norm://` endpoints: multicast by NACK-oriented reliability. */
  readonly norm: boolean;
  /** CURVE: encryption, and keys for whoever connects. */
  readonly curve: boolean;
  /** GSSAPI: Kerberos. */
  readonly gssapi: boolean;
  /** The draft API, and with it the classes of `zeromq-threads/draft`. */
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
