/** Messages as hosts see them: what was left in lanes, and what is told of it. */
import { constants } from 'node:os';
import { type ZmqError, zmqError } from '../errors.js';
import { LARGEST_CHUNK_BYTES } from '../layout.js';
import type { LaneMessage, RefusedMessage } from '../native.js';
import type { LaneStats } from './lane-stats.js';
import type { ReportedMessage } from './outlet.js';

/** A message with its envelope apart. */
export function splitMessage(message: LaneMessage): ReportedMessage {
  const { ticket, source, attempts, body, frames } = message;
  return { ticket, source, attempts, envelope: frames.slice(0, body), frames: frames.slice(body) };
}

/** Why no lane takes it. */
export function refusalOf({ errno, bytes }: RefusedMessage): ZmqError {
  const text = `${bytes} bytes of shared memory`;
  const tooLarge = errno === constants.errno.EMSGSIZE;
  return zmqError(errno, 'Cannot receive', tooLarge ? `${text}, ${LARGEST_CHUNK_BYTES} at most` : text);
}

/** The same bytes: what went through a port is a plain Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Counts of all threads together; what no thread could get counts as dropped. */
export function sumOf(
  threads: readonly LaneStats[],
  pending: number,
  refused: number,
): { handled: number; failed: number; sent: number; dropped: number; inFlight: number } {
  const sum = (name: 'handled' | 'failed' | 'sent' | 'dropped' | 'queued' | 'inProgress'): number =>
    threads.reduce((total, thread) => total + thread[name], 0);
  return {
    handled: sum('handled'),
    failed: sum('failed'),
    sent: sum('sent'),
    dropped: sum('dropped') + refused,
    inFlight: pending + sum('queued') + sum('inProgress'),
  };
}
