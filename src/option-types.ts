/**
 * What the option table means in TypeScript and on the classes: the types of option properties and of
 * constructor options, and the accessors behind them.
 */
import type { Context } from './context.js';
import { argumentError } from './errors.js';
import { checkOptionAccess, findContextOption, findSocketOption, optionApplies } from './option-codec.js';
import type { ContextOptionEntry, OptionSpec, SocketOptionEntry, SocketOptionSpec } from './option-entry.js';
import {
  CONTEXT_OPTION_ENTRIES,
  type ContextOptionTable,
  SOCKET_OPTION_ENTRIES,
  type SocketOptionTable,
} from './option-table.js';
import type { CanonicalType } from './socket-types.js';

/** What reading an option of each type gives. */
interface ReadTypes {
  int: number;
  bool: boolean;
  choice: never;
  int64: number | bigint;
  uint64: number | bigint;
  string: string | null;
  binary: string | Uint8Array | null;
  z85key: string | null;
  fd: number;
}

/** What an option of each type can be set to, null aside. */
interface WriteTypes {
  int: number;
  bool: boolean;
  choice: never;
  int64: number | bigint;
  uint64: number | bigint;
  string: string;
  binary: string | NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer;
  z85key: string | Uint8Array;
  fd: number;
}

type Choice<Spec> = Spec extends { values: readonly (infer Value)[] } ? Value : never;

type ReadValue<Spec> = Spec extends OptionSpec ? ReadTypes[Spec['type']] | Choice<Spec> : never;

type WriteValue<Spec> = Spec extends OptionSpec
  ? WriteTypes[Spec['type']] | Choice<Spec> | (Spec extends { nullable: true } ? null : never)
  : never;

/**
 * A property has one type for both directions; where it can be read, that is what reading gives. So null can be set while
 * it is what is read.
 */
type PropertyValue<Spec> = Spec extends { access: 'w' } ? WriteValue<Spec> : ReadValue<Spec>;

/** Whether an option applies to a socket type, or to one at least of a union of them. */
type Applies<Spec extends SocketOptionSpec, Type> = Spec['sockets'] extends readonly (infer Supported)[]
  ? [Extract<Type, Supported>] extends [never]
    ? false
    : true
  : true;

type SocketOptionNames<Type extends CanonicalType, Access extends OptionSpec['access']> = {
  [Name in keyof SocketOptionTable]: SocketOptionTable[Name] extends { property: false }
    ? never
    : SocketOptionTable[Name]['access'] extends Access
      ? Applies<SocketOptionTable[Name], Type> extends true
        ? Name
        : never
      : never;
}[keyof SocketOptionTable];

/** The names of the options that every socket type has. */
export type CommonOptionName = {
  [Name in keyof SocketOptionTable]: SocketOptionTable[Name]['sockets'] extends 'all' ? Name : never;
}[keyof SocketOptionTable];

type ContextOptionNames<Access extends OptionSpec['access']> = {
  [Name in keyof ContextOptionTable]: ContextOptionTable[Name] extends { property: false }
    ? never
    : ContextOptionTable[Name]['access'] extends Access
      ? Name
      : never;
}[keyof ContextOptionTable];

// These map over the keys of a table, not over a bare union: so editors show the table's doc comments.
type Writable<Table, Names extends keyof Table> = { -readonly [Name in Names]: PropertyValue<Table[Name]> };
type ReadOnly<Table, Names extends keyof Table> = { readonly [Name in Names]: ReadValue<Table[Name]> };
type Settings<Table, Names extends keyof Table> = {
  -readonly [Name in Names]?: WriteValue<Table[Name]> | undefined;
};

/** The option properties of a socket type; those of every type together for `'all'`. */
export type SocketOptionProperties<Type extends CanonicalType | 'all' = 'all'> = Writable<
  SocketOptionTable,
  SocketOptionNames<Type extends 'all' ? CanonicalType : Extract<Type, CanonicalType>, 'w' | 'rw'>
> &
  ReadOnly<
    SocketOptionTable,
    SocketOptionNames<Type extends 'all' ? CanonicalType : Extract<Type, CanonicalType>, 'r'>
  >;

