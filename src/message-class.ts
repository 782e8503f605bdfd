/**
 * `Message` as applications have it, whose constructor checks what it is given. The class in message.ts has none: what
 * receives calls it for each frame, and a constructor would cost every one of them. The two have one prototype.
 */
import { types } from 'node:util';
import { ArgumentError, argumentError } from './errors.js';
import { Message as Frame } from './message.js';

/** The class {@link Message}. */
export interface MessageClass extends Omit<typeof Frame, 'prototype'> {
  /** As `Message.alloc`. @throws as that does */
  new (length: number): Frame;
  /** A message over shared memory, or a part of it, without a copy; as `Message.wrap`. @throws {@link ArgumentError} */
  new (memory: SharedArrayBuffer, byteOffset?: number, length?: number): Frame;
  /** As `Message.from`. @throws as that does */
  new (text: string, encoding: BufferEncoding): Frame;
  new (data: Parameters<typeof Frame.from>[0]): Frame;
  readonly prototype: Frame;
}

export type Message = Frame;

export const Message: MessageClass = function Message(...given: unknown[]): Frame {
  if (new.target === undefined) throw new ArgumentError("Message: expected 'new Message(...)', got a call");
  const made = frameOf(given);
  if ((new.target as unknown) === Message) return made;
  return Reflect.construct(Frame, [made.buffer, made.byteOffset, made.length], new.target) as Frame;
} as unknown as MessageClass;

function frameOf([data, byteOffset, length]: readonly unknown[]): Frame {
  if (typeof data === 'number') return Frame.alloc(data);
  if (types.isSharedArrayBuffer(data)) return Frame.wrap(data, partOf(data, byteOffset, length));
  if (typeof data === 'string') return Frame.from(data, byteOffset as BufferEncoding);
  // Of other memory a part would be a copy: not what a typed array's constructor gives.
  if (byteOffset !== undefined) throw argumentError('data', 'a SharedArrayBuffer before an offset', data);
  return Frame.from(data as Parameters<typeof Frame.from>[0]);
}

function partOf(memory: SharedArrayBuffer, byteOffset: unknown = 0, length?: unknown): Uint8Array {
  const size = memory.byteLength;
  if (!isWithin(byteOffset, size)) {
    throw argumentError('byteOffset', `an integer from 0 to ${size} (bytes)`, byteOffset);
  }
  const rest = size - byteOffset;
  if (length !== undefined && !isWithin(length, rest)) {
    throw argumentError('length', `an integer from 0 to ${rest} (bytes)`, length);
  }
  return new Uint8Array(memory, byteOffset, length ?? rest);
}

function isWithin(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

// One class to whoever looks: instanceof, `message.constructor`, what `alloc` and the like are called on.
Object.setPrototypeOf(Message, Frame);
Object.defineProperty(Message, 'prototype', { value: Frame.prototype, writable: false });
Object.defineProperty(Frame.prototype, 'constructor', { value: Message });
