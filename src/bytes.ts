/**
 * The bytes of views and buffers, read in a way that an object cannot lie about: its own properties and its class
 * are not asked, and none of its code runs.
 */
import { types } from 'node:util';

type View = ArrayBufferView<ArrayBufferLike>;

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const { keys } = typedArray as { keys: () => unknown };

function reader<Value>(prototype: object, name: string): (view: View) => Value {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name)!;
  return (view) => Reflect.apply(get!, view, []) as Value;
}
const ofArray = {
  buffer: reader<ArrayBufferLike>(typedArray, 'buffer'),
  byteOffset: reader<number>(typedArray, 'byteOffset'),
  byteLength: reader<number>(typedArray, 'byteLength'),
};
const ofDataView = {
  buffer: reader<ArrayBufferLike>(DataView.prototype, 'buffer'),
  byteOffset: reader<number>(DataView.prototype, 'byteOffset'),
  byteLength: reader<number>(DataView.prototype, 'byteLength'),
};

export function bufferOf(array: Uint8Array): ArrayBufferLike {
  return ofArray.buffer(array);
}

export function byteOffsetOf(array: Uint8Array): number {
  return ofArray.byteOffset(array);
}

export function byteLengthOf(array: Uint8Array): number {
  return ofArray.byteLength(array);
}

/** The bytes a view shows; itself if it is a Uint8Array. Undefined if its memory was detached, or shrank under it. */
export function bytesOfView(view: View): Uint8Array | undefined {
  try {
    if (types.isDataView(view)) {
      return new Uint8Array(
        ofDataView.buffer(view),
        ofDataView.byteOffset(view),
        ofDataView.byteLength(view),
      );
    }
    if (types.isUint8Array(view) && ofArray.byteLength(view) > 0) return view;
    Reflect.apply(keys, view, []); // a method that throws for memory that is gone; the getters say 0
    if (types.isUint8Array(view)) return view;
    return new Uint8Array(ofArray.buffer(view), ofArray.byteOffset(view), ofArray.byteLength(view));
  } catch {
    return undefined;
  }
}

/** The bytes of a buffer; undefined if it was detached. */
export function bytesOfBuffer(buffer: ArrayBufferLike): Uint8Array | undefined {
  try {
    return new Uint8Array(buffer);
  } catch {
    return undefined;
  }
}
