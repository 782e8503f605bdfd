/**
 * What the two processes of `perf` say to each other, over a pair of PAIR sockets. A message of one frame is payload;
 * one of two frames is control: a mark, and JSON.
 *
 *     client                          peer
 *     hello {nonce}           ->
 *                             <-      ready {nonce, version}
 *     send {size, seconds}    ->
 *                             <-      payload, payload, ...          for so long
 *                             <-      sent {count}
 *     payload                 ->
 *                             <-      the same payload
 */
import type { Message } from '../index.js';

export type Control =
  | { kind: 'hello' | 'ready'; nonce: string; version: string }
  | { kind: 'send'; size: number; seconds: number }
  | { kind: 'sent'; count: number };

const MARK = 'zeromq-threads perf 1';

export function controlMessage(control: Control): string[] {
  return [MARK, JSON.stringify(control)];
}

/** The control in a message; undefined if it is payload, or somebody else's. */
export function controlOf(frames: readonly Message[]): Control | undefined {
  const [mark, text] = frames;
  if (frames.length !== 2 || String(mark) !== MARK) return undefined;
  return JSON.parse(String(text)) as Control;
}
