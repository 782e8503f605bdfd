/**
 * The two ways to loop over what a socket receives. Both end with the socket, not with an error.
 */
import type { Attachment } from './attachment.js';
import type { Batch } from './batch.js';
import type { Message } from './message.js';

abstract class Iteration<Value> implements AsyncIterableIterator<Value> {
  protected done = false;

  /** @param socket held so that it is not collected while somebody loops over it */
  constructor(
    protected readonly socket: object,
    protected readonly attachment: Attachment,
  ) {}

  protected abstract take(): Promise<Value>;
  protected leave(): void {}

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.done || this.attachment.ended !== undefined) return this.finish();
    return this.take().then(
      (value) => ({ done: false, value }),
      (error: unknown) => {
        if (this.attachment.ended === undefined) throw error;
        return this.finish();
      },
    );
  }

  return(): Promise<IteratorResult<Value, undefined>> {
    return this.finish();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async finish(): Promise<IteratorResult<Value, undefined>> {
    this.done = true;
    this.leave();
    return { done: true, value: undefined };
  }
}

export class Messages extends Iteration<Message[]> {
  protected take(): Promise<Message[]> {
    return this.attachment.receiver.recvMultipart(undefined, 'for await');
  }

  override next(): Promise<IteratorResult<Message[], undefined>> {
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

  protected async take(): Promise<Batch> {
    this.leave();
    this.borrowed = await this.attachment.receiver.nextBatch(this.max);
    return this.borrowed;
  }

  protected override leave(): void {
    this.borrowed?.giveBack();
    this.borrowed = undefined;
  }
}
