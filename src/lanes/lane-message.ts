/** Messages as hosts see them: what was left in lanes, and what is told of it. */
import type { LaneMessage } from '../native.js';
import type { LaneStats } from './lane-stats.js';
import type { ReportedMessage } from './outlet.js';

/** A message with its envelope apart. */
export function splitMessage(message: LaneMessage): ReportedMessage {
  const { ticket, source, attempts, body, frames } = message;
  return { ticket, source, attempts, envelope: frames.slice(0, body), frames: frames.slice(body) };
}

/** The same bytes: what went through a port is a plain Uint8Array. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Counts of all threads together. */
export function sumOf(
  threads: readonly LaneStats[],
  pending: number,
): { handled: number; failed: number; sent: number; dropped: number; inFlight: number } {
  const sum = (name: 'handled' | 'failed' | 'sent' | 'dropped' | 'queued' | 'inProgress'): number =>
    threads.reduce((total, thread) => total + thread[name], 0);
  return {
    handled: sum('handled'),
    failed: sum('failed'),
    sent: sum('sent'),
    dropped: sum('dropped'),
    inFlight: pending + sum('queued') + sum('inProgress'),
  };
}
