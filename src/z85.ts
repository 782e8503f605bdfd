/** Z85 (ZeroMQ RFC 32): binary data as printable text, four bytes in five characters. */
import { bytesOfBuffer, bytesOfView } from './bytes.js';
import { ArgumentError, argumentError } from './errors.js';

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const BASE = DIGITS.length;
const digitValues = new Map(Array.from(DIGITS, (digit, value) => [digit, value]));

/**
 * Bytes as Z85 text.
 *
 * ```ts
 * z85Encode(Buffer.from([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b])); // 'HelloWorld'
 * ```
 *
 * @param data a multiple of four bytes
 * @throws {@link ArgumentError} for any other number of bytes, and for what is no bytes
 */
export function z85Encode(data: NodeJS.ArrayBufferView | ArrayBufferLike): string {
  const bytes = ArrayBuffer.isView(data)
    ? bytesOfView(data)
    : data instanceof ArrayBuffer || data instanceof SharedArrayBuffer
      ? bytesOfBuffer(data)
      : undefined;
  if (bytes === undefined) throw argumentError('data', 'a view or buffer that is not detached', data);
  if (bytes.length % 4 !== 0) {
    throw new ArgumentError(`data: expected a multiple of 4 bytes, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += 4) {
    let word = view.getUint32(offset);
    let digits = '';
    for (let digit = 0; digit < 5; digit += 1) {
      digits = DIGITS[word % BASE] + digits;
      word = Math.floor(word / BASE);
    }
    text += digits;
  }
  return text;
}

/**
 * The bytes of Z85 text.
 *
 * ```ts
 * z85Decode('HelloWorld'); // <Buffer 86 4f d2 6f b5 59 f7 5b>
 * ```
 *
 * @param text a multiple of five characters
 * @throws {@link ArgumentError} for any other number of characters, and where they are not Z85
 */
export function z85Decode(text: string): Buffer<ArrayBuffer> {
  if (typeof text !== 'string') throw argumentError('text', 'a string', text);
  if (text.length % 5 !== 0) {
    throw new ArgumentError(`text: expected a multiple of 5 characters, got ${text.length}`);
  }
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let group = 0; group < text.length / 5; group += 1) {
    let word = 0;
    for (let at = group * 5; at < group * 5 + 5; at += 1) {
      const value = digitValues.get(text[at]!);
      if (value === undefined) {
        throw new ArgumentError(`text: expected Z85, got ${JSON.stringify(text[at])} at ${at}`);
      }
      word = word * BASE + value;
    }
    // Five digits can say a little more than four bytes can hold.
    if (word > 0xffffffff) {
      const digits = text.slice(group * 5, group * 5 + 5);
      throw new ArgumentError(`text: expected Z85, got ${JSON.stringify(digits)} at ${group * 5}, too large`);
    }
    bytes.writeUInt32BE(word, group * 4);
  }
  return bytes;
}
