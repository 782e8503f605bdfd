/** Flags that say which socket a command uses, and the socket that they make. */
import { type Command, Option } from 'commander';
import type { OptionValue, Socket } from '../index.js';
import { type CanonicalType, SOCKET_TYPES } from '../socket-types.js';
import { listed, milliseconds } from './arguments.js';
import { bytesOfHex } from './formats.js';
import { checkingInput, usageError } from './outcome.js';
import { addSecurityFlags, type SecurityFlags, securityOptions } from './security-flags.js';
import type { Session } from './session.js';

export interface SocketFlags extends SecurityFlags {
  type: CanonicalType;
  bind?: string[];
  connect?: string[];
  option?: string[];
  timeout?: number;
  linger?: number;
  verbose?: true;
}

/** Adds the flags that `openSocket` takes, but for `--timeout`, which each command describes itself. */
export function addSocketFlags(
  command: Command,
  type: CanonicalType,
  types: readonly CanonicalType[],
): Command {
  command
    .addOption(typeOption(type, types))
    .option('-b, --bind <endpoint>', 'listen there, such as tcp://127.0.0.1:5555; can be repeated', listed)
    .option('-c, --connect <endpoint>', 'connect to it; can be repeated', listed)
    .option('-o, --option <name=value>', 'a socket option, by any of its names; can be repeated', listed)
    .option(
      '--linger <ms>',
      'how long unsent messages may take to leave at the end (-1: no limit)',
      milliseconds,
      -1,
    )
    .option('-v, --verbose', 'say on stderr what is bound and connected');
  return addSecurityFlags(command);
}

function typeOption(type: CanonicalType, types: readonly CanonicalType[]): Option {
  return new Option('-t, --type <type>', 'socket type')
    .choices(types)
    .default(type)
    .argParser((given) => {
      const name = given.toUpperCase();
      if (!(types as readonly string[]).includes(name)) {
        const isType = Object.hasOwn(SOCKET_TYPES, name);
        throw usageError(
          `--type: expected one of ${types.join(', ')}, got '${given}'${isType ? hintFor(name) : ''}`,
        );
      }
      return name;
    });
}

function hintFor(type: string): string {
  const { canSend, canReceive } = SOCKET_TYPES[type as CanonicalType];
  if (!canSend) return ', which only receives: use recv';
  if (!canReceive) return ', which only sends: use send';
  return type === 'REQ' ? ', which asks first: use send' : ', which answers what it gets: use recv';
}

/** Makes the socket, closed when the command ends, with its options set. Nothing is bound or connected yet. */
export async function makeSocket(
  session: Session,
  flags: SocketFlags,
  type: CanonicalType = flags.type,
): Promise<Socket> {
  if (flags.bind === undefined && flags.connect === undefined) {
    throw usageError('where to? Give --bind or --connect with an endpoint, such as tcp://127.0.0.1:5555');
  }
  const { Socket } = await session.load();
  const security = await securityOptions(session, flags);
  const given = await Promise.all((flags.option ?? []).map(parseOption));
  const socket = session.own(
    checkingInput(() => new Socket(type, { linger: flags.linger ?? -1, ...security })),
  );
  for (const [name, value] of given) checkingInput(() => socket.setOption(name, value));
  if (flags.timeout !== undefined) session.closeTimeout = flags.timeout;
  return socket;
}

/** Binds and connects it as the flags say. Tells which port or path a wildcard became. */
export function attachSocket(session: Session, socket: Socket, flags: SocketFlags): void {
  for (const endpoint of flags.bind ?? []) {
    const bound = checkingInput(() => socket.bind(endpoint));
    if (flags.verbose || bound !== endpoint) session.note(`bound to ${bound}`);
  }
  for (const endpoint of flags.connect ?? []) {
    checkingInput(() => socket.connect(endpoint));
    if (flags.verbose) session.note(`connecting to ${endpoint}`);
  }
}

/** `name=value`, the value as the option's type wants it. */
export async function parseOption(text: string): Promise<[string, OptionValue]> {
  const at = text.indexOf('=');
  if (at <= 0) throw usageError(`--option: expected name=value, got '${text}'`);
  const { findSocketOption } = await import('../option-names.js');
  const entry = findSocketOption(text.slice(0, at));
  const value = text.slice(at + 1);
  const where = `--option ${entry.name}`;
  switch (entry.type) {
    case 'int':
    case 'fd':
      return [entry.name, numberOf(value, where)];
    case 'int64':
    case 'uint64':
      numberOf(value, where);
      return [entry.name, BigInt(value)];
    case 'bool': {
      const known = new Map([
        ['true', true],
        ['1', true],
        ['false', false],
        ['0', false],
      ]);
      const flag = known.get(value.toLowerCase());
      if (flag === undefined) throw usageError(`${where}: expected true or false, got '${value}'`);
      return [entry.name, flag];
    }
    case 'choice':
      return [entry.name, value === 'null' || value === '' ? null : value];
    default:
      return [entry.name, value.startsWith('hex:') ? bytesOfHex(value.slice(4), where) : value];
  }
}

function numberOf(text: string, where: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw usageError(`${where}: expected an integer, got '${text}'`);
  return Number(text);
}
