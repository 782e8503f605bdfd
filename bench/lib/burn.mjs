/**
 * A handler's CPU time: a loop that spins as often as it takes, and says how long it took. Every variant of the serve
 * benchmark runs this very code, in whatever threads it has.
 */
import { createRequire } from 'node:module';

/** Threads that may burn, at most. */
const SLOTS = 8;
/** One in so many calls is timed. */
const TIMED_EVERY = 16;
/** 32-bit words: how many slots are taken; how many calls each thread made, and how many of them were timed. */
const WORDS = 1 + 2 * SLOTS;

/** Memory that the burning threads write and the measuring thread reads. */
export function makeGauge() {
  return new SharedArrayBuffer(8 * (WORDS + 1) + 8 * SLOTS);
}

function wordsOf(gauge) {
  return new Int32Array(gauge, 0, WORDS);
}

/** Microseconds of CPU that the timed calls of each thread took. */
function timesOf(gauge) {
  return new Float64Array(gauge, 8 * (WORDS + 1), SLOTS);
}

/**
 * The function for one thread: it spins, and counts. Calls are timed by the thread's CPU clock: a handler that is
 * interrupted takes longer, but no more CPU.
 */
export function makeBurn({ gauge, spins, clock }) {
  const words = wordsOf(gauge);
  const times = timesOf(gauge);
  const threadCpuTime = createRequire(import.meta.url)(clock);
  const slot = Atomics.add(words, 0, 1);
  let calls = 0;
  let seed = 1;
  return () => {
    if (spins > 0) {
      const timed = calls % TIMED_EVERY === 0;
      const start = timed ? threadCpuTime() : 0;
      seed = spin(spins, seed);
      if (timed) {
        times[slot] += threadCpuTime() - start;
        Atomics.add(words, 1 + SLOTS + slot, 1);
      }
    }
    calls += 1;
    words[1 + slot] = calls;
  };
}

/** How often all threads burned so far. */
export function callsOf(gauge) {
  return sum(wordsOf(gauge).subarray(1, 1 + SLOTS));
}

/** Microseconds of CPU that all threads' timed calls took so far, and how many they were. */
export function timedCalls(gauge) {
  return { microseconds: sum(timesOf(gauge)), calls: sum(wordsOf(gauge).subarray(1 + SLOTS)) };
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function spin(times, seed) {
  let x = seed | 1;
  for (let n = 0; n < times; n += 1) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/** How many spins a microsecond has, here and now. */
export function calibrate() {
  const times = 20_000;
  let seed = 1;
  const rates = [];
  for (let n = 0; n < 400; n += 1) {
    const start = performance.now();
    seed = spin(times, seed);
    rates.push(times / (performance.now() - start) / 1000);
  }
  rates.sort((a, b) => a - b);
  return rates[rates.length >> 1];
}
