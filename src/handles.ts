/**
 * Handles: what one thread posts to another so that it can attach to a socket, a poller or a context of this
 * process.
 */
import { argumentError } from './errors.js';
import { native } from './native.js';

type HandleKind = 'socket' | 'poller' | 'context';

/** A socket, poller or context of this process, as plain data that `postMessage` takes. */
export interface Handle<Kind extends HandleKind = HandleKind> {
  readonly zeromqThreads: Kind;
  readonly id: number;
  readonly process: string;
}

export function makeHandle<Kind extends HandleKind>(kind: Kind, id: number): Handle<Kind> {
  return { zeromqThreads: kind, id, process: native.processNonce() };
}

/** @returns the id in the handle. @throws {@link ArgumentError} unless it is one of ours, and of this process */
export function idOfHandle(handle: unknown, kind: HandleKind): number {
  const expected = `a ${kind} handle of this process`;
  if (typeof handle !== 'object' || handle === null) throw argumentError('handle', expected, handle);
  const { zeromqThreads, id, process } = handle as Partial<Handle>;
  if (zeromqThreads !== kind || !Number.isInteger(id) || id! < 0 || id! > 0xffffffff) {
    throw argumentError('handle', expected, handle);
  }
  if (process !== native.processNonce()) throw argumentError('handle', expected, handle);
  return id!;
}
