/**
 * The addon's typed face. It checks nothing beyond what would corrupt memory: callers pass good arguments.
 *
 * A slot is this thread's index of a context, socket, poller, proxy or loop. Unless told otherwise a function returns 0
 * or an errno value.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { setErrnoTexts } from './errors.js';
import { PACKAGE_ROOT } from './package-root.js';

export interface Native {
  version(): string;
  has(capability: string): boolean;
  errorText(errno: number): string;
  processNonce(): string;
  /** Has this thread scheduled as SCHED_BATCH, on Linux. @returns 0 or errno */
  gatherThread(): number;
  /** @returns public and secret key in Z85, or errno */
  curveKeyPair(): [string, string] | number;
  /** @returns the public key in Z85, or errno */
  curvePublicKey(secretKey: string): string | number;
  /**
   * Messages of connections that are made from now on have this property, if their connection does.
   *
   * @returns false if there is no room for another name
   */
  addPropertyName(name: string): boolean;
  layout(): Record<string, number>;
  interruptAll(): void;
  /** Closes every context of the process and waits. @returns whether nothing unsent is left behind */
  flushAtExit(graceMs: number): boolean;

  /** @returns slot or -errno */
  contextCreate(): number;
  /** @returns slot or -errno */
  contextDefault(): number;
  contextId(context: number): number;
  /** @returns slot or -errno */
  contextAttach(id: number): number;
  contextSet(context: number, option: number, value: number): number;
  /** @returns the value, or undefined with the errno in `error[0]` */
  contextGet(context: number, option: number, error: number[]): number | undefined;
  contextClosed(context: number): boolean;
  contextShutdown(context: number): void;
  /** Calls `done` when libzmq has terminated. @returns when that was, in milliseconds of a clock of its own */
  contextClose(context: number, lingerCapMs: number, done: () => void): number;
  /**
   * Whether messages were unsent at the time `asked`, if what is unsent is dropped at the time `granted`.
   *
   * @returns an UNSENT code
   */
  contextUnsent(context: number, asked: number, granted: number): number;
  /** Frees the slot; after `done`. */
  contextRelease(context: number): void;

  /** @returns process-wide id or -errno */
  socketOpen(context: number, type: number, slot: number, control: Int32Array): number;
  /** @returns process-wide id or -errno */
  socketAttach(id: number, unused: number, slot: number, control: Int32Array): number;
  /** @returns libzmq's type number of the socket with that id, or -errno */
  socketType(id: number): number;
  socketBind(slot: number, endpoint: string): number;
  socketConnect(slot: number, endpoint: string, routingId?: Uint8Array): number;
  socketUnbind(slot: number, endpoint: string): number;
  socketDisconnect(slot: number, endpoint: string): number;
  socketSetOption(slot: number, option: number, value: Uint8Array | null): number;
  /** @returns the bytes or -errno */
  socketGetOption(slot: number, option: number, room: number): Uint8Array | number;
  /** @param linger milliseconds, or -2 for the option's value. @returns false if it was closed */
  socketClose(slot: number, linger: number): boolean;
  /** Has the PAIR socket in the slot `reader` receive monitor events. */
  socketMonitor(slot: number, reader: number, endpoint: string, events: number): number;
  /** @returns a STATE */
  socketState(slot: number): number;
  /** Whether libzmq has ever taken a message of it. */
  socketHasSent(slot: number): boolean;
  socketShared(slot: number): void;
  socketRelease(slot: number): void;
  /** @returns ZMQ_EVENTS or -errno */
  socketEvents(slot: number): number;

  stage(payload: Uint8Array, lengths: Uint32Array): void;
  /** @param load bytes on the stage * 4 + flags. @returns a SEND code, a token or -errno */
  sendOne(slot: number, load: number): number;
  /** @param load frames on the stage * 4 + flags */
  sendStaged(slot: number, load: number): number;
  /** Joins or leaves a group. @returns 0 or errno */
  socketGroup(slot: number, group: string, leave: boolean): number;
  /** @returns the peer's routing id, or -errno */
  socketConnectPeer(slot: number, endpoint: string): number;
  /** @param routingId 0 for none @param group empty for none @returns a SEND code, a token or -errno */
  sendTagged(slot: number, bytes: Uint8Array, routingId: number, group: string, mayPark: boolean): number;
  /** @param load frames * 4 + flags */
  sendCopied(slot: number, parts: Uint8Array[], load: number): number;
  /** Some of the parts are pinned: they are sent without a copy where that can be. */
  sendParts(slot: number, parts: Uint8Array[], pins: number[], flags: number): number;
  /** Sends what is parked, or has the event loop call once there is room. @returns a PARKED code or -errno */
  sendOrWatch(slot: number): number;
  /** Has an I/O worker send what is parked, now and from now on. */
  sendBy(slot: number, loop: number): void;
  /** @returns 1 while it waits, else 0 or -errno */
  waitSent(slot: number, token: number, ms: number): number;
  cancelSend(slot: number, token: number): boolean;
  /** @returns token, errno, token, errno, ... */
  takeCompletions(slot: number): number[];
  settle(slot: number): void;
  freedPins(): number[];
  wishFreed(loop: number): void;

  /** `result` gets: messages published, errno, bytes needed. @returns a PUMP code */
  pump(slot: number, most: number, result: Uint32Array): number;
  /**
   * As `pump`, and when nothing is there this thread's event loop watches the socket and calls its slot.
   *
   * @param waits 1 if a receive waits already: then a socket that must send first is no error
   * @returns PUMP_ELSEWHERE if an I/O worker receives, or has to
   */
  pumpOrWatch(slot: number, most: number, waits: number, result: Uint32Array): number;
  waitReceive(slot: number, most: number, ms: number, result: Uint32Array): number;
  addChunk(slot: number, bytes: Uint8Array): number;
  /** @returns whether the chunk is this socket's, and not one's that had the slot before */
  adoptChunk(slot: number, id: number, bytes: Uint8Array): boolean;
  recycle(slot: number, id: number): boolean;
  metadata(chunk: number, offset: number, name: string): string | undefined;
  setActive(slot: number, active: boolean, loop: number): void;
  /** The loop serves the socket, receiving or not. */
  /** The loop receives once this thread has not looked for a while. */
  standBy(slot: number, loop: number): void;
  kick(slot: number): void;
  ensureWatched(slot: number): void;
  setLimits(slot: number, bytes: number, messages: number): void;
  /** @returns the chunk's id, or 0 if nobody wants it any more */
  giveChunk(loopId: number, bytes: Uint8Array): number;
  chunkPosted(loopId: number): void;
  failChunk(loopId: number): void;

  /**
   * From now on sockets can be watched by this thread's event loop, which calls `call` with the slot of one that has
   * something to do. It counts in `turns` what its long turns took.
   *
   * @returns false where that is not to be had
   */
  eventLoopOpen(call: (slot: number) => void, turns: Uint32Array): boolean;
  /** Whether the event loop stays although nothing of it waits. */
  eventLoopKeep(keep: boolean): void;

  bellCreate(words: Int32Array): void;
  bellDrain(tokens: Uint32Array): number;
  /** @returns the loop's process-wide id or -errno */
  loopCreate(loop: number): number;
  /** Runs until there is something for JavaScript to do. @returns a LOOP code */
  loopRun(loopId: number, report: Uint32Array): number;
  loopStop(loop: number): void;

  /** @returns the group's process-wide id */
  groupCreate(
    loop: number,
    lanes: number,
    mostInFlight: number,
    mostBytes: number,
    policy: number,
    bodyAt: number,
    keyFrame: number,
    keyStart: number,
    keyEnd: number,
  ): number;
  groupAddSource(group: number, slot: number): void;
  /** Receives nothing any more. */
  groupPause(group: number): void;
  /** @returns how many messages were received and are in no lane */
  groupPending(group: number): number;
  groupTakePending(group: number): LaneMessage[];
  /** @returns messages that no lane takes, of whose frames only the envelope is left, if that is small */
  groupTakeRefused(group: number): RefusedMessage[];
  /** Nothing of the group touches memory of its lanes any more. */
  groupClose(group: number): void;
  /** @returns the lane's process-wide id */
  laneCreate(group: number, index: number, control: Int32Array, most: number, mostBytes: number): number;
  /**
   * What the dead thread of the lane had not begun goes to others, and what may be tried again.
   *
   * @returns what it had begun
   */
  laneRescue(lane: number, retries: number): (LaneMessage & { delivering: boolean })[];
  laneRelease(lane: number): void;
  /** @returns false if there is no such lane any more */
  laneAttach(lane: number): boolean;
  laneOpen(lane: number): void;
  /** Whether no thread will touch the lane any more. */
  laneGone(lane: number): boolean;
  laneLeave(lane: number): void;
  laneKick(lane: number): void;
  /** The replies that the thread keeps go through that socket. */
  laneReplyThrough(lane: number, slot: number): void;
  /** Sends them. @returns how many did not leave; what became of each stands with it */
  laneSendReplies(lane: number): number;
  /** A loop looks after them from now on. */
  laneKeepReplies(lane: number): void;
  laneAdopt(lane: number, chunk: number, bytes: Uint8Array): boolean;
  laneRecycle(lane: number, chunk: number, reusable: boolean): boolean;
  /** @returns false if there is no room; the lane is woken when there is */
  laneInject(group: number, lane: number, parts: Uint8Array[]): boolean;
  /** @returns chunks that need not be kept for a rescue any more */
  laneDropped(lane: number): number[];

  /** Puts outputs into the order of tickets; an emitter is a lane's id. @returns its process-wide id */
  sequencerCreate(): number;
  sequencerRelease(sequencer: number): void;
  /**
   * One output more, of a ticket that is not complete.
   *
   * @param output the sink's index, then its frames. @returns whether the caller emits from now on
   */
  sequencerAppend(
    sequencer: number,
    ticket: number,
    emitter: number,
    output: readonly [number, ...Uint8Array[]],
  ): boolean;
  /** The ticket's last outputs, it is complete. @returns whether the caller emits from now on */
  sequencerPut(
    sequencer: number,
    ticket: number,
    emitter: number,
    outputs: (readonly [number, ...Uint8Array[]])[],
  ): boolean;
  /** Nothing will come of the ticket, or nothing more. */
  sequencerSkip(sequencer: number, ticket: number): void;
  /** @returns whether the ticket is complete */
  sequencerHas(sequencer: number, ticket: number): boolean;
  /** @returns whether the caller emits from now on */
  sequencerTake(sequencer: number, emitter: number): boolean;
  /** @returns the next output, or undefined if there is none, and then the caller does not emit any more */
  sequencerFront(sequencer: number, emitter: number): [number, ...Buffer[]] | undefined;
  /**
   * Sends the next output: into the lanes of the next stage, or through sockets by their slots. It is past once it is
   * accepted, whoever completes the send, and whether or not this thread still lives.
   *
   * @param group of the next stage, 0 if there is none
   * @param apart the sink that gets only what is for it, -1 for none
   * @returns EMIT_NOTHING, EMIT_LEFT, EMIT_FULL, or for each sink that it goes to its index and what the send returned
   */
  sequencerEmit(
    sequencer: number,
    emitter: number,
    group: number,
    slots: readonly number[],
    apart: number,
  ): number | number[];
  /** The front will not leave, or not by all ways. @returns the first ticket that is not done with */
  sequencerConfirm(sequencer: number, emitter: number): number;
  sequencerGone(sequencer: number, emitter: number): void;
  sequencerNext(sequencer: number): number;
  /** @returns how many of the ticket's outputs have not left */
  sequencerUnsent(sequencer: number, ticket: number): number;
  /** @returns how many tickets are complete and not done with */
  sequencerWaiting(sequencer: number): number;

  /** @returns the poller's process-wide id */
  pollerCreate(slot: number, items: number[]): number;
  pollerArm(slot: number, loop: number): void;
  /** @returns 0: look, 1: time is over, 2: closed, or -errno */
  pollerWait(slot: number, ms: number): number;
  pollerClosed(slot: number): boolean;
  pollerClose(id: number): boolean;
  pollerRelease(slot: number): void;

  /**
   * @param ways 1: frontend to backend, 2: back
   * @returns slot, or [errno, 0: frontend, 1: backend, 2: capture], or -errno
   */
  proxyOpen(frontend: number, backend: number, capture: number, ways: number): number | [number, number];
  /** First moves messages that were received before. Calls `done` when the thread has let go of the sockets. */
  proxyStart(proxy: number, front: Uint8Array[][], back: Uint8Array[][], done: () => void): number;
  /** Returns when nothing moves any more. */
  proxyPause(proxy: number): void;
  proxyResume(proxy: number): void;
  proxyStop(proxy: number): void;
  proxyKeep(proxy: number, keep: boolean): void;
  /** @returns of either side messages and bytes in, and out, and undeliverable messages; what was captured */
  proxyStatistics(proxy: number): number[];
  /** @returns errno or 0, and where, as proxyOpen; after `done` */
  proxyEnd(proxy: number): [number, number];
  proxyRelease(proxy: number): void;
}

