/** Messages from standard input, read no faster than they are taken. */
import { fstatSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import type { Format } from './formats.js';
import { parseMessage } from './formats.js';
import { CommandError, usageError } from './outcome.js';
import type { Session } from './session.js';

/** One message is never larger than this, in bytes. */
export const LARGEST_INPUT = 1024 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface InputOptions {
  readonly format: Format;
  readonly separator: string | undefined;
  /** With the format raw: messages of so many bytes, the last one of what is left. Without it all is one message. */
  readonly chunk: number | undefined;
}

/** The messages on standard input until it ends, as arrays of frames. */
export async function* messagesFromInput(
  session: Session,
  options: InputOptions,
): AsyncGenerator<Buffer[], void, undefined> {
  // Node.js takes a folder for an empty input.
  if (fstatSync(0).isDirectory()) throw new CommandError('standard input is a folder');
  addAbortSignal(session.signal, process.stdin);
  if (options.format === 'raw') {
    for await (const part of blocksOfInput(options.chunk)) yield [part];
    return;
  }
  let line = 0;
  for await (const text of linesOfInput()) {
    line += 1;
    yield parseMessage(options.format, text, options.separator, `line ${line} of standard input`);
  }
}

async function* linesOfInput(): AsyncGenerator<Buffer, void, undefined> {
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, at);
      yield begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
      begun = [];
      size = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    size += chunk.length - from;
    checkSize(size, 'a line');
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}

async function* blocksOfInput(chunkSize: number | undefined): AsyncGenerator<Buffer, void, undefined> {
  const limit = chunkSize ?? Number.POSITIVE_INFINITY;
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    let left = chunk;
    while (size + left.length >= limit) {
      const taken = limit - size;
      yield Buffer.concat([...begun, left.subarray(0, taken)]);
      left = left.subarray(taken);
      begun = [];
      size = 0;
    }
    if (left.length === 0) continue;
    begun.push(left);
    size += left.length;
    if (chunkSize === undefined) checkSize(size, 'the input');
  }
  if (size > 0 || chunkSize === undefined) yield Buffer.concat(begun);
}

function checkSize(size: number, what: string): void {
  if (size <= LARGEST_INPUT) return;
  throw usageError(
    `standard input: ${what} is larger than 1 GiB; --format raw --chunk N cuts it into pieces`,
  );
}
