/** How messages are spread over handler threads. */
import { argumentError } from '../errors.js';
import { checkNames } from '../pending.js';

/** Which bytes tell messages that belong together. */
export interface KeyBytes {
  /** The frame's index, from the first frame that is not envelope on; 0 unless told. */
  readonly frame?: number | undefined;
  /** The first byte; 0 unless told. */
  readonly start?: number | undefined;
  /** The byte after the last; the frame's end unless told. */
  readonly end?: number | undefined;
}

/**
 * `'least-loaded'`: to the thread with the fewest messages queued and in progress. `'round-robin'`: to one after
 * another. `{ key }`: messages of the same key go to the same thread, in order; the key is the first frame
 * (`'header'`), the frame of an index, a range of bytes of one, or the peer that sent it (`'peer'`).
 */
export type Route = 'round-robin' | 'least-loaded' | { readonly key: 'header' | 'peer' | number | KeyBytes };

/** As the addon takes it. */
export interface NativeRoute {
  readonly policy: number;
  readonly bodyAt: number;
  readonly frame: number;
  readonly start: number;
  readonly end: number;
}

/** Where a message's frames begin for the application: what the addon calls BodyAt. */
export const BODY_AT_START = 0;
export const BODY_AFTER_ROUTING_ID = 1;
export const BODY_AFTER_DELIMITER = 2;

const ROUND_ROBIN = 0;
const LEAST_LOADED = 1;
export const BY_KEY = 2;
const WHOLE = 0xffffffff;
const FIRST_OF_ALL = 0xffffffff;
const LARGEST = 0x7fffffff;

const EXPECTED = "'least-loaded', 'round-robin' or { key }";
const EXPECTED_KEY = "'header', 'peer', the index of a frame, or { frame, start, end }";

/** @throws {@link ArgumentError} for anything that is not a Route */
export function nativeRoute(route: unknown, bodyAt: number): NativeRoute {
  const whole = { bodyAt, frame: 0, start: 0, end: WHOLE };
  if (route === 'round-robin') return { ...whole, policy: ROUND_ROBIN };
  if (route === 'least-loaded') return { ...whole, policy: LEAST_LOADED };
  if (typeof route !== 'object' || route === null || !('key' in route))
    throw argumentError('route', EXPECTED, route);
  checkNames('route', route, ['key']);
  const { key } = route;
  const byKey = { ...whole, policy: BY_KEY };
  if (key === 'header') return byKey;
  if (key === 'peer') return { ...byKey, frame: FIRST_OF_ALL };
  if (typeof key === 'number') return { ...byKey, frame: index('route.key', key) };
  if (typeof key !== 'object' || key === null || Array.isArray(key))
    throw argumentError('route.key', EXPECTED_KEY, key);
  checkNames('route.key', key, ['frame', 'start', 'end']);
  const { frame = 0, start = 0, end } = key as KeyBytes;
  const from = index('route.key.start', start);
  if (end !== undefined && !(Number.isInteger(end) && end > from && end <= LARGEST)) {
    throw argumentError('route.key.end', `an integer above start (bytes), which is ${from}`, end);
  }
  return { ...byKey, frame: index('route.key.frame', frame), start: from, end: end ?? WHOLE };
}

function index(name: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > LARGEST) {
    throw argumentError(name, 'an integer from 0 up', value);
  }
  return value as number;
}
