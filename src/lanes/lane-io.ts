/** An I/O worker of its own for lanes, so that a busy main thread has no part in them. */
import type { MessagePort } from 'node:worker_threads';
import { type IoRuntime, runtime } from '../io-runtime.js';
import { GROUP_TOKEN } from '../layout.js';
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

  /** From now on `call` is called when a group that the worker serves has refused a message; until `ignore`. */
  listen(group: number, call: () => void): void {
    this.runtime.listen(GROUP_TOKEN + group, { wake: call });
  }

  ignore(group: number): void {
    this.runtime.ignore(GROUP_TOKEN + group);
  }

  close(): void {
    this.runtime.closeGroup(this);
  }
}
