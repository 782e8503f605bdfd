import { describeValue } from './describe-value.js';
import { ArgumentError } from './errors.js';

/** What a socket type can do. */
export interface SocketTypeTraits {
  /** libzmq's number for the type (`ZMQ_PULL`, ...). */
  id: number;
  canSend: boolean;
  canReceive: boolean;
  /** Whether `subscribe` and `unsubscribe` make sense. */
  canSubscribe: boolean;
  /**
   * Whether a well-formed send can fail only because the high-water mark is reached (or there is no peer):
   * such sends may be accepted first and handed to libzmq later.
   */
  failsOnlyWithEagain: boolean;
  /**
   * Whether a message names the peer that gets it, so that its send fails once that peer is gone. libzmq notices that
   * only when all that the peer sent before has been received.
   */
  namesPeer: boolean;
  /** How many frames each message has; undefined where that is up to the application. */
  frames: 1 | 2 | undefined;
  /** What each message has besides its bytes: who it is for or from, or its group. */
  tag: 'routingId' | 'group' | undefined;
  /** Only in a libzmq that was built with its draft API. */
  draft: boolean;
}

const STABLE = {
  canSubscribe: false,
  failsOnlyWithEagain: false,
  namesPeer: false,
  frames: undefined,
  tag: undefined,
  draft: false,
};
const DRAFT = { ...STABLE, frames: 1 as const, draft: true };
const BY_ROUTING_ID = { ...DRAFT, namesPeer: true, tag: 'routingId' as const };
const BY_GROUP = { ...DRAFT, tag: 'group' as const };

/** Every socket type of libzmq under its own name. */
export const SOCKET_TYPES = {
  PAIR: { ...STABLE, id: 0, canSend: true, canReceive: true, failsOnlyWithEagain: true },
  PUB: { ...STABLE, id: 1, canSend: true, canReceive: false },
  SUB: { ...STABLE, id: 2, canSend: false, canReceive: true, canSubscribe: true },
  REQ: { ...STABLE, id: 3, canSend: true, canReceive: true },
  REP: { ...STABLE, id: 4, canSend: true, canReceive: true },
  DEALER: { ...STABLE, id: 5, canSend: true, canReceive: true, failsOnlyWithEagain: true },
  ROUTER: { ...STABLE, id: 6, canSend: true, canReceive: true, namesPeer: true },
  PULL: { ...STABLE, id: 7, canSend: false, canReceive: true },
  PUSH: { ...STABLE, id: 8, canSend: true, canReceive: false, failsOnlyWithEagain: true },
  XPUB: { ...STABLE, id: 9, canSend: true, canReceive: true },
  XSUB: { ...STABLE, id: 10, canSend: true, canReceive: true, canSubscribe: true },
  STREAM: { ...STABLE, id: 11, canSend: true, canReceive: true, namesPeer: true },
  SERVER: { ...BY_ROUTING_ID, id: 12, canSend: true, canReceive: true },
  CLIENT: { ...DRAFT, id: 13, canSend: true, canReceive: true },
  RADIO: { ...BY_GROUP, id: 14, canSend: true, canReceive: false },
  DISH: { ...BY_GROUP, id: 15, canSend: false, canReceive: true },
  GATHER: { ...DRAFT, id: 16, canSend: false, canReceive: true },
  SCATTER: { ...DRAFT, id: 17, canSend: true, canReceive: false },
  DGRAM: { ...DRAFT, id: 18, canSend: true, canReceive: true, frames: 2 },
  PEER: { ...BY_ROUTING_ID, id: 19, canSend: true, canReceive: true },
  CHANNEL: { ...DRAFT, id: 20, canSend: true, canReceive: true },
} as const satisfies Record<string, SocketTypeTraits>;

/** Old names of socket types. */
export const SOCKET_TYPE_ALIASES = {
  XREQ: 'DEALER',
  XREP: 'ROUTER',
  UPSTREAM: 'PULL',
  DOWNSTREAM: 'PUSH',
} as const satisfies Record<string, CanonicalType>;

/** A socket type under the name that libzmq uses today. */
export type CanonicalType = keyof typeof SOCKET_TYPES;

/** A name that `new Socket(type)` takes: XREQ, XREP, UPSTREAM and DOWNSTREAM are deprecated aliases. */
export type SocketTypeName = CanonicalType | keyof typeof SOCKET_TYPE_ALIASES;

/** A socket type's canonical name and what it can do. */
export interface SocketType extends Readonly<SocketTypeTraits> {
  readonly name: CanonicalType;
}

const byName = new Map<string, SocketType>();
const byId = new Map<number, SocketType>();

for (const [name, traits] of Object.entries(SOCKET_TYPES)) {
  const type: SocketType = Object.freeze({ name: name as CanonicalType, ...traits });
  byName.set(name, type);
  byId.set(type.id, type);
}
for (const [alias, name] of Object.entries(SOCKET_TYPE_ALIASES)) {
  byName.set(alias, byName.get(name)!);
}

/**
 * Finds a socket type by its name or a deprecated alias of it.
 *
 * @throws {@link ArgumentError} when there is no such type
 */
export function socketTypeOf(nameOrAlias: unknown): SocketType {
  const type = typeof nameOrAlias === 'string' ? byName.get(nameOrAlias) : undefined;
  if (type === undefined) {
    const near = typeof nameOrAlias === 'string' ? nameOrAlias.toUpperCase().replace(/^ZMQ_/, '') : '';
    const hint = byName.has(near) ? `; did you mean '${near}'?` : '';
    const known = Object.keys(SOCKET_TYPES).join(', ');
    throw new ArgumentError(`type: expected one of ${known}, got ${describeValue(nameOrAlias)}${hint}`);
  }
  return type;
}

/** Finds a socket type by libzmq's number for it; undefined when there is none. */
export function socketTypeOfId(id: number): SocketType | undefined {
  return byId.get(id);
}