/** What a socket's constructor takes besides libzmq's options. */
export interface SocketSetup {
  /** The context that the socket belongs to; without it, the default one: `context()`. */
  context?: Context | undefined;
  /** How many received bytes may wait for JavaScript to take them; 1 MiB unless told. */
  prefetch?: number | undefined;
  /** Whether the socket gets an I/O worker of its own. */
  dedicatedWorker?: boolean | undefined;
}

/**
 * The options that a socket can be made with: every option that its type supports and that can be set, under
 * the name of its property.
 *
 * ```ts
 * const pull = new Pull({ receiveHighWaterMark: 10, context });
 * ```
 */
export type SocketOptions<Type extends CanonicalType = CanonicalType> = SocketSetup &
  Settings<SocketOptionTable, SocketOptionNames<Type, 'w' | 'rw'>>;

/** The option properties of a context. */
export type ContextOptionProperties = Writable<ContextOptionTable, ContextOptionNames<'w' | 'rw'>> &
  ReadOnly<ContextOptionTable, ContextOptionNames<'r'>>;

/** What a context's constructor takes besides libzmq's options. */
export interface ContextSetup {
  /** How many I/O workers share the sockets of the context; 1 unless told. */
  ioWorkers?: number | undefined;
}

/** The options that a context can be made with. */
export type ContextOptions = ContextSetup & Settings<ContextOptionTable, ContextOptionNames<'w' | 'rw'>>;

/** What the accessors of option properties call. */
interface OptionHolder {
  getOption(name: string): unknown;
  setOption(name: string, value: never): void;
}

/**
 * Defines accessors for options on a class's prototype, which call `getOption` and `setOption` with the
 * property's name. Names that the prototype has already are left alone.
 *
 * @param options whose: those that apply to a socket type, every socket option (`'all'`), or the context's
 */
export function defineOptionProperties(prototype: object, options: CanonicalType | 'all' | 'context'): void {
  const entries = options === 'context' ? CONTEXT_OPTION_ENTRIES : SOCKET_OPTION_ENTRIES;
  for (const entry of entries) {
    const wanted = options === 'all' || options === 'context' || optionApplies(entry, options);
    if (!wanted || entry.property === false || Object.hasOwn(prototype, entry.name)) {
      continue;
    }
    // Both accessors always: getOption and setOption say clearly what is write-only or read-only.
    Object.defineProperty(prototype, entry.name, {
      configurable: true,
      enumerable: false,
      get(this: OptionHolder): unknown {
        return this.getOption(entry.name);
      },
      set(this: OptionHolder, value: never) {
        this.setOption(entry.name, value);
      },
    });
  }
}

/** An option and the value to set it to. */
export interface OptionSetting<Entry> {
  readonly entry: Entry;
  readonly value: unknown;
}

const SOCKET_SETUP = new Set<string>(['context', 'prefetch', 'dedicatedWorker'] satisfies Array<
  keyof SocketSetup
>);
const CONTEXT_SETUP = new Set<string>(['ioWorkers'] satisfies Array<keyof ContextSetup>);

/**
 * The libzmq options among the options of a socket's constructor, in their order, without those that are
 * undefined. Values are not checked yet: `setOption` does that.
 *
 * @throws {@link ArgumentError} for an unknown or read-only option, or options that are no object
 * @throws {@link ZmqError} with code `'ENOTSUP'` for an option that sockets of this type do not have
 */
export function socketSettings(
  type: CanonicalType,
  options: unknown,
): Array<OptionSetting<SocketOptionEntry>> {
  return settings(options, SOCKET_SETUP, findSocketOption, type);
}

/** As {@link socketSettings}, for the options of a context's constructor. */
export function contextSettings(options: unknown): Array<OptionSetting<ContextOptionEntry>> {
  return settings(options, CONTEXT_SETUP, findContextOption);
}

function settings<Entry extends SocketOptionEntry | ContextOptionEntry>(
  options: unknown,
  setup: ReadonlySet<string>,
  find: (name: string) => Entry,
  type?: CanonicalType,
): Array<OptionSetting<Entry>> {
  if (options === undefined) {
    return [];
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw argumentError('options', 'an object', options);
  }
  return Object.entries(options)
    .filter(([name, value]) => value !== undefined && !setup.has(name))
    .map(([name, value]) => {
      const entry = find(name);
      checkOptionAccess(entry, 'w', type);
      return { entry, value };
    });
}
