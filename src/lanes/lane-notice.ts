/** What hosts, I/O workers and handler threads post to each other about lanes. */
import type { MessagePort } from 'node:worker_threads';

/** To an I/O worker: a lane begins, or (without `open`) ends. */
export interface LaneNotice {
  readonly lane: number;
  readonly open?: {
    readonly control: Int32Array;
    /** Where the chunks go that it makes for the lane. */
    readonly port: MessagePort;
  };
}

/** From an I/O worker to a handler thread: memory for its lane. */
export interface LaneChunk {
  readonly chunk: number;
  readonly buffer: SharedArrayBuffer;
}
