/** Where a stage's outputs go, as a handler thread sees it: into the next stage's lanes, or out of sockets. */
import type { Handle } from '../handles.js';
import { EMIT_LEFT, native } from '../native.js';
import { attachmentOf, Socket } from '../socket.js';
import { ALL_SINKS, lastingOutput, type Output } from './outputs.js';

export interface Exit {
  /**
   * @param lasting memory that stays as it is until the output has left; frames elsewhere are copied if they have to
   *   wait. Undefined if all of them stay
   * @returns undefined if it has left, or else a promise that resolves when it has. @throws (rejects) if it cannot
   */
  send(output: Output, lasting: ArrayBufferLike | undefined): Promise<void> | undefined;
  /** There may be room where there was none. */
  wake(): void;
  flush(): void;
}

export type ExitData =
  | { readonly type: 'none' }
  /** `sinks` gets what is for one of them by name. */
  | { readonly type: 'stage'; readonly group: number; readonly sinks: SinksData }
  | { readonly type: 'sinks'; readonly sinks: SinksData };

export interface SinksData {
  readonly sockets: readonly Handle<'socket'>[];
  /** The one that gets only what is for it; -1 for none. */
  readonly apart: number;
}

/** Of a socket that is closed. */
const NO_SLOT = 0xffffffff;

export function openExit(data: ExitData, lane: number): Exit {
  if (data.type === 'stage') return new StageExit(data.group, lane, new SinksExit(data.sinks));
  if (data.type === 'sinks') return new SinksExit(data.sinks);
  return { send: () => undefined, wake() {}, flush() {} };
}

/** Where the results of an ordered stage go: native code sends them, this takes over what became of it. */
export class OrderedExit {
  private readonly group: number;
  private readonly sockets: readonly Socket[];
  private readonly slots: number[];
  private readonly apart: number;

  constructor(data: ExitData) {
    const sinks = data.type === 'none' ? { sockets: [], apart: -1 } : data.sinks;
    this.group = data.type === 'stage' ? data.group : 0;
    this.sockets = sinks.sockets.map((handle) => Socket.attach(handle));
    this.slots = this.sockets.map((socket) => attachmentOf(socket).slot);
    this.apart = sinks.apart;
  }

  /**
   * Sends what is next.
   *
   * @returns EMIT_NOTHING, EMIT_LEFT, EMIT_FULL, or a promise that resolves when it has left
   * @throws (rejects) if it cannot leave by one way at least, once it is done with by the others
   */
  emit(sequencer: number, lane: number): number | Promise<void> {
    for (const [index, socket] of this.sockets.entries()) {
      // Others may be given its slot.
      if (attachmentOf(socket).ended !== undefined) this.slots[index] = NO_SLOT;
    }
    const emitted = native.sequencerEmit(sequencer, lane, this.group, this.slots, this.apart);
    if (typeof emitted === 'number') return emitted;
    const waiting: Promise<void>[] = [];
    let failure: unknown;
    for (let index = 0; index < emitted.length; index += 2) {
      try {
        const { sender } = attachmentOf(this.sockets[emitted[index]!]!);
        const sent = sender.sent(emitted[index + 1]!);
        if (sent !== undefined) waiting.push(sent);
      } catch (error) {
        failure ??= error;
      }
    }
    if (waiting.length > 0) return all(waiting, failure);
    if (failure !== undefined) throw failure;
    return EMIT_LEFT;
  }

  flush(): void {
    for (const socket of this.sockets) attachmentOf(socket).sender.flush();
  }
}

async function all(waiting: readonly Promise<void>[], failure: unknown): Promise<void> {
  const outcomes = await Promise.allSettled(waiting);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  const reason = failure ?? failed?.reason;
  if (reason !== undefined) throw reason;
}

/** Into the lanes of the next stage. What finds no room waits here, in order, until the lane's doorbell rings. */
class StageExit implements Exit {
  private readonly waiting: { frames: Uint8Array[]; resolve: () => void }[] = [];

  constructor(
    private readonly group: number,
    private readonly lane: number,
    private readonly sinks: Exit,
  ) {}

  send(output: Output, lasting: ArrayBufferLike | undefined): Promise<void> | undefined {
    const [sink, ...sent] = output;
    if (sink !== ALL_SINKS) return this.sinks.send(output, lasting);
    if (this.waiting.length === 0 && native.laneInject(this.group, this.lane, sent)) return undefined;
    const [, ...frames] = lasting === undefined ? output : lastingOutput(output, lasting);
    return new Promise((resolve) => this.waiting.push({ frames, resolve }));
  }

  wake(): void {
    for (;;) {
      const first = this.waiting[0];
      if (first === undefined || !native.laneInject(this.group, this.lane, first.frames)) return;
      this.waiting.shift();
      first.resolve();
    }
  }

  flush(): void {
    this.sinks.flush();
  }
}

/** Through the sinks' sockets, which copy what has to wait. */
class SinksExit implements Exit {
  private readonly sockets: readonly Socket[];
  private readonly common: readonly Socket[];

  constructor(data: SinksData) {
    this.sockets = data.sockets.map((handle) => Socket.attach(handle));
    this.common = this.sockets.filter((_, index) => index !== data.apart);
  }

  send([sink, ...frames]: Output): Promise<void> | undefined {
    if (sink !== ALL_SINKS) return this.sendTo(this.sockets[sink]!, frames);
    if (this.common.length === 1) return this.sendTo(this.common[0]!, frames);
    const sent = this.common.map((socket) => this.sendTo(socket, frames));
    const waiting = sent.filter((one) => one !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => {});
  }

  private sendTo(socket: Socket, frames: Uint8Array[]): Promise<void> | undefined {
    const { sender } = attachmentOf(socket);
    return sender.trySend(frames) ? undefined : sender.send(frames);
  }

  wake(): void {}

  flush(): void {
    for (const socket of this.sockets) attachmentOf(socket).sender.flush();
  }
}
