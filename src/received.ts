/** What has been received and not been taken: the messages in an inbox, behind the rest of one that is half taken. */
import { Batch } from './batch.js';
import type { Inbox } from './inbox.js';
import type { Message } from './message.js';

/** What a receive asks for: one frame, a message, or a batch of up to `max` messages. */
export type Kind = 'frame' | 'message' | { readonly max: number };

export class Received {
  /** Frames of a message of which some were handed out singly. */
  private rest: Message[] = [];

  constructor(private readonly inbox: Inbox) {}

  get hasSome(): boolean {
    return this.rest.length > 0 || this.inbox.available() > 0;
  }

  get isHalfTaken(): boolean {
    return this.rest.length > 0;
  }

  take(kind: Kind): Message | Message[] | Batch {
    if (kind === 'frame') return this.takeFrame();
    return kind === 'message' ? this.takeMessage() : this.takeBatch(kind.max);
  }

  takeFrame(): Message {
    if (this.rest.length === 0) {
      const frames = this.inbox.takeMessage();
      if (frames.length === 1) return frames[0]!;
      this.rest = frames;
    }
    return this.rest.shift()!;
  }

  takeMessage(): Message[] {
    if (this.rest.length === 0) return this.inbox.takeMessage();
    const frames = this.rest;
    this.rest = [];
    return frames;
  }

  takeBatch(max: number): Batch {
    if (this.rest.length > 0) return Batch.ofMessage(this.takeMessage());
    return new Batch(this.inbox.takeRange(max), this.inbox);
  }

  takeAll(): Message[][] {
    const messages: Message[][] = [];
    while (this.hasSome) messages.push(this.takeMessage());
    return messages;
  }

  dropRest(): void {
    this.rest = [];
  }
}
