/**
 * What one line of the option tables says. The tables are data and nothing else: properties, types, value
 * checks, documentation and tests all come from them. The doc comment above an entry is its description; it
 * is what an editor shows for the property, and what docs/options.md prints.
 */
import type { CanonicalType } from './socket-types.js';

/**
 * How libzmq stores an option, and what JavaScript sees:
 *
 * | type | libzmq | JavaScript |
 * |---|---|---|
 * | `int` | `int` | number |
 * | `bool` | `int`, 0 or 1 | boolean |
 * | `choice` | `int` | one of `values`, by index |
 * | `int64`, `uint64` | 64-bit integer | number where that is exact, else bigint |
 * | `string` | text, NUL-terminated when read | string; null for none |
 * | `binary` | bytes | string (UTF-8) or bytes; bytes that are not UTF-8 are read as a Buffer |
 * | `z85key` | 32 bytes | 40 characters of Z85, or 32 bytes when set; null for none |
 * | `fd` | file descriptor | number |
 */
export type OptionType =
  | 'int'
  | 'bool'
  | 'choice'
  | 'int64'
  | 'uint64'
  | 'string'
  | 'binary'
  | 'z85key'
  | 'fd';

export type OptionUnit =
  | 'ms'
  | 'us'
  | 'bytes'
  | 'KiB'
  | 'messages'
  | 'connections'
  | 'hops'
  | 'kbit/s'
  | 's'
  | 'segments'
  | 'threads'
  | 'sockets';

export interface OptionSpec {
  /** libzmq's name, and with it the names under which `getOption` and `setOption` know the option too. */
  readonly zmq: string;
  /**
   * libzmq's number. In the context table one number can mean one thing when read and another when written.
   */
  readonly id: number;
  readonly type: OptionType;
  readonly access: 'r' | 'w' | 'rw';
  /** The libzmq release that brought it. */
  readonly since: string;
  /**
   * Declared in the draft part of zmq.h: a libzmq that was built without drafts does not take it.
   */
  readonly draft?: true;
  /** What to use instead. */
  readonly deprecated?: string;
  /** Least value that can be set; for `string` and `binary`, least length in bytes (1 unless told). */
  readonly min?: number;
  /**
   * Greatest value that can be set; for `string` and `binary`, greatest length in bytes (255 unless told).
   */
  readonly max?: number;
  readonly unit?: OptionUnit;
  /** What it is before anyone sets it. */
  readonly default?: number | boolean | string | null;
  /** null can be set, and means unset. */
  readonly nullable?: true;
  /** For `choice`: the values, in the order of libzmq's numbers for them. */
  readonly values?: readonly (string | null)[];
  /**
   * For a `choice` that stands for several options of libzmq: which one to set to what, for each of `values`.
   */
  readonly settings?: ReadonlyArray<readonly [id: number, value: number]>;
  /** Further names that libzmq has or had for it. */
  readonly aliases?: readonly string[];
  /**
   * There is no property of this name: the class has a method or member instead, or nobody should need it.
   */
  readonly property?: false;
  /** The Socket class keeps the value itself, since no native call of this package blocks. */
  readonly jsLevel?: true;
  /** Never to be shown in a message. */
  readonly secret?: true;
}

export interface SocketOptionSpec extends OptionSpec {
  /** The socket types that it means something for. */
  readonly sockets: 'all' | readonly CanonicalType[];
}

/** A line of the socket table together with its name. */
export interface SocketOptionEntry extends SocketOptionSpec {
  readonly kind: 'socket';
  readonly name: string;
}

/** A line of the context table together with its name. */
export interface ContextOptionEntry extends OptionSpec {
  readonly kind: 'context';
  readonly name: string;
}

export type OptionEntry = SocketOptionEntry | ContextOptionEntry;
