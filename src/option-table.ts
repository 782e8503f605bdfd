/**
 * The one table of libzmq's options, socket and context, as of 4.3.5. Everything about options comes from it:
 * properties and their types (option-types.ts), value checks (option-codec.ts), docs/options.md and tests.
 */
import type { ContextOptionEntry, OptionSpec, SocketOptionEntry, SocketOptionSpec } from './option-entry.js';
import { CONTEXT_OPTIONS } from './option-table-context.js';
import { DRAFT_SOCKET_OPTIONS } from './option-table-draft.js';
import { STABLE_SOCKET_OPTIONS } from './option-table-socket.js';

export type {
  ContextOptionEntry,
  OptionEntry,
  OptionSpec,
  OptionType,
  OptionUnit,
  SocketOptionEntry,
  SocketOptionSpec,
} from './option-entry.js';
export { CONTEXT_OPTIONS, DRAFT_SOCKET_OPTIONS, STABLE_SOCKET_OPTIONS };

/** The names and literal types of all socket options. */
export type SocketOptionTable = typeof STABLE_SOCKET_OPTIONS & typeof DRAFT_SOCKET_OPTIONS;

/** The names and literal types of all context options. */
export type ContextOptionTable = typeof CONTEXT_OPTIONS;

/** Every socket option, in the order of libzmq's numbers. */
export const SOCKET_OPTION_ENTRIES: readonly SocketOptionEntry[] = [
  ...named<SocketOptionSpec>(STABLE_SOCKET_OPTIONS),
  ...named<SocketOptionSpec>(DRAFT_SOCKET_OPTIONS),
].map((entry) => Object.freeze({ kind: 'socket', ...entry }));

/** Every context option, in the order of libzmq's numbers. */
export const CONTEXT_OPTION_ENTRIES: readonly ContextOptionEntry[] = named<OptionSpec>(CONTEXT_OPTIONS).map(
  (entry) => Object.freeze({ kind: 'context', ...entry }),
);

function named<Spec extends OptionSpec>(
  table: Readonly<Record<string, Spec>>,
): Array<Spec & { name: string }> {
  return Object.entries(table).map(([name, spec]) => ({ name, ...spec }));
}
