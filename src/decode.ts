/**
 * Received bytes as values: what `recv(as)` gives.
 */
import { isUtf8 } from 'node:buffer';
import { describeValue } from './describe-value.js';
import { argumentError, DecodeError } from './errors.js';
import type { Message } from './message.js';

interface TypedArrayClass<Array> {
  new (buffer: ArrayBuffer): Array;
  readonly BYTES_PER_ELEMENT: number;
}

/** What the named formats give. Multi-byte numbers are in the machine's byte order, as in a typed array. */
export interface DecodedFormats {
  utf8: string;
  string: string;
  latin1: string;
  ascii: string;
  hex: string;
  base64: string;
  json: unknown;
  buffer: Buffer;
  bytes: Uint8Array;
  i8: number;
  u8: number;
  i16: number;
  u16: number;
  i32: number;
  u32: number;
  i64: bigint;
  u64: bigint;
  f32: number;
  f64: number;
  bool: boolean;
}

/**
 * How `recv` decodes: a format's name, a typed array class, `String` (the same as `'utf8'`), `Buffer` (the same as
 * `'buffer'`), or a function of the message. Other classes are refused: they are no functions to call.
 */
export type DecodeAs<Value = unknown> =
  | keyof DecodedFormats
  | BufferConstructor
  | TypedArrayClass<Value>
  | ((message: Message) => Value);

/** What `recv(as)` resolves to. */
export type Decoded<As> = As extends keyof DecodedFormats
  ? DecodedFormats[As]
  : As extends StringConstructor
    ? string
    : As extends BufferConstructor
      ? Buffer
      : As extends abstract new (
            ...args: never[]
          ) => infer Instance
        ? Instance
        : As extends (message: Message) => infer Value
          ? Awaited<Value>
          : never;

/** Those that the engine has: Float16Array came later than the others. */
const ARRAYS = new Set<unknown>(
  [
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'BigInt64Array',
    'BigUint64Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
  ]
    .map((name): unknown => Reflect.get(globalThis, name))
    .filter((array) => array !== undefined),
);

const SCALARS: Record<string, TypedArrayClass<ArrayLike<number | bigint>>> = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};

const TEXTS = new Set<string>(['latin1', 'ascii', 'hex', 'base64']);
const NAMES =
  'utf8, string, latin1, ascii, hex, base64, json, buffer, bytes, bool, i8 to i64, u8 to u64, f32, f64';

const EXPECTED = `a format (${NAMES}), a typed array class or a function of the message`;

type Decoder = (message: Message) => unknown;

/** The function that decodes as asked. @throws {@link ArgumentError} for anything that is no format */
export function decoderOf(as: unknown): Decoder {
  if (typeof as === 'string') return namedDecoder(as);
  if (typeof as !== 'function') throw argumentError('as', EXPECTED, as);
  if (ARRAYS.has(as)) {
    const array = as as unknown as TypedArrayClass<unknown>;
    return (message) => decodeArray(message, array, as.name);
  }
  if (as === String) return decodeText;
  if (as === Buffer) return (message) => message.copy();
  if (isClass(as)) throw argumentError('as', EXPECTED, as);
  return (message) => decodeBy(as as Decoder, message);
}

/** A function says by throwing that it cannot decode a message, which would be lost. */
function decodeBy(decode: Decoder, message: Message): unknown {
  const misfit = (cause: unknown): never => {
    if (cause instanceof DecodeError) throw cause;
    const reason = cause instanceof Error ? cause.message : describeValue(cause);
    const problem = `expected what the function can decode, got ${message.length} bytes: ${reason}`;
    throw new DecodeError(problem, message.copy(), { cause });
  };
  try {
    const value = decode(message);
    // Of others' thenables, which may call back twice, the engine makes a promise.
    return isThenable(value) ? Promise.resolve(value).catch(misfit) : value;
  } catch (cause) {
    return misfit(cause);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** Called as functions, classes throw or do something else altogether, and the message would be lost. */
function isClass(as: object): boolean {
  return Object.getOwnPropertyDescriptor(as, 'prototype')?.writable === false;
}

function namedDecoder(name: string): Decoder {
  const scalar = Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
  if (scalar !== undefined) return (message) => decodeScalar(message, scalar, name);
  if (TEXTS.has(name)) return (message) => message.toString(name as BufferEncoding);
  switch (name) {
    case 'utf8':
    case 'string':
      return decodeText;
    case 'json':
      return decodeJson;
    case 'buffer':
    case 'bytes':
      return (message) => message.copy();
    case 'bool':
      return decodeBoolean;
    default:
      throw argumentError('as', EXPECTED, name);
  }
}

function decodeText(message: Message): string {
  if (!isUtf8(message))
    throw new DecodeError(`expected UTF-8, got ${message.length} bytes that are not`, message.copy());
  return message.toString('utf8');
}

function decodeJson(message: Message): unknown {
  const problem = `expected JSON, got ${message.length} bytes that are not`;
  if (!isUtf8(message)) throw new DecodeError(problem, message.copy());
  try {
    return JSON.parse(message.toString('utf8'));
  } catch (cause) {
    throw new DecodeError(problem, message.copy(), { cause });
  }
}

function decodeBoolean(message: Message): boolean {
  if (message.length !== 1 || message[0]! > 1) {
    throw new DecodeError(`expected one byte, 0 or 1, got ${message.length} bytes`, message.copy());
  }
  return message[0] === 1;
}

function decodeArray<Array>(message: Message, array: TypedArrayClass<Array>, name: string): Array {
  const width = array.BYTES_PER_ELEMENT;
  if (message.length % width !== 0) {
    const expected = `expected a multiple of ${width} bytes for ${name}`;
    throw new DecodeError(`${expected}, got ${message.length} bytes`, message.copy());
  }
  const bytes = new Uint8Array(message.length);
  bytes.set(message);
  return new array(bytes.buffer);
}

function decodeScalar(
  message: Message,
  array: TypedArrayClass<ArrayLike<number | bigint>>,
  name: string,
): number | bigint {
  if (message.length !== array.BYTES_PER_ELEMENT) {
    const expected = `expected ${array.BYTES_PER_ELEMENT} bytes for ${name}`;
    throw new DecodeError(`${expected}, got ${message.length} bytes`, message.copy());
  }
  return decodeArray(message, array, name)[0]!;
}
