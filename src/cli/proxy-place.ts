/** What a proxy's socket is: `TYPE:bind:ENDPOINT`, of which the first two can be left out. */
import type { Socket } from '../index.js';
import { type CanonicalType, socketTypeOf } from '../socket-types.js';
import { checkingInput, usageError } from './outcome.js';
import type { Session } from './session.js';
import { parseOption } from './socket-flags.js';

export interface Place {
  readonly type: CanonicalType;
  readonly bind: readonly string[];
  readonly connect: readonly string[];
}

/** Reads what was given for one socket: the same type each time, and where to bind or connect it. */
export function placeOf(flag: string, given: readonly string[], preset: CanonicalType | undefined): Place {
  const [bind, connect]: [string[], string[]] = [[], []];
  let type: CanonicalType | undefined;
  for (const text of given) {
    const [, word, way = 'bind', endpoint] =
      /^(?:([A-Za-z]+):)??(?:(bind|connect):)?([a-z]+:\/\/.+)$/.exec(text) ?? [];
    if (endpoint === undefined) {
      throw usageError(`${flag}: expected TYPE:bind:ENDPOINT or TYPE:connect:ENDPOINT, got '${text}'`);
    }
    const named = word === undefined ? undefined : socketTypeOf(word.toUpperCase()).name;
    if (named !== undefined && type !== undefined && named !== type) {
      throw usageError(`${flag}: expected one type for the socket, got ${type} and ${named}`);
    }
    type ??= named;
    (way === 'bind' ? bind : connect).push(endpoint);
  }
  const final = type ?? preset;
  if (final === undefined) {
    throw usageError(`${flag}: expected a type as in ROUTER:${given[0]}, or a preset such as broker`);
  }
  return { type: final, bind, connect };
}

/** Makes the socket, binds and connects it, and says on stderr where it is. */
export async function openPlace(
  session: Session,
  name: string,
  place: Place,
  linger: number,
  options: readonly string[],
): Promise<Socket> {
  const { Socket } = await session.load();
  const settings = await Promise.all(options.map(parseOption));
  const socket = session.own(checkingInput(() => new Socket(place.type, { linger })));
  for (const [option, value] of settings) checkingInput(() => socket.setOption(option, value));
  for (const endpoint of place.bind) {
    session.note(`${name} ${place.type} bound to ${checkingInput(() => socket.bind(endpoint))}`);
  }
  for (const endpoint of place.connect) {
    checkingInput(() => socket.connect(endpoint));
    session.note(`${name} ${place.type} connecting to ${endpoint}`);
  }
  return socket;
}
