/** An I/O worker of its own for lanes, so that a busy main thread has no part in them. */
import type { MessagePort } from 'node:worker_threads';
import { type IoRuntime, runtime } from '../io-runtime.js';
import type { LaneNotice } from './lane-notice.js';

export class LaneIo {
  /** The loop's slot in this thread. */
  readonly loop: number;
  private readonly runtime: IoRuntime = runtime();

  constructor() {
    this.loop = this.runtime.loopFor(this, 1);
  }

  /** Tells the worker of a lane. */
  post(notice: LaneNotice, transfer: readonly MessagePort[] = []): void {
    this.runtime.postTo(this.loop, notice, transfer);
  }

  close(): void {
    this.runtime.closeGroup(this);
  }
}
