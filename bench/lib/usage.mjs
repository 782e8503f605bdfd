/** What a loop used: CPU of the whole process, and with `--gc 1` what V8's garbage collector did in this thread. */
import { GCProfiler } from 'node:v8';

/** Starts to count; the function returned says what was used since. */
export function startUsage({ gc }) {
  const before = process.cpuUsage();
  const profiler = gc ? new GCProfiler() : undefined;
  const heapBefore = process.memoryUsage().heapUsed;
  profiler?.start();
  return () => {
    const { user, system } = process.cpuUsage(before);
    const used = { cpuSeconds: (user + system) / 1e6 };
    if (profiler) Object.assign(used, garbage(profiler.stop(), heapBefore, process.memoryUsage().heapUsed));
    return used;
  };
}

/** Allocated: what the heap grew by before every collection, and after the last. */
export function garbage({ statistics }, heapBefore, heapAfter) {
  let allocated = 0;
  let microseconds = 0;
  let last = heapBefore;
  for (const { cost, beforeGC, afterGC } of statistics) {
    allocated += Math.max(0, beforeGC.heapStatistics.usedHeapSize - last);
    last = afterGC.heapStatistics.usedHeapSize;
    microseconds += cost;
  }
  allocated += Math.max(0, heapAfter - last);
  return { heapBytes: allocated, gcSeconds: microseconds / 1e6, collections: statistics.length };
}
