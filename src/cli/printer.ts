/** Prints messages on standard output: many at once when many come. */
import type { Message } from '../index.js';
import { type FormatFlags, PRINTED_SEPARATOR } from './format-flags.js';
import { formatMessage } from './formats.js';
import type { Session } from './session.js';

/** Bytes that are gathered before they are written. */
const MOST_GATHERED = 64 * 1024;

export class Printer {
  readonly #separator: string;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** @param stream whether bytes are a stream, with no line to end after each message */
  constructor(
    private readonly session: Session,
    private readonly flags: FormatFlags,
    private readonly stream = false,
  ) {
    this.#separator = flags.separator ?? PRINTED_SEPARATOR;
  }

  /** Adds a message. @returns whether it is time to `flush` */
  add(frames: readonly Message[]): boolean {
    const { format } = this.flags;
    const before = this.#pieces.length;
    if (this.stream && (format === 'lines' || format === 'raw')) this.#pieces.push(...frames.slice(1));
    else formatMessage(format, frames, this.#separator, this.#pieces);
    for (let index = before; index < this.#pieces.length; index += 1)
      this.#bytes += this.#pieces[index]!.length;
    return this.#bytes >= MOST_GATHERED;
  }

  /** Writes what was added. Resolves when there is room for more. */
  async flush(): Promise<void> {
    if (this.#bytes === 0) return;
    const data = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    await this.session.write(data);
  }
}
