/** One lane as its host sees it: its memory, its place in the pool, and what its words say. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import {
  CTL_CONSUMED_MESSAGES,
  CTL_PUBLISHED_MESSAGES,
  LANE_ORDER,
  LANE_REPORTS,
  LANE_SEQUENCE,
  LANE_SLOTS,
  LANE_TAKEN,
  SLOT_BEGUN_AT,
  SLOT_STATE,
  SLOT_STATE_RUNNING,
  SLOT_STATE_STREAMING,
  SLOT_WORDS,
} from '../layout.js';
import { native } from '../native.js';
import type { LaneIo } from './lane-io.js';
import type { HostMessage, Report } from './outlet.js';

export class HostedLane {
  readonly id: number;
  readonly control: Int32Array;
  /** Of this lane's thread, once it said so. */
  threadId: number | undefined;
  /** Whether the thread takes messages. */
  ready = false;
  /** Why the host ended the thread, where it did. */
  endedFor: Error | undefined;
  /** The last messages that the thread asked something for, the latest last: those not settled are among them. */
  private asked: number[] = [];
  private readonly reports: MessagePort;
  private readonly onReport: (report: Report) => void;

  /** The ends of channels that go to the thread. */
  readonly ports: { readonly chunks: MessagePort; readonly reports: MessagePort };

  constructor(
    group: number,
    readonly index: number,
    private readonly most: number,
    mostBytes: number,
    private readonly io: LaneIo,
    onReport: (report: Report) => void,
  ) {
    this.control = new Int32Array(new SharedArrayBuffer((LANE_SLOTS + most * SLOT_WORDS) * 4));
    this.id = native.laneCreate(group, index, this.control, most, mostBytes);
    const chunks = new MessageChannel();
    const reports = new MessageChannel();
    this.reports = reports.port1;
    this.onReport = onReport;
    this.ports = { chunks: chunks.port2, reports: reports.port2 };
    this.reports.on('message', this.read);
    this.reports.unref();
    io.post({ lane: this.id, open: { control: this.control, port: chunks.port1 } }, [chunks.port1]);
  }

  private readonly read = (report: Report): void => {
    Atomics.add(this.control, LANE_REPORTS, 1);
    this.onReport(report);
  };

  /** What the thread asked for is done. */
  answer(ask: number, ticket: number): void {
    // Answers are heard in this order, and no more than `most` messages are in flight.
    if (this.asked.length >= 2 * this.most) this.asked = this.asked.slice(-this.most);
    this.asked.push(ticket);
    this.reports.postMessage({ answered: ask } satisfies HostMessage);
  }

  /** The messages whose failure was dealt with here, whether or not the thread lived to hear of it. */
  get answered(): ReadonlySet<number> {
    return new Set(this.asked);
  }

  /** Reads what the thread reported and no event came for yet. */
  readReports(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.reports);
      if (received === undefined) return;
      this.read(received.message as Report);
    }
  }

  /** Tells the thread what to do. */
  order(order: number): void {
    Atomics.store(this.control, LANE_ORDER, order);
    this.ring();
  }

  /** Has the thread look at its orders, and its outlet whether there is something to do. */
  ring(): void {
    Atomics.add(this.control, LANE_SEQUENCE, 1); // pairs with the value that the thread waits on
    Atomics.notify(this.control, LANE_SEQUENCE);
  }

  /** Whether no JavaScript of its thread runs any more. */
  get gone(): boolean {
    return native.laneGone(this.id);
  }

  /** Messages that are here and not begun. */
  get queued(): number {
    return (Atomics.load(this.control, CTL_PUBLISHED_MESSAGES) - Atomics.load(this.control, LANE_TAKEN)) | 0;
  }

  /** Messages that were begun and are not settled. */
  get inProgress(): number {
    return Math.max(0, (Atomics.load(this.control, LANE_TAKEN) - this.settled) | 0);
  }

  get settled(): number {
    return Atomics.load(this.control, CTL_CONSUMED_MESSAGES);
  }

  /** Whether some message was begun before that moment and its handler still runs. @param time steady milliseconds */
  runsSinceBefore(time: number): boolean {
    const { control } = this;
    for (let slot = LANE_SLOTS; slot < control.length; slot += SLOT_WORDS) {
      const state = Atomics.load(control, slot + SLOT_STATE);
      if (state !== SLOT_STATE_RUNNING && state !== SLOT_STATE_STREAMING) continue;
      // Both wrap.
      if ((((time | 0) - control[slot + SLOT_BEGUN_AT]!) | 0) > 0) return true;
    }
    return false;
  }

  /** Nobody uses it any more. */
  release(): void {
    this.readReports();
    this.reports.close();
    this.io.post({ lane: this.id });
    native.laneRelease(this.id);
  }
}
