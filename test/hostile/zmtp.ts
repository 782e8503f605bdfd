/** What strangers say: pieces of ZMTP, and bytes that are none, with what a server may rightly take for messages. */
import type { Random } from '../random.js';

export type Mechanism = 'NULL' | 'PLAIN' | 'CURVE';

/** One thing that a connection says. See test/peers/stranger.mjs. */
export interface Step {
  readonly bytes: Buffer;
  /** How many bytes the server must have sent before. */
  readonly after?: number;
}

const LONG = 2;
const COMMAND = 4;
/** The first byte of a greeting, eight of padding, and one whose lowest bit tells it from a frame of ZMTP 1.0. */
const SIGNATURE = Buffer.from('ff00000000000000017f', 'hex');

/** The 64 bytes that a ZMTP 3 connection begins with. */
export function greeting(mechanism: string, minor = 1): Buffer {
  return Buffer.concat([
    SIGNATURE,
    Buffer.from([3, minor]),
    Buffer.from(mechanism.padEnd(20, '\0')),
    Buffer.alloc(32),
  ]);
}

/** A frame. `announced` is the length that its header tells, if that is not the body's. */
export function frame(body: Uint8Array, announced: number | bigint = body.length, flags = 0): Buffer {
  const header = Buffer.alloc(9);
  header[0] = flags | LONG;
  header.writeBigUInt64BE(BigInt(announced), 1);
  return Buffer.concat([header, body]);
}

export function command(
  name: string,
  body: Uint8Array = Buffer.alloc(0),
  announced?: number | bigint,
): Buffer {
  const whole = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), body]);
  return frame(whole, announced, COMMAND);
}

/** A property of the metadata; `announced` as above. */
export function property(name: string, value: string, announced = value.length): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(announced);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, Buffer.from(value)]);
}

export function ready(socketType: string): Buffer {
  return command('READY', property('Socket-Type', socketType));
}

/** How a name and a password are told. */
export function hello(username: string, password: string): Buffer {
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
  return command('HELLO', Buffer.concat([text(username), text(password)]));
}

/** All that a peer of ZMTP 1.0 says: its identity, of no bytes, and messages of one frame. */
export function zmtp1(...messages: Buffer[]): Buffer {
  const frames = messages.map((body) => Buffer.concat([Buffer.from([body.length + 1, 0]), body]));
  return Buffer.concat([Buffer.from([1, 0]), ...frames]);
}

/** All that a peer of ZMTP 2.0 says; `type` is the number of its socket type. */
export function zmtp2(type: number, ...messages: Buffer[]): Buffer {
  return Buffer.concat([
    SIGNATURE,
    Buffer.from([1, type]),
    ...[Buffer.alloc(0), ...messages].map((body) => frame(body)),
  ]);
}

export function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/**
 * The frames in bytes that do not begin as a greeting does: to a server without security they come from a peer of
 * ZMTP 1.0, whose first frame is its identity.
 */
export function framesOfZmtp1(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const long = bytes[at] === 0xff;
    if (long && bytes.length < at + 9) break;
    const length = long ? Number(bytes.readBigUInt64BE(at + 1)) : bytes[at]!;
    const body = at + (long ? 10 : 2);
    if (length === 0 || body + length - 1 > bytes.length) break;
    frames.push(bytes.subarray(body, body + length - 1));
    at = body + length - 1;
  }
  return frames.slice(1);
}

/** The frames in bytes that follow a handshake. */
export function framesOfZmtp3(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const long = (bytes[at]! & LONG) !== 0;
    if (bytes.length < at + (long ? 9 : 2)) break;
    const length = long ? Number(bytes.readBigUInt64BE(at + 1)) : bytes[at + 1]!;
    const body = at + (long ? 9 : 2);
    if (body + length > bytes.length) break;
    if ((bytes[at]! & COMMAND) === 0) frames.push(bytes.subarray(body, body + length));
    at = body + length;
  }
  return frames;
}
