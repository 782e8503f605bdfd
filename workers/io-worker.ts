/**
 * An I/O worker: runs one native loop, and does for it what only JavaScript can: notify, and make shared memory.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import type { ChunkGift } from '../src/inbox.js';
import { BELL_SEQUENCE, LOOP_NEED_CHUNK, LOOP_NOTIFY, LOOP_STOP } from '../src/layout.js';
import { native } from '../src/native.js';

/** What the thread that starts an I/O worker hands to it. */
export interface IoWorkerData {
  readonly loopId: number;
  readonly bell: Int32Array;
  readonly port: MessagePort;
}

/** Chunks made before the event loop must turn: their wrappers' finalizers run only then. */
const CHUNKS_PER_TURN = 64;

const { loopId, bell, port } = workerData as IoWorkerData;
const report = new Uint32Array(2);
let chunks = 0;

function makeChunk(slot: number, size: number): void {
  let buffer: SharedArrayBuffer;
  try {
    buffer = new SharedArrayBuffer(size);
  } catch {
    native.failChunk(loopId);
    return;
  }
  const chunk = native.giveChunk(loopId, new Uint8Array(buffer));
  if (chunk === 0) return;
  port.postMessage({ slot, chunk, buffer } satisfies ChunkGift);
  // Filled only now: a thread that receives by itself may do so at once, and its owner must find it.
  native.chunkPosted(loopId);
}

function run(): void {
  for (;;) {
    switch (native.loopRun(loopId, report)) {
      case LOOP_NOTIFY:
        Atomics.notify(bell, BELL_SEQUENCE);
        break;
      case LOOP_NEED_CHUNK:
        makeChunk(report[0]!, report[1]!);
        chunks += 1;
        if (chunks % CHUNKS_PER_TURN === 0) {
          setImmediate(run);
          return;
        }
        break;
      case LOOP_STOP:
        port.close();
        return;
      default:
        setImmediate(run);
        return;
    }
  }
}

run();
