/** What is known of a handler thread's work, over all threads that had its place. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { LANE_DROPPED, LANE_FAILED, LANE_SENT, LANE_TIMED_OUT } from '../layout.js';
import type { HostedLane } from './lane.js';

/** Percentiles of a time, in microseconds. */
export interface Percentiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One handler thread. */
export interface LaneStats {
  /** Its number, from 0. */
  readonly thread: number;
  /**
   * `'starting'` until its module is loaded; `'circuit-open'` while it is not replaced because it died too often;
   * `'ended'` once the server or the stage is closed.
   */
  readonly state: 'running' | 'starting' | 'circuit-open' | 'ended';
  /** Messages in its lane that are not begun. */
  readonly queued: number;
  /** Messages that are begun and not done with. */
  readonly inProgress: number;
  /** Messages done with, well or not. */
  readonly handled: number;
  /** Messages whose handler threw, rejected or took too long. */
  readonly failed: number;
  /** Of these, those that took too long. */
  readonly timedOut: number;
  /** Messages sent: replies, results. */
  readonly sent: number;
  /** Results that could not be sent, because the peer was gone or did not read. */
  readonly dropped: number;
  /** Threads that died. */
  readonly deaths: number;
  /** Messages tried again because their thread died. */
  readonly retried: number;
  /** Messages not tried again whose thread died. */
  readonly lost: number;
  /** From receipt until it was done with. */
  readonly latency: Percentiles;
  /** In the handler. Of handlers that give promises: until these settle. */
  readonly service: Percentiles;
}

export class LaneCounts {
  readonly latency: RecordableHistogram = createHistogram();
  readonly service: RecordableHistogram = createHistogram();
  deaths = 0;
  retried = 0;
  lost = 0;
  timedOut = 0;
  handled = 0;
  /** In its lanes that are gone, and what others sent in its place. */
  sent = 0;
  dropped = 0;
  private failed = 0;

  /** The lane ends: what it counted is kept. */
  end(lane: HostedLane): void {
    const { control } = lane;
    this.handled += lane.settled >>> 0;
    this.failed += Atomics.load(control, LANE_FAILED);
    this.timedOut += Atomics.load(control, LANE_TIMED_OUT);
    this.sent += Atomics.load(control, LANE_SENT) >>> 0;
    this.dropped += Atomics.load(control, LANE_DROPPED);
  }

  /** @param open whether its circuit is. @param ended whether there will be no thread any more */
  stats(thread: number, lane: HostedLane | undefined, open: boolean, ended: boolean): LaneStats {
    const running = lane?.ready === true ? 'running' : 'starting';
    const word = (index: number): number =>
      lane === undefined ? 0 : Atomics.load(lane.control, index) >>> 0;
    return {
      thread,
      state: ended ? 'ended' : open ? 'circuit-open' : running,
      queued: lane?.queued ?? 0,
      inProgress: lane?.inProgress ?? 0,
      handled: this.handled + (lane === undefined ? 0 : lane.settled >>> 0),
      failed: this.failed + word(LANE_FAILED),
      timedOut: this.timedOut + word(LANE_TIMED_OUT),
      sent: this.sent + word(LANE_SENT),
      dropped: this.dropped + word(LANE_DROPPED),
      deaths: this.deaths,
      retried: this.retried,
      lost: this.lost,
      latency: percentiles(this.latency),
      service: percentiles(this.service),
    };
  }
}

function percentiles(histogram: RecordableHistogram): Percentiles {
  const { count } = histogram;
  if (count === 0) return { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
  const at = (percent: number): number => histogram.percentile(percent);
  return {
    count,
    mean: histogram.mean,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.max,
  };
}
