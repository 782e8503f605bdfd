/**
 * What an Authenticator is told, and whether it can be meant.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '../context.js';
import { curveKeyBytes } from '../curve-key.js';
import { describeShape } from '../describe-value.js';
import { ArgumentError, argumentError } from '../errors.js';
import { checkNames, checkOptions, LONGEST_TIMER } from '../pending.js';
import { z85Encode } from '../z85.js';
import { isAddressEntry } from './address-rules.js';
import { EVERY_DOMAIN } from './policy.js';
import type { CurveSource, PlainSource } from './thread-messages.js';

/** Options of an {@link Authenticator}. */
export interface AuthenticatorOptions {
  /** Whose sockets it answers for; the default context unless told. */
  context?: Context | undefined;
  /** How long a `verify` function may take, in milliseconds; 5,000 unless told. */
  callbackTimeout?: number | undefined;
  /** For how many connections `verify` functions may be under way; 256 unless told. */
  maxPending?: number | undefined;
}

/** Options of `allow` and `deny`. */
export interface AddressOptions {
  /** For sockets with this `zapDomain`; all of them unless told. */
  domain?: string | undefined;
}

/** Who wants to connect, as a `verify` function is told. */
interface ConnectionRequest {
  /** The socket's `zapDomain`. */
  readonly domain: string;
  /** The peer's IP address; for `ipc`, ids of its process, or nothing. */
  readonly address: string;
  /** The routing id that the peer gave itself; empty if it did not. */
  readonly routingId: Uint8Array;
  /** Aborted when the answer comes too late. */
  readonly signal: AbortSignal;
}

/** A PLAIN client. */
export interface PlainRequest extends ConnectionRequest {
  /** Tells it from a CURVE client. */
  readonly mechanism: 'PLAIN';
  /** Who it says that it is. */
  readonly username: string;
  /** What it says to prove it. */
  readonly password: string;
}

/** A CURVE client, who has proved that it has the secret key. */
export interface CurveRequest extends ConnectionRequest {
  /** Tells it from a PLAIN client. */
  readonly mechanism: 'CURVE';
  /** 40 characters of Z85. */
  readonly publicKey: string;
}

