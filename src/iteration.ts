/**
 * The two ways to loop over what a socket receives. Both end with the socket, not with an error.
 */
import type { Attachment } from './attachment.js';
import type { Batch } from './batch.js';
import type { Message } from './message.js';
import type { Outcome } from './pending.js';

type Result<Value> = IteratorResult<Value, undefined>;

abstract class Iteration<Value> implements AsyncIterableIterator<Value> {
  protected done = false;
  protected readonly outcome: Outcome<Value> = {
    of: (value) => this.result(value),
    ofFailure: (reason) => {
      if (!this.done && this.attachment.ended === undefined) throw reason;
      return this.finish();
    },
  };

  /** @param socket held so that it is not collected while somebody loops over it */
  constructor(
    protected readonly socket: object,
    protected readonly attachment: Attachment,
  ) {}

  /** Asks for the next value, with `outcome`. */
  protected abstract take(): Promise<unknown>;
  protected leave(): void {}

  protected result(value: Value): Result<Value> {
    return { done: false, value };
  }

  next(): Promise<Result<Value>> {
    if (this.done || this.attachment.ended !== undefined) return this.return();
    return this.take() as Promise<Result<Value>>;
  }

  /** Also ends a `next` that still waits: a message that it took now would be lost. */
  async return(): Promise<Result<Value>> {
    return this.finish();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private finish(): Result<Value> {
    this.done = true;
    this.attachment.receiver.withdraw(this.outcome);
    this.leave();
    return { done: true, value: undefined };
  }
}

export class Messages extends Iteration<Message[]> {
  protected take(): Promise<unknown> {
    return this.attachment.receiver.nextMessage(this.outcome);
  }

  override next(): Promise<Result<Message[]>> {
    // The usual case, without a promise in between.
    const value = this.done ? undefined : this.attachment.receiver.takeNow();
    return value === undefined ? super.next() : Promise.resolve({ done: false, value });
  }
}

export class Batches extends Iteration<Batch> {
  private borrowed: Batch | undefined;

  constructor(
    socket: object,
    attachment: Attachment,
    private readonly max: number,
  ) {
    super(socket, attachment);
  }

  protected take(): Promise<unknown> {
    this.leave();
    return this.attachment.receiver.nextBatch(this.max, this.outcome);
  }

  protected override result(batch: Batch): Result<Batch> {
    this.borrowed = batch;
    return { done: false, value: batch };
  }

  protected override leave(): void {
    this.borrowed?.giveBack();
    this.borrowed = undefined;
  }
}
