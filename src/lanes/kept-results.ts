/** Results that the outlet keeps, to send several of them together while the thread has plenty to do. */
import type { LaneReader } from './lane-reader.js';
import type { Outlet } from './outlet.js';
import type { Work } from './work.js';

/** None is kept for longer, but for the handler that runs then, in milliseconds. */
const KEEP_MS = 4;
/** Nor are more kept than this, ... */
const MOST_KEPT = 32;
/** ... and for each of them so many messages wait to be begun: those it waits for are few among those it waited for. */
const QUEUED_FOR_KEPT = 2;

export class KeptResults {
  private works: Work[] = [];
  private since = 0;

  constructor(
    private readonly reader: LaneReader,
    private readonly outlet: Outlet,
  ) {}

  /** @returns false if the outlet does not take it */
  add(work: Work, result: unknown, now: number): boolean {
    try {
      if (this.outlet.keep?.(work, result) !== true) return false;
    } catch {
      return false; // what it met, deliver() meets again
    }
    if (this.works.push(work) === 1) this.since = now;
    return true;
  }

  /** Whether they are to leave now. */
  isDue(now: number): boolean {
    const kept = this.works.length;
    if (kept >= MOST_KEPT || now - this.since > KEEP_MS) return true;
    const wanted = kept * QUEUED_FOR_KEPT;
    return this.reader.available() <= wanted && this.reader.queued() <= wanted;
  }

  /**
   * Sends them.
   *
   * @param allLeft is told of them, if they all left; it has them for no longer than that
   * @param delivered is told of each otherwise, with what is left to wait for
   */
  send(
    allLeft: (works: readonly Work[]) => void,
    delivered: (work: Work, outcome: Promise<void> | undefined) => void,
  ): void {
    const { works } = this;
    if (works.length === 0) return;
    const outcomes = this.outlet.sendKept!();
    if (outcomes === undefined) {
      allLeft(works);
      works.length = 0;
      return;
    }
    this.works = [];
    for (const work of works) delivered(work, outcomes.get(work));
  }
}
