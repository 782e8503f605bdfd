/** One message that a handler thread has begun. */
import type { ChunkView } from '../inbox.js';
import { FRAME_MORE } from '../layout.js';
import type { Message } from '../message.js';

export class Work {
  /** Whether its outcome is known: what the handler still does is of no account. */
  over = false;
  /** Whether the handler is done with it, and its result on its way. */
  handled = false;
  /** Whether it takes no place any more, nor will. */
  left = false;
  /** Whether it takes one of the places that `concurrency` allows. */
  placed = false;
  /** How long its handler waited for what it yielded to leave, in milliseconds. */
  waited = 0;
  /** Made when the handler asks for the signal. */
  private abort: AbortController | undefined;
  /** Why it aborts, or would, if the handler had asked for it. */
  private abortReason: Error | undefined;
  /** @internal Frees its place before it is settled; set by the consumer. */
  onLeave: ((work: Work) => void) | undefined;
  private made: Message[] | undefined;

  constructor(
    /** Where the descriptor of its first frame is in the chunk. */
    readonly first: number,
    /** How many frames come before the body. */
    readonly body: number,
    /** The frames of the body for the handler, which may do with the array what it likes. */
    readonly request: Message[],
    /** Its number in order of receipt, 32 bits, wrapping. */
    readonly ticket: number,
    /** Which of the sources it came from; NO_SOURCE from another stage. */
    readonly source: number,
    /** How often it was begun before. */
    readonly attempts: number,
    /** In milliseconds of the steady clock. */
    readonly receivedAt: number,
    /** In milliseconds of the steady clock. */
    readonly begunAt: number,
    readonly chunk: ChunkView,
    readonly slot: number,
    readonly cost: number,
  ) {}

  /** Frames before the body: routing ids and the delimiter. Made when somebody asks for them. */
  get envelope(): Message[] {
    this.made ??= this.chunk.messagesAt(this.first, this.body);
    return this.made;
  }

  /** The first frame as latin1 has it: the routing id, of what a ROUTER received. Without a message made of it. */
  get routingId(): string {
    const { buffer, descriptors } = this.chunk;
    const offset = (descriptors[this.first]! & ~FRAME_MORE) >>> 0;
    return Buffer.from(buffer, offset, descriptors[this.first + 1]!).toString('latin1');
  }

  /** The frames of the body as they came, made anew: for whoever is told of them. */
  get frames(): Message[] {
    const { descriptors } = this.chunk;
    let count = 0;
    // Each says whether another follows, first of all that of the header.
    for (let at = this.first + 2; (descriptors[at]! & FRAME_MORE) !== 0; at -= 2) count += 1;
    return this.chunk.messagesAt(this.first - 2 * this.body, count - this.body);
  }

  /** Aborts as soon as the handler is to stop, also if it asks for it only then. */
  get signal(): AbortSignal {
    if (this.abort === undefined) {
      this.abort = new AbortController();
      if (this.abortReason !== undefined) this.abort.abort(this.abortReason);
    }
    return this.abort.signal;
  }

  abortFor(reason: Error): void {
    this.abortReason ??= reason;
    this.abort?.abort(reason);
  }

  /**
   * It is about to be settled while its handler goes on: what that has of it stays as it is. Its memory is not used again,
   * but left to the garbage collector, for the handler may never come to an end.
   */
  outlast(): void {
    this.chunk.retained = true;
  }

  /** The handler is done, only the delivery is not: another message may begin. */
  leave(): void {
    this.left = true;
    this.onLeave?.(this);
  }
}
