/**
 * CURVE keys as options take and give them: 32 bytes to libzmq, 40 characters of Z85 (ZeroMQ RFC 32) to
 * people.
 */
import { z85Decode, z85Encode } from './z85.js';

const KEY_TEXT = 40;

/** The 32 bytes of a key written in Z85; undefined when the text is not such a key. */
export function curveKeyBytes(text: string): Uint8Array | undefined {
  if (text.length !== KEY_TEXT) return undefined;
  try {
    return z85Decode(text);
  } catch {
    return undefined;
  }
}

/**
 * The Z85 text of a 32-byte key; null for the key of all zeros, which is what libzmq has where none was set.
 */
export function curveKeyText(bytes: Uint8Array): string | null {
  return bytes.every((byte) => byte === 0) ? null : z85Encode(bytes);
}