/** What received messages say about a peer that was accepted. */
export interface Acceptance {
  /** `message.metadata('User-Id')`; the user name or public key unless told. */
  readonly userId?: string | undefined;
  /** More properties for `message.metadata(name)`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Whether a peer may connect. */
export type Verdict = boolean | Acceptance | null | undefined;

/** Decides about a peer. What it throws refuses the peer, and is an event. */
export type Verify<Request> = (request: Request) => Verdict | Promise<Verdict>;

/** Options of `configurePlain`: one of `passwords`, `file` and `verify`. */
export interface PlainOptions {
  /** For sockets with this `zapDomain`; those that have no users of their own unless told. */
  domain?: string | undefined;
  /** Passwords by user name. */
  passwords?: Readonly<Record<string, string>> | ReadonlyMap<string, string> | undefined;
  /** A file with a line `name=password` for each user, as czmq reads it. Changes count from the next connection on. */
  file?: string | URL | undefined;
  /** Decides about each user, in the place of a list. */
  verify?: Verify<PlainRequest> | undefined;
}

/** Options of `configureCurve`: one of `keys`, `directory` and `verify`. */
export interface CurveOptions {
  /** For sockets with this `zapDomain`; those that have no keys of their own unless told. */
  domain?: string | undefined;
  /** Public keys, as Z85 or bytes; `'any'` lets in whoever knows the server's public key. */
  keys?: Iterable<string | Uint8Array> | 'any' | undefined;
  /**
   * A folder of public key files, as `writeCurveKeyFiles`, czmq and pyzmq write them. Changes count from the next
   * connection on. What a file says about its owner is on received messages.
   */
  directory?: string | URL | undefined;
  /** Decides about each key, in the place of a list. */
  verify?: Verify<CurveRequest> | undefined;
}

const CALLBACK_TIMEOUT = 5000;
const MAX_PENDING = 256;
const LONGEST_DOMAIN = 255;

export function checkLimits(options: Partial<AuthenticatorOptions>): {
  callbackTimeout: number;
  maxPending: number;
} {
  checkNames('options', options, ['context', 'callbackTimeout', 'maxPending']);
  const { callbackTimeout = CALLBACK_TIMEOUT, maxPending = MAX_PENDING } = options;
  if (typeof callbackTimeout !== 'number' || !(callbackTimeout > 0 && callbackTimeout <= LONGEST_TIMER)) {
    throw argumentError('callbackTimeout', `milliseconds above 0, up to ${LONGEST_TIMER}`, callbackTimeout);
  }
  if (!Number.isInteger(maxPending) || maxPending < 1) {
    throw argumentError('maxPending', 'an integer from 1 up', maxPending);
  }
  return { callbackTimeout, maxPending };
}

/** @param given addresses, and options at the end if there are any */
export function checkAddresses(given: readonly unknown[]): { domain: string; entries: string[] } {
  const last = given.at(-1);
  const hasOptions = typeof last === 'object' && last !== null;
  const entries = hasOptions ? given.slice(0, -1) : [...given];
  for (const entry of entries) {
    if (!isAddressEntry(entry)) {
      throw argumentError('address', "an IP address, a range such as '10.0.0.0/8', or 'ipc'", entry);
    }
  }
  // An empty list would say that everybody, or nobody, is meant: which, nobody could tell.
  if (entries.length === 0) throw new ArgumentError('address: expected one at least, got none');
  const { domain } = hasOptions ? (last as AddressOptions) : {};
  // A misspelt domain would mean all of them.
  if (hasOptions) checkNames('options', last, ['domain']);
  return { domain: checkDomain(domain), entries: entries as string[] };
}

export function checkPlain(options: PlainOptions): {
  domain: string;
  source: PlainSource;
  verify: Verify<PlainRequest> | undefined;
} {
  const { domain, passwords, file, verify } = given(options, ['passwords', 'file', 'verify']);
  const source: PlainSource =
    passwords !== undefined
      ? { kind: 'passwords', entries: checkPasswords(passwords) }
      : file !== undefined
        ? { kind: 'file', path: checkPath('file', file) }
        : { kind: 'ask' };
  return { domain: checkDomain(domain), source, verify: checkVerify(verify) };
}

export function checkCurve(options: CurveOptions): {
  domain: string;
  source: CurveSource;
  verify: Verify<CurveRequest> | undefined;
} {
  const { domain, keys, directory, verify } = given(options, ['keys', 'directory', 'verify']);
  const source: CurveSource =
    keys === 'any'
      ? { kind: 'any' }
      : keys !== undefined
        ? { kind: 'keys', keys: checkKeys(keys) }
        : directory !== undefined
          ? { kind: 'folder', path: checkPath('directory', directory) }
          : { kind: 'ask' };
  return { domain: checkDomain(domain), source, verify: checkVerify(verify) };
}

/** The options, of which exactly one of those names has to be there. */
function given<Options extends { domain?: unknown }>(
  options: Options,
  names: (keyof Options & string)[],
): Options {
  const checked = checkOptions(options, ['domain', ...names]);
  const there = names.filter((name) => checked[name] !== undefined);
  if (there.length === 1) return options;
  const got = there.length === 0 ? 'none of them' : there.join(' and ');
  throw new ArgumentError(`options: expected one of ${names.join(', ')}, got ${got}`);
}

function checkDomain(domain: unknown = EVERY_DOMAIN): string {
  if (typeof domain !== 'string' || domain === '' || Buffer.byteLength(domain) > LONGEST_DOMAIN) {
    throw argumentError('options.domain', `a string of 1 to ${LONGEST_DOMAIN} bytes`, domain);
  }
  return domain;
}

function checkPath(name: string, path: unknown): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== 'string' || path === '') throw argumentError(`options.${name}`, 'a path', path);
  return resolve(path);
}

function checkVerify<Checked>(verify: Checked): Checked {
  if (verify !== undefined && typeof verify !== 'function') {
    throw argumentError('options.verify', 'a function', verify);
  }
  return verify;
}

/** Never says what came: it may be a password. */
function checkPasswords(passwords: NonNullable<PlainOptions['passwords']>): [string, string][] {
  if (typeof passwords !== 'object' || Array.isArray(passwords)) {
    const got = describeShape(passwords);
    throw new ArgumentError(
      `options.passwords: expected an object or a Map of names and passwords, got ${got}`,
    );
  }
  const entries = passwords instanceof Map ? [...passwords] : Object.entries(passwords);
  for (const [name, password] of entries as [unknown, unknown][]) {
    if (typeof name !== 'string') throw argumentError('options.passwords', 'names that are strings', name);
    if (typeof password !== 'string') {
      const got = describeShape(password);
      throw new ArgumentError(
        `options.passwords: expected a string as the password of '${name}', got ${got}`,
      );
    }
  }
  return entries as [string, string][];
}

function checkKeys(keys: Iterable<string | Uint8Array>): string[] {
  const expected = "'any', or public keys of 40 characters of Z85 or 32 bytes each";
  // One string is iterable, too, and a key's bytes are.
  if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys) || ArrayBuffer.isView(keys)) {
    throw argumentError('options.keys', expected, keys);
  }
  return [...keys].map((key) => {
    if (typeof key === 'string' && curveKeyBytes(key) !== undefined) return key;
    if (key instanceof Uint8Array && key.length === 32) return z85Encode(key);
    throw new ArgumentError(`options.keys: expected ${expected}, got ${describeShape(key)} among them`);
  });
}
