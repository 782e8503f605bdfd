/**
 * What can be sent, as bytes. Small payloads go through a stage that the addon reads; nothing in here sends.
 */
import { types } from 'node:util';
import { bufferOf, byteLengthOf, bytesOfBuffer, bytesOfView } from './bytes.js';
import { argumentError } from './errors.js';
import { ZERO_COPY_BYTES } from './layout.js';
import { Message, pinView, unpin } from './message.js';
import { native } from './native.js';

/** What one frame can be sent from. Numbers become their decimal digits and null becomes an empty frame. */
export type Sendable = string | NodeJS.ArrayBufferView | ArrayBufferLike | Message | number | null;

const STAGE_BYTES = 64 * 1024;
const STAGE_FRAMES = 256;
/** A view of so many bytes is copied sooner than a call for it is made. */
const LOOPED_BYTES = 16;
/** Larger views are handed over as they are: the second copy would cost more than the call saves. */
const STAGED_VIEW_BYTES = 4096;
/** Of an object that merely claims to have them: it must not take all memory. */
const MOST_FRAMES = 1_000_000;
const EMPTY = new Uint8Array(0);

const stage = Buffer.from(new ArrayBuffer(STAGE_BYTES));
const lengths = new Uint32Array(STAGE_FRAMES);
native.stage(stage, lengths);
/** How often something was put on the stage. */
let uses = 0;

const EXPECTED = 'a string, Buffer, ArrayBufferView, (Shared)ArrayBuffer, Message, number or null';

/**
 * Puts one payload on the stage.
 *
 * @returns its length in bytes, or -1 if it is too large or needs a closer look
 */
export function stageOne(data: unknown): number {
  uses += 1;
  return placePart(stage, data, 0, STAGE_BYTES);
}

/**
 * Puts one payload into `place`, from `offset` on and up to `end`.
 *
 * @returns its length in bytes, or -1 if it is too large or needs a closer look
 */
export function placePart(place: Buffer, data: unknown, offset: number, end: number): number {
  if (typeof data === 'string') {
    // A UTF-16 unit takes three bytes of UTF-8 at most.
    return data.length * 3 <= end - offset ? place.write(data, offset) : -1;
  }
  // isView is what tells a real one from a proxy of one, or from an object that merely inherits from it.
  if (data instanceof Uint8Array && ArrayBuffer.isView(data)) {
    const size = data.length;
    if (size > STAGED_VIEW_BYTES || size > end - offset) return -1;
    // Empty may be all that is left of a detached buffer. A Message's memory is never detached.
    if (size === 0 && !(data instanceof Message) && bytesOfView(data) === undefined) return -1;
    if (size > LOOPED_BYTES) place.set(data, offset);
    else for (let index = 0; index < size; index += 1) place[offset + index] = data[index]!;
    return size;
  }
  return -1;
}

/** Puts all payloads on the stage. @returns false if they do not fit, or if they have getters that send meanwhile */
export function stageAll(parts: readonly unknown[]): boolean {
  if (parts.length > STAGE_FRAMES) return false;
  uses += 1;
  const use = uses;
  let offset = 0;
  for (let index = 0; index < parts.length; index += 1) {
    const size = placePart(stage, parts[index], offset, STAGE_BYTES);
    if (size < 0) return false;
    lengths[index] = size;
    offset += size;
  }
  return uses === use;
}

/**
 * The bytes of one payload.
 *
 * @param what its name, or its index in `data`
 * @throws {@link ArgumentError} if it can't be sent
 */
export function encodePart(data: unknown, what: string | number = 'data'): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (ArrayBuffer.isView(data) || types.isAnyArrayBuffer(data)) {
    const bytes = ArrayBuffer.isView(data) ? bytesOfView(data) : bytesOfBuffer(data);
    if (bytes === undefined)
      throw argumentError(nameOf(what), `${EXPECTED} whose memory is not detached`, data);
    return bytes;
  }
  if (data === null) return EMPTY;
  if (typeof data === 'number') return Buffer.from(String(data), 'latin1');
  throw argumentError(nameOf(what), EXPECTED, data);
}

function nameOf(what: string | number): string {
  return typeof what === 'string' ? what : `data[${what}]`;
}

/**
 * The frames of a list, which may be any iterable or array-like object.
 *
 * @throws {@link ArgumentError} if it is neither, or a string or view, which is one frame
 */
export function listOfParts(parts: unknown): unknown[] {
  if (Array.isArray(parts)) return parts;
  if (typeof parts === 'object' && parts !== null && !ArrayBuffer.isView(parts)) {
    if (Symbol.iterator in parts) return [...(parts as Iterable<unknown>)];
    if ('length' in parts) {
      const { length } = parts;
      if (typeof length !== 'number' || !(length <= MOST_FRAMES)) {
        throw argumentError('parts.length', `a number up to ${MOST_FRAMES}`, length);
      }
      return Array.from(parts as ArrayLike<unknown>);
    }
  }
  throw argumentError('parts', 'an array or other list of frames', parts);
}

/**
 * Pins what is large enough to be sent without a copy.
 *
 * @returns a pin id or 0 for each part; undefined if there is no pin
 */
export function pinParts(parts: readonly Uint8Array[]): number[] | undefined {
  if (!parts.some(isPinnable)) return undefined;
  const ids: number[] = [];
  try {
    for (const part of parts) ids.push(isPinnable(part) ? pinView(part) : 0);
  } catch (error) {
    for (const id of ids) unpin(id);
    throw error;
  }
  return ids;
}

/** Whether the memory is worth pinning, and can be neither detached nor moved while libzmq reads it. */
function isPinnable(part: Uint8Array): boolean {
  if (byteLengthOf(part) < ZERO_COPY_BYTES) return false;
  const buffer = bufferOf(part);
  return types.isSharedArrayBuffer(buffer) && (buffer as { growable?: boolean }).growable !== true;
}
