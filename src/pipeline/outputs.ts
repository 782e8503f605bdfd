/** What a pipeline's handler returns, as messages. */
import { bufferOf } from '../bytes.js';
import { encodePart, type Sendable } from '../encode.js';
import { ArgumentError, argumentError } from '../errors.js';

/** A message for one of several sinks. Made by {@link toSink}. */
export interface ForSink {
  /** The sink's name. */
  readonly sink: string;
  /** A frame, or several. */
  readonly message: Sendable | readonly Sendable[];
}

/** One message: a frame, or several in an array; for a certain sink if {@link toSink} says so. */
export type PipelineMessage = Sendable | readonly Sendable[] | ForSink;

/**
 * What a pipeline's handler may return, or resolve with: nothing, a message, several messages (an array of arrays, or
 * of `toSink`s), or something else to iterate over that yields messages, such as a generator. It is asked for the next
 * when there is room for it.
 */
export type PipelineResult =
  | undefined
  | PipelineMessage
  | readonly (readonly Sendable[] | ForSink)[]
  | Iterable<PipelineMessage>
  | AsyncIterable<PipelineMessage>;

const marker: unique symbol = Symbol('sink');

/**
 * Sends a message to one sink only, by its name; without it every sink gets every message.
 *
 * ```ts
 * export default (frames) => (frames[0].length === 0 ? toSink('rejects', frames) : frames);
 * ```
 */
export function toSink(sink: string, message: Sendable | readonly Sendable[]): ForSink {
  if (typeof sink !== 'string') throw argumentError('sink', 'the name of a sink', sink);
  return { [marker]: true, sink, message } as ForSink;
}

/** A message on its way out: the sink's index, or ALL_SINKS, and its frames. */
export type Output = readonly [number, ...Uint8Array[]];
export const ALL_SINKS = 0xffffffff;

/** The sinks' names, by index. */
export type SinkNames = readonly (string | undefined)[];

function isForSink(value: unknown): value is ForSink {
  return typeof value === 'object' && value !== null && marker in value;
}

/** @throws {@link ArgumentError} if it is no message, or for no sink that there is */
export function outputOf(message: unknown, sinks: SinkNames): Output {
  let index = ALL_SINKS;
  let body = message;
  if (isForSink(message)) {
    index = sinks.indexOf(message.sink);
    body = message.message;
    if (index < 0) {
      const names = sinks.filter((name) => name !== undefined).map((name) => JSON.stringify(name));
      const known = names.length === 0 ? 'there is none with a name' : `there are ${names.join(', ')}`;
      throw new ArgumentError(`sink: expected the name of a sink, got '${message.sink}'; ${known}`);
    }
  }
  if (!Array.isArray(body)) return [index, encodePart(body, 'the result')];
  if (body.length === 0) throw argumentError('the result', 'at least one frame', body);
  return [index, ...Array.from(body, (part: unknown, at) => encodePart(part, `the result[${at}]`))];
}

/** The same with copies of its frames, for handlers may use their memory again. @param lasting memory that they do not */
export function lastingOutput([sink, ...frames]: Output, lasting: ArrayBufferLike): Output {
  return [sink, ...frames.map((frame) => (bufferOf(frame) === lasting ? frame : Buffer.from(frame)))];
}

/** What a handler returned that yields nothing. */
export function outputsOf(result: unknown, sinks: SinkNames): Output[] {
  if (result === undefined) return [];
  if (!Array.isArray(result)) return [outputOf(result, sinks)];
  if (result.length === 0) return [];
  const several = result.every((item) => Array.isArray(item) || isForSink(item));
  return several ? result.map((item) => outputOf(item, sinks)) : [outputOf(result, sinks)];
}
