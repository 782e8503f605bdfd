/** Errors on their way between threads. */
import { inspect } from 'node:util';
import type { WireError } from './outlet.js';

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
  } catch {
    // A proxy that does not let itself be asked: something else, then.
  }
  return new Error(typeof thrown === 'string' ? thrown : shown(thrown));
}

export function toWire(thrown: unknown): WireError {
  const error = asError(thrown);
  try {
    const { code, stack } = error as { code?: unknown; stack?: unknown };
    return {
      name: String(error.name),
      message: String(error.message),
      stack: typeof stack === 'string' ? stack : undefined,
      code: typeof code === 'string' ? code : undefined,
    };
  } catch (second) {
    const message = `An error whose properties cannot be read: ${shown(second)}`;
    return { name: 'Error', message, stack: undefined, code: undefined };
  }
}

/** Any value as text, also one that does not let itself be shown. */
export function shown(value: unknown): string {
  try {
    return inspect(value);
  } catch {
    return typeof value;
  }
}

export function fromWire(wire: WireError): Error {
  const error = new Error(wire.message);
  Object.defineProperty(error, 'name', { value: wire.name, configurable: true, writable: true });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return wire.code === undefined ? error : Object.assign(error, { code: wire.code });
}
