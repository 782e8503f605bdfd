/**
 * Round trips as a distribution. Every driver, in whatever language, writes its trips to a file as they were; they are
 * put into one histogram here, so that all percentiles are made by the same code. The histogram is the HDR histogram
 * that Node.js carries (createHistogram of node:perf_hooks), which needs no package and records in C: its figures are
 * exact to three digits, the largest included.
 *
 * That histogram cannot make up for coordinated omission afterwards, and need not: at fixed rates the clients count
 * each trip from when its request was due (../c/echo_rate.c).
 */
import { readFileSync } from 'node:fs';
import { createHistogram } from 'node:perf_hooks';

/** `[key, percentile]`, as the results call them. */
export const PERCENTILES = [
  ['p50', 50],
  ['p90', 90],
  ['p99', 99],
  ['p999', 99.9],
];

/** Metrics of a case that measures round trips: the percentiles in microseconds, and the largest. */
export const LATENCY_METRICS = [
  ...PERCENTILES.map(([key, percentile]) => ({ key, label: `p${percentile} µs`, better: 'lower' })),
  { key: 'max', label: 'max µs', better: 'lower' },
];

/** The figures of those metrics, of a process that has them. */
export function latencyFigures(result) {
  return Object.fromEntries(LATENCY_METRICS.map(({ key }) => [key, result[key]]));
}

/** @param trips seconds each, in any order; returns microseconds: `{ p50, p90, p99, p999, max }` */
export function distributionOf(trips) {
  if (trips.length === 0) throw new Error('expected round trips, got none');
  const histogram = createHistogram();
  for (const seconds of trips) {
    if (!(seconds >= 0)) throw new Error(`expected a round trip of 0 s or more, got ${seconds}`);
    histogram.record(Math.max(1, Math.round(seconds * 1e9)));
  }
  const at = (percentile) => histogram.percentile(percentile) / 1000;
  return {
    ...Object.fromEntries(PERCENTILES.map(([key, percentile]) => [key, at(percentile)])),
    max: histogram.max / 1000,
  };
}

/** The distribution of a file of `count` trips: 64-bit floating point numbers in the machine's byte order. */
export function readTrips(file, count) {
  const bytes = readFileSync(file);
  if (bytes.length !== count * Float64Array.BYTES_PER_ELEMENT) {
    throw new Error(`expected ${count} round trips, got ${bytes.length} bytes`);
  }
  return distributionOf(new Float64Array(new Uint8Array(bytes).buffer));
}
