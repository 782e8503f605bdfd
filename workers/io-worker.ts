/**
 * An I/O worker: runs one native loop, and does for it what only JavaScript can: notify, and make shared memory.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ChunkGift } from '../src/inbox.js';
import type { LaneChunk, LaneNotice } from '../src/lanes/lane-notice.js';
import {
  BELL_SEQUENCE,
  LANE_SEQUENCE,
  LANE_TOKEN,
  LOOP_NEED_CHUNK,
  LOOP_NOTIFY,
  LOOP_STOP,
  REPORT_WORDS,
} from '../src/layout.js';
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
const report = new Uint32Array(REPORT_WORDS);
let chunks = 0;

/** A lane whose group this worker's loop serves. */
interface ServedLane {
  readonly control: Int32Array;
  readonly port: MessagePort;
  /** Its chunks, kept here so that the lane can be read when its thread is dead. */
  readonly kept: Map<number, SharedArrayBuffer>;
}
const lanes = new Map<number, ServedLane>();

/** Takes note of lanes that came and went. They are announced before the loop can speak of them. */
function readNotices(): void {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) return;
    const notice = received.message as LaneNotice;
    if (notice.open !== undefined) {
      const { control, port } = notice.open;
      lanes.set(notice.lane, { control, port, kept: new Map() });
    } else {
      lanes.get(notice.lane)?.port.close();
      lanes.delete(notice.lane);
    }
  }
}

function laneOf(id: number): ServedLane | undefined {
  const known = lanes.get(id);
  if (known !== undefined) return known;
  readNotices();
  return lanes.get(id);
}

function makeLaneChunk(id: number, size: number): void {
  readNotices();
  const lane = laneOf(id);
  if (lane === undefined) {
    native.failChunk(loopId);
    return;
  }
  for (const dropped of native.laneDropped(id)) lane.kept.delete(dropped);
  const buffer = makeMemory(size);
  if (buffer === undefined) return;
  const chunk = native.giveChunk(loopId, new Uint8Array(buffer));
  if (chunk === 0) return;
  lane.kept.set(chunk, buffer);
  lane.port.postMessage({ chunk, buffer } satisfies LaneChunk);
  native.chunkPosted(loopId);
}

function notify(): void {
  if (report[0] === 1) Atomics.notify(bell, BELL_SEQUENCE);
  const count = report[1]!;
  for (let index = 0; index < count; index += 1) {
    const lane = laneOf(report[2 + index]!);
    if (lane !== undefined) Atomics.notify(lane.control, LANE_SEQUENCE);
  }
}

function makeMemory(size: number): SharedArrayBuffer | undefined {
  try {
    return new SharedArrayBuffer(size);
  } catch {
    native.failChunk(loopId);
    return undefined;
  }
}

function makeChunk(slot: number, size: number): void {
  const buffer = makeMemory(size);
  if (buffer === undefined) return;
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
        notify();
        break;
      case LOOP_NEED_CHUNK:
        if (report[0]! >= LANE_TOKEN) makeLaneChunk(report[0]! - LANE_TOKEN, report[1]!);
        else makeChunk(report[0]!, report[1]!);
        chunks += 1;
        if (chunks % CHUNKS_PER_TURN === 0) {
          setImmediate(run);
          return;
        }
        break;
      case LOOP_STOP:
        port.close();
        for (const lane of lanes.values()) lane.port.close();
        return;
      default:
        readNotices();
        setImmediate(run);
        return;
    }
  }
}

run();
