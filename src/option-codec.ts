/**
 * Option values between JavaScript and libzmq, and the checks on the way. Nothing in here touches a socket.
 *
 * To set: `native.socketSetOption(slot, optionId(entry, value), encodeOption(entry, value))`.
 * To get: `decodeOption(entry, native.socketGetOption(slot, entry.id, optionReadSize(entry)))`.
 */

import { isUtf8 } from 'node:buffer';
import { endianness } from 'node:os';
import { types } from 'node:util';

import { bytesOfBuffer, bytesOfView } from './bytes.js';
import { curveKeyBytes, curveKeyText } from './curve-key.js';
import { describeShape, describeValue } from './describe-value.js';
import { ArgumentError, notSupportedError } from './errors.js';
import type { OptionEntry } from './option-entry.js';
import { type CanonicalType, socketTypeOf } from './socket-types.js';

export { findContextOption, findSocketOption } from './option-names.js';

/** What an option's value can be. */
export type OptionValue = number | bigint | boolean | string | Uint8Array | null;

const LITTLE_ENDIAN = endianness() === 'LE';
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
const utf8 = new TextEncoder();

/**
 * The bytes that libzmq wants for a value, to be set under {@link optionId}; null, for which libzmq wants a null
 * pointer, where null unsets the option.
 *
 * @throws {@link ArgumentError} when the value is not of the option's type or not in its range
 */
export function encodeOption(entry: OptionEntry, value: unknown): Uint8Array | null {
  if (value === null && entry.nullable === true) {
    return null;
  }
  switch (entry.type) {
    case 'int':
    case 'bool':
    case 'choice':
    case 'fd': {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, encodeIntOption(entry, value), LITTLE_ENDIAN);
      return bytes;
    }
    case 'int64':
    case 'uint64':
      return encodeInt64(entry, value);
    case 'string':
      return encodeText(entry, value);
    case 'binary':
      return encodeBinary(entry, value);
    case 'z85key':
      return encodeKey(entry, value);
  }
}

/**
 * libzmq's number for a value of an option that is an `int` to libzmq: `bool`, `choice` and `int`, which all
 * context options are.
 *
 * @throws {@link ArgumentError} as {@link encodeOption}
 */
export function encodeIntOption(entry: OptionEntry, value: unknown): number {
  if (entry.type === 'bool') {
    if (typeof value !== 'boolean') {
      throw badValue(entry, 'a boolean', value);
    }
    return value ? 1 : 0;
  }
  if (entry.type === 'choice') {
    const index = choiceIndex(entry, value);
    return entry.settings?.[index]?.[1] ?? index;
  }
  const least = entry.min ?? INT_MIN;
  const greatest = entry.max ?? INT_MAX;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > greatest) {
    throw badValue(entry, `an integer from ${least} to ${greatest}${unitOf(entry)}`, value);
  }
  return value;
}

/**
 * The option number to set for this value. It is the entry's own except for a choice that stands for several
 * options of libzmq, as `verbosity` does.
 */
export function optionId(entry: OptionEntry, value: unknown): number {
  return entry.settings === undefined ? entry.id : entry.settings[choiceIndex(entry, value)]![0];
}

/**
 * How large a buffer `zmq_getsockopt` needs for the option, in bytes. For CURVE keys it must be just that.
 */
export function optionReadSize(entry: OptionEntry): number {
  switch (entry.type) {
    case 'int64':
    case 'uint64':
    case 'fd': // 8 on 64-bit Windows; libzmq says how much of it is used
      return 8;
    case 'string':
      return 1024; // endpoints are the longest, and a path or a host name can be 255
    case 'binary':
      return 256;
    case 'z85key':
      return 32;
    default:
      return 4;
  }
}

/**
 * The value in the bytes that libzmq gave for an option. 64-bit integers are bigints where a number would not
 * be exact, an empty string and a CURVE key of zeros are null, and binary data is a string where it is UTF-8.
 */
export function decodeOption(entry: OptionEntry, bytes: Uint8Array): OptionValue {
  switch (entry.type) {
    case 'int64':
      return numberIfExact(viewOf(bytes).getBigInt64(0, LITTLE_ENDIAN));
    case 'uint64':
      return numberIfExact(viewOf(bytes).getBigUint64(0, LITTLE_ENDIAN));
    case 'fd':
      return bytes.length >= 8
        ? numberIfExact(viewOf(bytes).getBigUint64(0, LITTLE_ENDIAN))
        : viewOf(bytes).getInt32(0, LITTLE_ENDIAN);
    case 'string': {
      const end = bytes.indexOf(0);
      const text = Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString('utf8');
      return text === '' ? null : text;
    }
    case 'binary': {
      const copy = Buffer.from(bytes);
      return copy.length === 0 ? null : isUtf8(copy) ? copy.toString('utf8') : copy;
    }
    case 'z85key':
      return curveKeyText(bytes);
    default:
      return decodeIntOption(entry, viewOf(bytes).getInt32(0, LITTLE_ENDIAN));
  }
}

