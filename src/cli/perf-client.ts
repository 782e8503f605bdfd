/** The process of `perf` that measures: with its own clock, what it received itself. */
import { randomUUID } from 'node:crypto';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Message, Socket } from '../index.js';
import { CommandError } from './outcome.js';
import { type Control, controlMessage, controlOf } from './perf-protocol.js';
import type { Session } from './session.js';

/** How long a peer may take to answer at all, in milliseconds. */
const ANSWER_TIMEOUT = 10_000;
const INTERVAL = 1000;
const NANOSECONDS = 1e6;

export interface ThroughputRow {
  readonly seconds: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface LatencyRow {
  readonly seconds: number;
  readonly roundTrips: number;
  /** Of the round trips of this row, in microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Finds the peer. What an earlier client left unread is dropped. @returns its libzmq's version */
export async function greet(session: Session, socket: Socket): Promise<string> {
  const { version } = await session.load();
  const nonce = randomUUID();
  await socket.send(controlMessage({ kind: 'hello', nonce, version }));
  const until = performance.now() + ANSWER_TIMEOUT;
  for (;;) {
    const frames = await answer(session, socket, until - performance.now());
    const control = controlOf(frames);
    if (control?.kind === 'ready' && control.nonce === nonce) return control.version;
  }
}

/** Has the peer send for so long. @param row gets what came in each second */
export async function measureThroughput(
  session: Session,
  socket: Socket,
  { size, seconds }: { size: number; seconds: number },
  row: (row: ThroughputRow) => Promise<void>,
): Promise<ThroughputRow> {
  await socket.send(controlMessage({ kind: 'send', size, seconds }));
  const watch = new Watch(session, socket, (seconds + ANSWER_TIMEOUT / 1000) * 1000);
  let [messages, bytes, begun] = [0, 0, 0];
  let [shownMessages, shownBytes, shownAt] = [0, 0, 0];
  let end: Control | undefined;
  try {
    for await (const batch of socket.batches()) {
      const now = performance.now();
      // The clock starts with the first delivery, which does not count.
      const starts = begun === 0;
      if (starts) [begun, shownAt] = [now, now];
      const { length } = batch;
      if (length > 1 && batch.more(length - 2)) end = controlOf([batch.at(length - 2), batch.at(length - 1)]);
      const last = end === undefined ? 0 : 1;
      watch.received += batch.messages - last;
      if (!starts) {
        messages += batch.messages - last;
        bytes +=
          end === undefined ? batch.bytes : batch.bytes - batch.size(length - 2) - batch.size(length - 1);
      }
      if (end !== undefined) break;
      if (now - shownAt < INTERVAL) continue;
      await row({
        seconds: (now - shownAt) / 1000,
        messages: messages - shownMessages,
        bytes: bytes - shownBytes,
      });
      [shownMessages, shownBytes, shownAt] = [messages, bytes, now];
    }
  } finally {
    watch.stop();
  }
  watch.check();
  const elapsed = (performance.now() - begun) / 1000;
  if (end?.kind !== 'sent' || end.count !== watch.received) {
    throw new CommandError(
      `${watch.received} messages came of ${end?.kind === 'sent' ? end.count : 'how many?'}`,
    );
  }
  if (bytes !== messages * size)
    throw new CommandError(`${bytes} bytes came in ${messages} messages of ${size}`);
  return { seconds: elapsed, messages, bytes };
}

/** Sends and awaits what comes back, for so long, with so many messages under way. */
export async function measureLatency(
  session: Session,
  socket: Socket,
  { size, seconds, inFlight }: { size: number; seconds: number; inFlight: number },
  row: (row: LatencyRow) => Promise<void>,
): Promise<LatencyRow> {
  const payload = Buffer.alloc(size, 0x2a);
  const [all, recent] = [createHistogram(), createHistogram()];
  const begun = performance.now();
  const until = begun + seconds * 1000;
  const sentAt: number[] = [];
  let shownAt = begun;
  const ask = async (): Promise<void> => {
    sentAt.push(performance.now());
    await socket.send(payload);
  };
  for (let n = 0; n < inFlight; n += 1) await ask();
  while (sentAt.length > 0) {
    const frames = socket.tryRecvMultipart() ?? (await answer(session, socket, ANSWER_TIMEOUT));
    const now = performance.now();
    if (frames.length !== 1 || frames[0]!.length !== size) throw new CommandError('something else came back');
    const trip = Math.max(1, Math.round((now - sentAt.shift()!) * NANOSECONDS));
    all.record(trip);
    recent.record(trip);
    if (session.interrupted) throw session.signal.reason;
    if (now < until) await ask();
    if (now - shownAt < INTERVAL) continue;
    await row(latencyRow(recent, now - shownAt));
    recent.reset();
    shownAt = now;
  }
  return latencyRow(all, performance.now() - begun);
}

function latencyRow(trips: RecordableHistogram, elapsed: number): LatencyRow {
  const microseconds = (nanoseconds: number): number => nanoseconds / 1000;
  return {
    seconds: elapsed / 1000,
    roundTrips: trips.count,
    p50: microseconds(trips.percentile(50)),
    p99: microseconds(trips.percentile(99)),
    max: microseconds(trips.max),
  };
}

async function answer(session: Session, socket: Socket, timeout: number): Promise<Message[]> {
  try {
    return await socket.receive({ timeout: Math.max(0, timeout), signal: session.signal });
  } catch (error) {
    if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    throw new CommandError(`the other process has not answered within ${ANSWER_TIMEOUT / 1000} seconds`);
  }
}

/** Closes a socket whose loop is to end: interrupted, or nothing comes any more. */
class Watch {
  received = 0;
  #late = false;
  readonly #timer: NodeJS.Timeout;
  readonly #close: () => void;

  constructor(
    private readonly session: Session,
    socket: Socket,
    timeout: number,
  ) {
    this.#close = () => socket.close({ linger: 0 });
    this.#timer = setTimeout(() => {
      this.#late = true;
      this.#close();
    }, timeout);
    session.signal.addEventListener('abort', this.#close);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.session.signal.removeEventListener('abort', this.#close);
  }

  /** @throws if it closed the socket */
  check(): void {
    if (this.session.interrupted) throw this.session.signal.reason;
    if (this.#late) throw new CommandError(`the other process went silent after ${this.received} messages`);
  }
}
