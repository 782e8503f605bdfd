/**
 * A handler thread: Piscina's task, which ends when the host says so. It loads the handler's module and the outlet,
 * and lets a consumer work.
 */
import type { RecordableHistogram } from 'node:perf_hooks';
import { threadId } from 'node:worker_threads';
import { HandlerError, zmqError } from '../src/errors.js';
import { type ContextOfThread, makeLogger } from '../src/lanes/handler-context.js';
import { loadHandler } from '../src/lanes/handler-module.js';
import { LaneConsumer, reported as reportedWork } from '../src/lanes/lane-consumer.js';
import { LaneReader } from '../src/lanes/lane-reader.js';
import type { HostMessage, MakeOutlet, OutletThread, Report, ThreadTask } from '../src/lanes/outlet.js';
import { asError, toWire } from '../src/lanes/wire-error.js';
import { LANE_REPORTS } from '../src/layout.js';
import { native } from '../src/native.js';

/** Reports that the host has not read yet may be this many; more are not made. */
const MOST_REPORTS = 1024;

export default async function work(task: ThreadTask): Promise<void> {
  const { lane } = task;
  if (!native.laneAttach(lane)) {
    // Its host is closing; or else it is not here to be found.
    throw new HandlerError('The thread does not see its lane: did it load another copy of the addon?');
  }
  try {
    await serveLane(task);
  } catch (thrown) {
    throw asError(thrown); // Piscina takes a task that throws null for one that is done
  } finally {
    native.laneLeave(lane);
  }
}

/** The system schedules this thread as SCHED_BATCH. */
function gather(): void {
  const errno = native.gatherThread();
  if (errno !== 0) throw zmqError(errno, 'Cannot have a handler thread scheduled as SCHED_BATCH');
}

async function serveLane(task: ThreadTask): Promise<void> {
  const { control, reports, index, lane } = task;
  if (task.batch) gather();
  let reported = 0;
  const report = (what: Report): void => {
    if (((reported - Atomics.load(control, LANE_REPORTS)) | 0) >= MOST_REPORTS) return;
    reported = (reported + 1) | 0;
    reports.postMessage(what);
  };
  report({ type: 'hello', threadId });
  const context: ContextOfThread = {
    thread: index,
    logger: makeLogger((level, args) => report({ type: 'log', level, args })),
    aborted: undefined,
  };
  const { handler, hooks } = await loadHandler(task.handler);
  const { default: makeOutlet } = (await import(task.outlet.module)) as { default: MakeOutlet };
  const asked = new Map<number, () => void>();
  let asks = 0;
  const ask: OutletThread['ask'] = (failed, error) => {
    const id = asks++;
    if (asked.size === 0) reports.on('message', hear);
    // Not among the reports that may be left out: the message stays in flight for it, and these are limited.
    reported = (reported + 1) | 0;
    reports.postMessage({
      type: 'ask',
      id,
      error: toWire(error),
      message: reportedWork(failed),
    } satisfies Report);
    return new Promise<void>((resolve) => asked.set(id, resolve));
  };
  const hear = ({ answered }: HostMessage): void => {
    asked.get(answered)?.();
    asked.delete(answered);
    if (asked.size === 0) reports.off('message', hear);
  };
  const outlet = await makeOutlet(task.outlet.data, { index, lane, control, hooks, report, ask });
  const life = { thread: index, logger: context.logger };
  await hooks.setup?.(life);
  const reader = new LaneReader(lane, control, task.chunks);
  const consumer = new LaneConsumer({
    lane,
    control,
    reader,
    handler,
    outlet,
    context,
    concurrency: task.concurrency,
    timeout: task.timeout,
    latency: task.latency as RecordableHistogram,
    service: task.service as RecordableHistogram,
    report,
  });
  native.laneOpen(lane);
  report({ type: 'ready' });
  await consumer.run();
  await outlet.close?.();
  await hooks.teardown?.(life);
}
