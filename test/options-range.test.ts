/** Every option of every stable socket type at both ends of its range, under all its names, and beyond them. */
import { describe, expect, it } from 'vitest';

import {
  ArgumentError,
  Context,
  type OptionValue,
  Socket,
  type SocketTypeName,
  version,
} from 'zeromq-threads';
import type { OptionEntry } from '../dist/src/option-entry.js';
import { optionNames } from '../dist/src/option-names.js';
import { CONTEXT_OPTION_ENTRIES, SOCKET_OPTION_ENTRIES } from '../dist/src/option-table.js';
import { SOCKET_TYPES } from '../dist/src/socket-types.js';

import { ofTest } from './linked.js';

const TYPES = Object.entries(SOCKET_TYPES).flatMap(([name, { draft }]) =>
  draft ? [] : [name as SocketTypeName],
);
const INT_MAX = 2 ** 31 - 1;
const KEY = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';

/** Values that depend on more than a range: on the system, on privileges, on what else is set. */
const SPECIAL = new Set(['interface', 'useFd', 'tcpAcceptFilter', 'unsubscribe']);

const releaseNumber = (release: string): number =>
  release.split('.').reduce((sum, part, index) => sum + Number(part) * 100 ** (2 - index), 0);

/** Whether libzmq has the option, however it was built. */
const isThere = (entry: OptionEntry): boolean =>
  entry.draft !== true &&
  releaseNumber(entry.since) <= releaseNumber(version) &&
  !/^(gssapi|vmci)/.test(entry.name) &&
  !SPECIAL.has(entry.name);

/** The least and the greatest value, and each that there is where these are few. */
function endsOf(entry: OptionEntry): OptionValue[] {
  const { min, max } = entry;
  const nothing = entry.nullable === true ? [null] : [];
  switch (entry.type) {
    case 'int':
      return [min ?? 0, max ?? INT_MAX, ...nothing];
    case 'int64':
      return [min ?? -(2n ** 63n), 2n ** 63n - 1n];
    case 'uint64':
      return [min ?? 0, 2n ** 64n - 1n];
    case 'bool':
      return [true, false];
    case 'choice':
      return [...entry.values!];
    case 'z85key':
      return [KEY];
    default: {
      const longest = max === undefined ? 255 : Math.min(max, 100_000);
      return ['x'.repeat(min ?? 1), 'x'.repeat(longest), ...nothing];
    }
  }
}

/** Values of the right type that are just out of range. */
function beyond(entry: OptionEntry): unknown[] {
  const { min, max } = entry;
  switch (entry.type) {
    case 'int':
      return [(min ?? -(2 ** 31)) - 1, (max ?? INT_MAX) + 1];
    case 'int64':
      return [BigInt(min ?? -(2n ** 63n)) - 1n, 2n ** 63n];
    case 'uint64':
      return [-1, 2n ** 64n];
    case 'choice':
      return ['nonsense', 1];
    case 'z85key':
      return [KEY.slice(1), `${KEY}x`, Buffer.alloc(31)];
    case 'string':
    case 'binary':
      return [
        ...((min ?? 1) > 0 ? [''] : []),
        ...(max === Number.POSITIVE_INFINITY ? [] : ['x'.repeat((max ?? 255) + 1)]),
      ];
    default:
      return [0, 1, 'true'];
  }
}

interface Holder {
  getOption(name: string): OptionValue;
  setOption(name: string, value: OptionValue): void;
}

/** What is read once `value` is set. */
function readBack(entry: OptionEntry, value: OptionValue): OptionValue {
  if (entry.name === 'heartbeatTimeToLive') return Math.floor(Number(value) / 100) * 100; // so ZMTP has it
  return value === '' ? null : value;
}

/** Sets and reads `value` under every name. */
function setEverywhere(holder: Holder, entry: OptionEntry, value: OptionValue): void {
  const zmq = entry.settings === undefined ? [entry.zmq, entry.zmq.toLowerCase(), ...optionNames(entry)] : [];
  const read = readBack(entry, value);
  for (const name of [entry.name, ...zmq]) {
    holder.setOption(name, value);
    if (entry.access === 'rw') expect(holder.getOption(name), `${name} = ${String(value)}`).toEqual(read);
  }
  if (entry.property === false) return;
  const properties = holder as unknown as Record<string, OptionValue>;
  properties[entry.name] = value;
  if (entry.access === 'rw') expect(properties[entry.name], `the property ${entry.name}`).toEqual(read);
}

function refuseBeyond(holder: Holder, entry: OptionEntry): void {
  const before = entry.access === 'rw' ? holder.getOption(entry.name) : undefined;
  for (const value of beyond(entry)) {
    const set = (): void => holder.setOption(entry.name, value as never);
    expect(set, `${entry.name} = ${String(value)}`).toThrow(ArgumentError);
    expect(set).toThrow(new RegExp(`^${entry.name}: expected .+, got .+`));
  }
  if (entry.access === 'rw') expect(holder.getOption(entry.name), 'it is as before').toEqual(before);
}

const settable = SOCKET_OPTION_ENTRIES.filter((entry) => isThere(entry) && entry.access !== 'r');

describe.each(TYPES)('%s', (type) => {
  const own = settable.filter(
    ({ name, sockets }) =>
      (sockets === 'all' || sockets.includes(type as never)) &&
      // It accepts a subscription that was received, and there is none: test/subscriptions.test.ts.
      !(type === 'XPUB' && name === 'subscribe'),
  );

  it.each(own.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
    for (const value of endsOf(entry)) setEverywhere(ofTest(new Socket(type)), entry, value);
    refuseBeyond(ofTest(new Socket(type)), entry);
  });

  it('has no option of other types', () => {
    const socket = ofTest(new Socket(type));
    for (const entry of SOCKET_OPTION_ENTRIES) {
      if (entry.sockets === 'all' || entry.sockets.includes(type as never)) continue;
      const wanted = expect.objectContaining({
        code: 'ENOTSUP',
        message: expect.stringContaining(`Option '${entry.name}'`),
      });
      expect(() => socket.getOption(entry.name)).toThrow(wanted);
      expect(() => socket.setOption(entry.name, 1)).toThrow(wanted);
    }
  });
});

describe('options of contexts', () => {
  // Threads, CPUs and scheduling are the system's to grant: test/context-options.test.ts.
  const own = CONTEXT_OPTION_ENTRIES.filter((entry) => isThere(entry) && entry.access === 'rw');

  it.each(own.map((entry) => [entry.name, entry] as const))('%s', async (_name, entry) => {
    for (const value of endsOf(entry)) {
      const made = new Context();
      setEverywhere(made as unknown as Holder, entry, value);
      await made.close();
    }
    const made = new Context();
    refuseBeyond(made as unknown as Holder, entry);
    await made.close();
  });
});