/** A message as it lay in a lane. */
export interface LaneMessage {
  readonly ticket: number;
  readonly source: number;
  readonly attempts: number;
  /** The index of the first frame that is not envelope. */
  readonly body: number;
  readonly frames: Buffer[];
}

/** What `contextUnsent` returns: they were dropped; ... */
export const UNSENT_DROPPED = 1;
/** ... libzmq is not done, and there may be some. */
export const UNSENT_WAITING = 2;

/** A message that no lane takes. */
export interface RefusedMessage extends LaneMessage {
  readonly errno: number;
  /** How large a chunk it would take. */
  readonly bytes: number;
}

/** What `sequencerEmit` returns: there is nothing, and the caller does not emit any more; ... */
export const EMIT_NOTHING = 0;
/** ... one left; ... */
export const EMIT_LEFT = 1;
/** ... the next stage has no room, and rings the emitter's lane when it has. */
export const EMIT_FULL = 2;

/** Options of the send functions, as flags. */
export const FLAG_MORE = 1;
export const FLAG_MAY_PARK = 2;

function load(): Native {
  const require = createRequire(`${PACKAGE_ROOT}/package.json`); // an application's bundle may not have what this has
  const chosen = process.env.ZEROMQ_THREADS_ADDON;
  if (chosen !== undefined && chosen !== '') return require(resolve(chosen)) as Native;
  const find = require('node-gyp-build') as (directory: string) => Native;
  return find(PACKAGE_ROOT);
}

export const native: Native = load();

setErrnoTexts((errno) => native.errorText(errno));
