/**
 * Sends of socket types whose messages have so many frames: one, which may have to say whom it is for, or two, for
 * datagrams and for what goes to the peers of STREAM sockets.
 */
import { isIPv4 } from 'node:net';
import { encodePart } from './encode.js';
import { ArgumentError, argumentError, notSupportedError } from './errors.js';
import { Message } from './message.js';
import { checkGroup, checkRoutingId } from './message-tags.js';
import type { SocketType } from './socket-types.js';

/** What a send can say of its message. */
interface Tags {
  routingId?: number | undefined;
  group?: string | undefined;
}

/** @throws {@link ZmqError} with code `'ENOTSUP'` when the options say what messages of the type do not have */
export function checkTags(type: SocketType, options: Tags | undefined): void {
  if (options?.routingId !== undefined && type.tag !== 'routingId') {
    throw notSupportedError(`routingId is not supported by ${type.name} sockets`);
  }
  if (options?.group !== undefined && type.tag !== 'group') {
    throw notSupportedError(`group is not supported by ${type.name} sockets`);
  }
}

/** The frame of a message that has no other. @throws {@link ArgumentError} when it is to have more */
export function singleFrame(type: SocketType, data: unknown, more: boolean): unknown {
  if (more) throw argumentError('more', `false: messages of ${type.name} sockets have one frame`, more);
  if (!Array.isArray(data)) return data;
  if (data.length === 1) return data[0];
  throw new ArgumentError(`data: expected one frame, as ${type.name} sockets have it, got ${data.length}`);
}

/**
 * A datagram that libzmq would drop without a word, or that would leave it in the midst of a message.
 *
 * @throws {@link ArgumentError} unless there are an address and a payload
 */
export function checkDatagram(data: unknown, more: boolean): void {
  if (more) throw argumentError('more', 'false: datagrams are sent whole', more);
  const expected = 'an address and a payload, as DGRAM sockets have them';
  if (!Array.isArray(data)) throw argumentError('data', expected, data);
  if (data.length !== 2) throw new ArgumentError(`data: expected ${expected}, got ${data.length} frames`);
  // What was received as an address ends with a NUL byte.
  const address = Buffer.from(encodePart(data[0], 0)).toString('latin1').replace(/\0$/, '');
  const [, host, port] = /^(.*):(\d{1,5})$/s.exec(address) ?? [];
  if (host === undefined || !isIPv4(host) || Number(port) < 1 || Number(port) > 65_535) {
    throw argumentError('data[0]', "an address such as '127.0.0.1:5555'", address);
  }
}

/**
 * A message of a STREAM socket. libzmq takes whatever follows a routing id for its data, and the next frame for a
 * routing id: with one frame too many or too few, everything after it would be lost.
 *
 * @param begun whether the routing id was sent, and its data follows
 * @throws {@link ArgumentError} unless it is both, or what is next
 */
export function checkStreamMessage(data: unknown, more: boolean, begun: boolean): void {
  const frames = Array.isArray(data) ? data.length : 1;
  const left = begun ? 1 : 2;
  if (frames === left - (more ? 1 : 0)) return;
  const expected = begun ? 'the data for the routing id before it' : 'a routing id and data';
  const got = `${frames} ${frames === 1 ? 'frame' : 'frames'}${more ? ' and more' : ''}`;
  throw new ArgumentError(`data: expected ${expected}, as STREAM sockets have them, got ${got}`);
}

/**
 * Who a message is for, or its group: as the options say, or else as the message does.
 *
 * @returns 0 and '' for nothing
 * @throws {@link ArgumentError} when the socket type needs one and there is none
 */
export function tagsOf(
  type: SocketType,
  data: unknown,
  options: Tags | undefined,
): { routingId: number; group: string } {
  const message = data instanceof Message ? data : undefined;
  const tags = { routingId: 0, group: '' };
  if (type.tag === 'routingId') tags.routingId = checkRoutingId(options?.routingId ?? message?.routingId);
  if (type.tag === 'group') tags.group = checkGroup(options?.group ?? message?.group);
  return tags;
}
