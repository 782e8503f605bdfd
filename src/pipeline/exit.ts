/** Where a stage's outputs go, as a handler thread sees it: into the next stage's lanes, or out of sockets. */
import type { Handle } from '../handles.js';
import { native } from '../native.js';
import { attachmentOf, Socket } from '../socket.js';
import { ALL_SINKS, type Output } from './outputs.js';

export interface Exit {
  /** @returns undefined if it has left, or else a promise that resolves when it has. @throws (rejects) if it cannot */
  send(output: Output): Promise<void> | undefined;
  /** There may be room where there was none. */
  wake(): void;
  flush(): void;
}

export type ExitData =
  | { readonly type: 'none' }
  | { readonly type: 'stage'; readonly group: number }
  | { readonly type: 'sockets'; readonly sockets: readonly Handle<'socket'>[] };

export function openExit(data: ExitData, lane: number): Exit {
  if (data.type === 'stage') return new StageExit(data.group, lane);
  if (data.type === 'sockets') return new SocketsExit(data.sockets);
  return { send: () => undefined, wake() {}, flush() {} };
}

/** Into the lanes of the next stage. What finds no room waits here, in order, until the lane's doorbell rings. */
class StageExit implements Exit {
  private readonly waiting: { frames: Uint8Array[]; resolve: () => void }[] = [];

  constructor(
    private readonly group: number,
    private readonly lane: number,
  ) {}

  send([, ...frames]: Output): Promise<void> | undefined {
    if (this.waiting.length === 0 && native.laneInject(this.group, this.lane, frames)) return undefined;
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

  flush(): void {}
}

/** Through the sinks' sockets. */
class SocketsExit implements Exit {
  private readonly sockets: readonly Socket[];

  constructor(handles: readonly Handle<'socket'>[]) {
    this.sockets = handles.map((handle) => Socket.attach(handle));
  }

  send([sink, ...frames]: Output): Promise<void> | undefined {
    if (sink !== ALL_SINKS) return this.sendTo(this.sockets[sink]!, frames);
    if (this.sockets.length === 1) return this.sendTo(this.sockets[0]!, frames);
    const sent = this.sockets.map((socket) => this.sendTo(socket, frames));
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
