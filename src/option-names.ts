/**
 * Finding options by name. An option answers to the name of its property, to libzmq's name with or without
 * `ZMQ_`, and to older names of libzmq's, in any case and with or without underscores.
 */
import { describeValue } from './describe-value.js';
import { ArgumentError } from './errors.js';
import type { ContextOptionEntry, OptionEntry, SocketOptionEntry } from './option-entry.js';
import { CONTEXT_OPTION_ENTRIES, SOCKET_OPTION_ENTRIES } from './option-table.js';

const socketOptions = indexed(SOCKET_OPTION_ENTRIES);
const contextOptions = indexed(CONTEXT_OPTION_ENTRIES);

/**
 * The socket option of this name: `'receiveTimeout'`, `'rcvtimeo'`, `'ZMQ_RCVTIMEO'`, ...
 *
 * @throws {@link ArgumentError} when there is none; the message suggests a similar name
 */
export function findSocketOption(nameOrAlias: unknown): SocketOptionEntry {
  return find(socketOptions, SOCKET_OPTION_ENTRIES, 'socket', nameOrAlias);
}

/**
 * The context option of this name: `'ioThreads'`, `'io_threads'`, `'ZMQ_IO_THREADS'`, ...
 *
 * @throws {@link ArgumentError} when there is none; the message suggests a similar name
 */
export function findContextOption(nameOrAlias: unknown): ContextOptionEntry {
  return find(contextOptions, CONTEXT_OPTION_ENTRIES, 'context', nameOrAlias);
}

/** Every name an option answers to, in the form in which names are compared. For tests. */
export function optionNames(entry: OptionEntry): string[] {
  // An entry that stands for several options of libzmq leaves their names to the entries of their own.
  const names = entry.settings === undefined ? [entry.name, entry.zmq] : [entry.name];
  return [...new Set([...names, ...(entry.aliases ?? [])].map(comparable))];
}

function indexed<Entry extends OptionEntry>(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  // The names of the properties are in it as they are written too: that is the way that has to be quick.
  return new Map(
    entries.flatMap((entry) => [...optionNames(entry), entry.name].map((name) => [name, entry] as const)),
  );
}

function comparable(name: string): string {
  return name.replace(/^zmq_/i, '').replaceAll('_', '').toLowerCase();
}

function find<Entry extends OptionEntry>(
  index: ReadonlyMap<string, Entry>,
  entries: readonly Entry[],
  kind: 'socket' | 'context',
  name: unknown,
): Entry {
  if (typeof name !== 'string') {
    throw new ArgumentError(`option: expected the name of a ${kind} option, got ${describeValue(name)}`);
  }
  const entry = index.get(name) ?? index.get(comparable(name));
  if (entry === undefined) {
    const near = nearest(comparable(name), index, entries);
    const hint = near === undefined ? '' : `; did you mean '${near.name}'?`;
    throw new ArgumentError(
      `option: expected the name of a ${kind} option, got ${describeValue(name)}${hint}`,
    );
  }
  return entry;
}

/** The entry with the most similar name, if one is similar at all. */
function nearest<Entry extends OptionEntry>(
  wanted: string,
  index: ReadonlyMap<string, Entry>,
  entries: readonly Entry[],
): Entry | undefined {
  // A third of the letters may be wrong; with more, a suggestion is a guess.
  let least = Math.floor(Math.min(wanted.length, 30) / 3) + 1;
  let best: Entry | undefined;
  for (const [name, entry] of index) {
    const distance = editDistance(wanted, name, least);
    if (distance < least) {
      least = distance;
      best = entry;
    }
  }
  return best ?? entries.find((entry) => wanted.length > 3 && comparable(entry.name).includes(wanted));
}

/**
 * How many letters to add, drop or change to get from one word to the other (Levenshtein), or `limit` if
 * more.
 */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) {
    return limit;
  }
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      current.push(
        Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1)),
      );
    }
    previous = current;
  }
  return Math.min(previous[to.length]!, limit);
}
