/**
 * What messages of libzmq's draft socket types have besides their bytes: a SERVER's and PEER's have the routing id of
 * who they are from or for, a RADIO's and DISH's a group.
 */
import { argumentError } from './errors.js';

/** In bytes: ZMQ_GROUP_MAX_LENGTH. */
const LONGEST_GROUP = 255;
const LARGEST_ROUTING_ID = 0xffffffff;

/** @throws {@link ArgumentError} unless it is a routing id */
export function checkRoutingId(routingId: unknown): number {
  if (
    !Number.isInteger(routingId) ||
    (routingId as number) < 1 ||
    (routingId as number) > LARGEST_ROUTING_ID
  ) {
    throw argumentError('routingId', `an integer from 1 to ${LARGEST_ROUTING_ID}`, routingId);
  }
  return routingId as number;
}

/** @throws {@link ArgumentError} unless it is a name that is not empty and has no NUL */
export function checkGroup(group: unknown, what = 'group'): string {
  // libzmq would cut off the rest.
  const fits = typeof group === 'string' && Buffer.byteLength(group) <= LONGEST_GROUP;
  if (!fits || group === '' || group.includes('\0')) {
    throw argumentError(what, `a string of 1 to ${LONGEST_GROUP} bytes, none of them NUL`, group);
  }
  return group;
}
