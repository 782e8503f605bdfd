import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

import { describeValue } from './describe-value.js';

/** libzmq numbers its own errors, and those an operating system lacks, from here on (`ZMQ_HAUSNUMERO`). */
const HAUSNUMERO = 156384712;

/** Errors of libzmq's own, with the texts that `zmq_strerror` gives for them. */
const ZMQ_ERRNOS: ReadonlyArray<readonly [code: string, errno: number, text: string]> = [
  ['EFSM', HAUSNUMERO + 51, 'Operation cannot be accomplished in current state'],
  ['ENOCOMPATPROTO', HAUSNUMERO + 52, 'The protocol is not compatible with the socket type'],
  ['ETERM', HAUSNUMERO + 53, 'Context was terminated'],
  ['EMTHREAD', HAUSNUMERO + 54, 'No thread available'],
];

/** What libzmq calls these on systems whose errno.h lacks them: `HAUSNUMERO + 1` and up, in this order. */
const SUBSTITUTES = [
  'ENOTSUP',
  'EPROTONOSUPPORT',
  'ENOBUFS',
  'ENETDOWN',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'ECONNREFUSED',
  'EINPROGRESS',
  'ENOTSOCK',
  'EMSGSIZE',
  'EAFNOSUPPORT',
  'ENETUNREACH',
  'ECONNABORTED',
  'ECONNRESET',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETRESET',
];

/** Where one number has two names, the one that libzmq's documentation uses. */
const PREFERRED = ['EAGAIN', 'ENOTSUP', 'EDEADLK'];

const codes = new Map<number, string>();
const errnos = new Map<string, number>();

for (const [code, errno] of [
  ...SUBSTITUTES.map((name, index): [string, number] => [name, HAUSNUMERO + 1 + index]),
  ...Object.entries(constants.errno),
  ...PREFERRED.flatMap((name): Array<[string, number]> => {
    const known = (constants.errno as Record<string, number | undefined>)[name];
    return known === undefined ? [] : [[name, known]];
  }),
  ...ZMQ_ERRNOS,
]) {
  codes.set(errno, code);
  errnos.set(code, errno);
}

let nativeText: ((errno: number) => string) | undefined;

/**
 * Gives this module libzmq's own error texts (`zmq_strerror`). Called once, by the module that loads the
 * addon; undefined takes them away again.
 */
export function setErrnoTexts(text: ((errno: number) => string) | undefined): void {
  nativeText = text;
}

/**
 * The name of an errno: `'EAGAIN'`, `'EFSM'`, ...; `'EUNKNOWN'` for a number that neither libzmq nor the
 * operating system defines.
 */
export function errnoCode(errno: number): string {
  return codes.get(errno) ?? 'EUNKNOWN';
}

/** The number of a named errno on this system, 0 when the system has no such error. */
export function errnoOf(code: string): number {
  return errnos.get(code) ?? 0;
}

function errnoText(errno: number): string {
  const text = nativeText?.(errno) ?? ZMQ_ERRNOS.find((known) => known[1] === errno)?.[2];
  return text ?? getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}

/** What a {@link ZmqError} is made of besides its message. */
export interface ZmqErrorInit {
  code: string;
  errno?: number | undefined;
  address?: string | undefined;
  cause?: unknown;
}

/** What the errors with a fixed code take besides their message. */
export interface CauseInit {
  cause?: unknown;
}

/**
 * An operation failed. Every error of this package but {@link ArgumentError} is a ZmqError.
 *
 * ```ts
 * try {
 *   socket.bind('tcp://127.0.0.1:5555');
 * } catch (error) {
 *   if (error instanceof ZmqError && error.code === 'EADDRINUSE') { ... }
 * }
 * ```
 */
export class ZmqError extends Error {
  declare readonly name: string;

  /** A stable name for what went wrong: `'EADDRINUSE'`, `'EFSM'`, `'EHOSTUNREACH'`, ... */
  readonly code: string;

  /**
   * libzmq's number for it, 0 where libzmq was not involved. Numbers differ between systems: prefer `code`.
   */
  readonly errno: number;

  /** The endpoint, where `bind`, `connect`, `unbind` or `disconnect` failed; absent otherwise. */
  declare readonly address?: string;

  constructor(message: string, init: ZmqErrorInit) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.errno = init.errno ?? errnoOf(init.code);
    if (init.address !== undefined) this.address = init.address;
  }
}

/**
 * Nothing happened within the time allowed: no message came, or none could be sent, or no watched socket
 * became ready. Its `code` is `'EAGAIN'`, as in npm `zeromq`.
 *
 * ```ts
 * try {
 *   await socket.recv({ timeout: 100 });
 * } catch (error) {
 *   if (!(error instanceof TimeoutError)) throw error; // error.timeoutSecs is 0.1
 * }
 * ```
 */
export class TimeoutError extends ZmqError {
  /** The timeout that passed, in seconds. */
  readonly timeoutSecs: number;

