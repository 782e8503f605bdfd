/**
 * Messages as text, and back.
 *
 * | format | a message | its frames |
 * |---|---|---|
 * | lines | a line | joined by the separator, as bytes |
 * | raw | bytes, with nothing around them | one after the other |
 * | json | a line of JSON: a string, or an array of strings | bytes that are not UTF-8: `{"base64":"..."}` |
 * | hex | a line | hexadecimal digits with a space between frames; `-` for an empty frame |
 */
import { isUtf8 } from 'node:buffer';
import { usageError } from './outcome.js';

export const FORMATS = ['lines', 'raw', 'json', 'hex'] as const;
export type Format = (typeof FORMATS)[number];

const NEWLINE = Buffer.from('\n');
const SPACE = Buffer.from(' ');
const LONGEST_SHOWN = 60;

/** Adds a message's bytes to `pieces`; most formats end it with a newline. */
export function formatMessage(
  format: Format,
  frames: readonly Buffer[],
  separator: string,
  pieces: Uint8Array[],
): void {
  switch (format) {
    case 'raw':
      pieces.push(...frames);
      return;
    case 'lines':
      join(frames, Buffer.from(separator), pieces);
      break;
    case 'hex':
      join(
        frames.map((frame) => Buffer.from(frame.length === 0 ? '-' : frame.toString('hex'))),
        SPACE,
        pieces,
      );
      break;
    case 'json': {
      const values = frames.map(jsonOf);
      pieces.push(Buffer.from(JSON.stringify(values.length === 1 ? values[0] : values)));
      break;
    }
  }
  pieces.push(NEWLINE);
}

/**
 * The frames that a text stands for.
 *
 * @param where says in an error which text it is
 * @param separator splits a line into frames; undefined leaves it whole
 */
export function parseMessage(
  format: Format,
  text: Buffer,
  separator: string | undefined,
  where: string,
): Buffer[] {
  switch (format) {
    case 'raw':
      return [text];
    case 'lines':
      return separator === undefined ? [text] : split(text, Buffer.from(separator));
    case 'hex':
      return text
        .toString('latin1')
        .trim()
        .split(/ +/)
        .map((digits) => bytesOfHex(digits, where));
    case 'json':
      return framesOfJson(text, where);
  }
}

function join(frames: readonly Buffer[], between: Buffer, pieces: Uint8Array[]): void {
  for (const [index, frame] of frames.entries()) {
    if (index > 0) pieces.push(between);
    pieces.push(frame);
  }
}

function split(text: Buffer, separator: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let from = 0;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, from)) {
    frames.push(text.subarray(from, at));
    from = at + separator.length;
  }
  frames.push(text.subarray(from));
  return frames;
}

/** The bytes of one frame. */
export function bytesOfHex(digits: string, where: string): Buffer {
  if (digits === '-') return Buffer.alloc(0);
  if (digits === '' || digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw usageError(
      `${where}: expected pairs of hexadecimal digits, or - for an empty frame, got ${shown(digits)}`,
    );
  }
  return Buffer.from(digits, 'hex');
}

function jsonOf(frame: Buffer): string | { base64: string } {
  return isUtf8(frame) ? frame.toString('utf8') : { base64: frame.toString('base64') };
}

function framesOfJson(text: Buffer, where: string): Buffer[] {
  let value: unknown;
  try {
    if (!isUtf8(text)) throw new Error('not UTF-8');
    value = JSON.parse(text.toString('utf8'));
  } catch {
    throw usageError(`${where}: expected JSON, got ${shown(text.toString('utf8'))}`);
  }
  if (!Array.isArray(value)) {
    // As it was written: numbers keep all their digits.
    return [bytesOfJson(value, where) ?? Buffer.from(text.toString('utf8').trim())];
  }
  if (value.length === 0) throw usageError(`${where}: expected at least one frame, got []`);
  return value.map((item) => bytesOfJson(item, where) ?? Buffer.from(JSON.stringify(item)));
}

/** A string is the frame's text, and an object `{"base64":...}` its bytes; undefined for what is sent as JSON. */
function bytesOfJson(value: unknown, where: string): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value !== 'object' || value === null || Object.keys(value).join() !== 'base64') return undefined;
  const { base64 } = value as { base64: unknown };
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) {
    throw usageError(`${where}: expected base64 text, got ${shown(JSON.stringify(base64))}`);
  }
  return Buffer.from(base64, 'base64');
}

function shown(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length > LONGEST_SHOWN ? `${quoted.slice(0, LONGEST_SHOWN)}..."` : quoted;
}