/** As {@link decodeOption}, for an option that is an `int` to libzmq. */
export function decodeIntOption(entry: OptionEntry, value: number): number | boolean | string | null {
  switch (entry.type) {
    case 'bool':
      return value !== 0;
    case 'choice':
      return entry.values?.[value] ?? null;
    default:
      return value;
  }
}

/** Whether an option means something for a socket type. */
export function optionApplies(entry: OptionEntry, type: CanonicalType): boolean {
  return entry.kind === 'socket' && (entry.sockets === 'all' || entry.sockets.includes(type));
}

/**
 * Checks that a socket of this type has the option and that it can be read or written as wanted.
 *
 * @throws {@link ZmqError} with code `'ENOTSUP'` that names the option and the type
 * @throws {@link ArgumentError} when a write-only option is read or a read-only one is set
 */
export function checkOptionAccess(entry: OptionEntry, access: 'r' | 'w', type?: CanonicalType): void {
  if (type !== undefined && !optionApplies(entry, type)) {
    const types = entry.kind === 'socket' && entry.sockets !== 'all' ? entry.sockets : [];
    const stable = types.filter((name) => !socketTypeOf(name).draft || name === type);
    const holders = (stable.length > 0 ? stable : types).join(', ');
    throw notSupportedError(
      `Option '${entry.name}' (${entry.zmq}) is not supported by ${type} sockets, only by ${holders}`,
    );
  }
  if (!entry.access.includes(access)) {
    const only = access === 'r' ? 'can only be set, not read' : 'is read-only';
    throw new ArgumentError(`Option '${entry.name}' (${entry.zmq}) ${only}`);
  }
}

function encodeInt64(entry: OptionEntry, value: unknown): Uint8Array {
  const signed = entry.type === 'int64';
  const least = entry.min === undefined ? (signed ? INT64_MIN : 0n) : BigInt(entry.min);
  const greatest = signed ? INT64_MAX : UINT64_MAX;
  const exact =
    typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
  if (exact === undefined || exact < least || exact > greatest) {
    const expected = `an integer (beyond 2^53, a bigint) from ${least} to ${greatest}${unitOf(entry)}`;
    throw badValue(entry, expected, value);
  }
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (signed) {
    view.setBigInt64(0, exact, LITTLE_ENDIAN);
  } else {
    view.setBigUint64(0, exact, LITTLE_ENDIAN);
  }
  return bytes;
}

function encodeText(entry: OptionEntry, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? utf8.encode(value) : undefined;
  if (bytes === undefined || !lengthFits(entry, bytes) || bytes.includes(0)) {
    throw badValue(entry, `a string of ${lengthOf(entry)} without NUL${orNull(entry)}`, value);
  }
  return bytes;
}

function encodeBinary(entry: OptionEntry, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? utf8.encode(value) : bytesOf(value);
  if (bytes === undefined || !lengthFits(entry, bytes)) {
    throw badValue(entry, `a string, Buffer or other bytes of ${lengthOf(entry)}${orNull(entry)}`, value);
  }
  return bytes;
}

function encodeKey(entry: OptionEntry, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? curveKeyBytes(value) : bytesOf(value);
  if (bytes?.length !== 32) {
    throw badValue(entry, 'a key of 40 Z85 characters or 32 bytes', value);
  }
  return bytes;
}

/** A copy of the bytes of a view or buffer: the caller may change his, or share them with another thread. */
function bytesOf(value: unknown): Uint8Array | undefined {
  const bytes = ArrayBuffer.isView(value)
    ? bytesOfView(value as NodeJS.ArrayBufferView)
    : types.isAnyArrayBuffer(value)
      ? bytesOfBuffer(value)
      : undefined;
  return bytes === undefined ? undefined : new Uint8Array(bytes);
}

function choiceIndex(entry: OptionEntry, value: unknown): number {
  const values: readonly unknown[] = entry.values ?? [];
  const index = values.indexOf(value);
  if (index === -1) {
    const known = values.map((name) => (typeof name === 'string' ? `'${name}'` : String(name)));
    throw badValue(entry, known.join(' or '), value);
  }
  return index;
}

function lengthFits(entry: OptionEntry, bytes: Uint8Array): boolean {
  return bytes.length >= (entry.min ?? 1) && bytes.length <= (entry.max ?? 255);
}

function lengthOf(entry: OptionEntry): string {
  const least = entry.min ?? 1;
  const greatest = entry.max ?? 255;
  return greatest === Infinity ? `at least ${least} bytes` : `${least} to ${greatest} bytes`;
}

function orNull(entry: OptionEntry): string {
  return entry.nullable === true ? ', or null' : '';
}

function unitOf(entry: OptionEntry): string {
  return `${entry.unit === undefined ? '' : ` (${entry.unit})`}${orNull(entry)}`;
}

function badValue(entry: OptionEntry, expected: string, value: unknown): ArgumentError {
  const secret = entry.secret === true || (entry.type === 'z85key' && typeof value === 'string');
  const actual = secret ? describeShape(value) : describeValue(value);
  return new ArgumentError(`${entry.name}: expected ${expected}, got ${actual}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function numberIfExact(value: bigint): number | bigint {
  const exact = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
  return exact ? Number(value) : value;
}
