/**
 * CURVE keys as options take and give them: 32 bytes to libzmq, 40 characters of Z85 (ZeroMQ RFC 32) to
 * people.
 */
const KEY_BYTES = 32;
const KEY_TEXT = 40;
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

const digitValues = new Map(Array.from(DIGITS, (digit, value) => [digit, value]));

/** The 32 bytes of a key written in Z85; undefined when the text is not such a key. */
export function curveKeyBytes(text: string): Uint8Array | undefined {
  if (text.length !== KEY_TEXT) {
    return undefined;
  }
  const bytes = new Uint8Array(KEY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < KEY_BYTES / 4; group += 1) {
    let word = 0;
    for (const digit of text.slice(group * 5, group * 5 + 5)) {
      word = word * DIGITS.length + (digitValues.get(digit) ?? Number.NaN);
    }
    // Five digits can say a little more than four bytes can hold; NaN fails this test too.
    if (!(word <= 0xffffffff)) {
      return undefined;
    }
    view.setUint32(group * 4, word);
  }
  return bytes;
}

/**
 * The Z85 text of a 32-byte key; null for the key of all zeros, which is what libzmq has where none was set.
 */
export function curveKeyText(bytes: Uint8Array): string | null {
  if (bytes.every((byte) => byte === 0)) {
    return null;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, KEY_BYTES);
  let text = '';
  for (let group = 0; group < KEY_BYTES / 4; group += 1) {
    let word = view.getUint32(group * 4);
    let digits = '';
    for (let digit = 0; digit < 5; digit += 1) {
      digits = DIGITS[word % DIGITS.length] + digits;
      word = Math.floor(word / DIGITS.length);
    }
    text += digits;
  }
  return text;
}