  /**
   * @param what the operation, such as `'recv'`: the message is `"recv timed out after 0.1 s"`
   * @param timeoutSecs the timeout that passed, in seconds
   */
  constructor(what: string, timeoutSecs: number, init: CauseInit = {}) {
    super(`${what} timed out after ${timeoutSecs} s`, { code: 'EAGAIN', ...init });
    this.timeoutSecs = timeoutSecs;
  }
}

/** The socket is closed, or was closed while the operation was pending. Its `code` is `'ENOTSOCK'`. */
export class SocketClosedError extends ZmqError {
  constructor(message = 'Socket is closed', init: CauseInit = {}) {
    super(message, { code: 'ENOTSOCK', ...init });
  }
}

/**
 * The poller was closed, or a socket that it watches was, while somebody waited on it. Its `code` is
 * `'EPOLLERCLOSED'`; `cause` names the socket when that was the reason.
 */
export class PollerClosedError extends ZmqError {
  constructor(message = 'Poller was closed while waiting', init: CauseInit = {}) {
    super(message, { code: 'EPOLLERCLOSED', errno: 0, ...init });
  }
}

/** The context is closed or shut down, and its sockets with it. Its `code` is `'ETERM'`. */
export class ContextClosedError extends ZmqError {
  constructor(message = 'Context is closed', init: CauseInit = {}) {
    super(message, { code: 'ETERM', ...init });
  }
}

/**
 * A message was received, but its content is not what `recv(as)` was asked to make of it. The message is not
 * lost: `bytes` holds it. Its `code` is `'EDECODE'`.
 *
 * ```ts
 * try {
 *   value = await socket.recv('json');
 * } catch (error) {
 *   if (error instanceof DecodeError) console.error('not JSON:', error.bytes);
 * }
 * ```
 */
export class DecodeError extends ZmqError {
  /** The payload that could not be decoded. */
  declare readonly bytes: Uint8Array;

  constructor(message: string, bytes: Uint8Array, init: CauseInit = {}) {
    super(message, { code: 'EDECODE', errno: 0, ...init });
    // Kilobytes of payload do not belong in every printed stack trace.
    Object.defineProperty(this, 'bytes', { value: bytes, enumerable: false });
  }
}

/**
 * A handler of `serve` or `pipeline` cannot be loaded, or the thread that ran it died; `cause` says of what where that
 * is known. Its `code` is `'EHANDLER'`.
 */
export class HandlerError extends ZmqError {
  constructor(message: string, init: CauseInit = {}) {
    super(message, { code: 'EHANDLER', errno: 0, ...init });
  }
}

/** An argument is of the wrong type, out of range or otherwise unusable; nothing was done. */
export class ArgumentError extends TypeError {
  declare readonly name: string;

  /** Always `'ERR_INVALID_ARG'`. */
  readonly code = 'ERR_INVALID_ARG';
}

// On the prototypes, as the language's own errors have it: an own `name` would be printed with every error.
for (const [name, type] of Object.entries({
  ZmqError,
  TimeoutError,
  SocketClosedError,
  PollerClosedError,
  ContextClosedError,
  DecodeError,
  HandlerError,
  ArgumentError,
})) {
  Object.defineProperty(type.prototype, 'name', { value: name, writable: true, configurable: true });
}

/**
 * The one wording of a bad argument: `"<name>: expected <expected>, got <description of actual>"`.
 *
 * ```ts
 * throw argumentError('timeout', 'a number of milliseconds or -1', timeout);
 * ```
 */
export function argumentError(name: string, expected: string, actual: unknown): ArgumentError {
  return new ArgumentError(`${name}: expected ${expected}, got ${describeValue(actual)}`);
}

/**
 * The error for a failed libzmq call: `"<what>: <libzmq's text>: <detail> (<code>)"`. It is a
 * {@link ContextClosedError} for ETERM and a {@link SocketClosedError} for ENOTSOCK.
 *
 * ```ts
 * throw zmqError(errno, `Cannot bind to ${endpoint}`);
 * // ZmqError: Cannot bind to tcp://127.0.0.1:5555: Address already in use (EADDRINUSE)
 * ```
 */
export function zmqError(errno: number, what: string, detail?: string, address?: string): ZmqError {
  const code = errnoCode(errno);
  const text = detail === undefined ? errnoText(errno) : `${errnoText(errno)}: ${detail}`;
  const message = `${what}: ${text} (${code})`;
  switch (code) {
    case 'ETERM':
      return new ContextClosedError(message);
    case 'ENOTSOCK':
      return new SocketClosedError(message);
    default:
      return new ZmqError(message, { code, errno, address });
  }
}

/**
 * The error for something a socket of this type cannot do, with `code` `'ENOTSUP'`.
 *
 * ```ts
 * throw notSupportedError('A PULL socket cannot send');
 * ```
 */
export function notSupportedError(message: string): ZmqError {
  return new ZmqError(message, { code: 'ENOTSUP' });
}
