/**
 * A handler's CPU time: a loop that spins as often as it takes, and says how long it took. Every variant of the serve
 * benchmark runs this very code, in whatever threads it has.
 */

/** Threads that may burn, at most. */
const SLOTS = 8;
/** One in so many calls is timed; as many as this are kept for each thread. */
const TIMED_EVERY = 16;
const SAMPLES = 4096;
/** 32-bit words: how many slots are taken; how many calls each thread made. */
const WORDS = 1 + SLOTS;

/** Memory that the burning threads write and the measuring thread reads. */
export function makeGauge() {
  return new SharedArrayBuffer(8 * (WORDS + 1) + SLOTS * SAMPLES * 8);
}

function wordsOf(gauge) {
  return new Int32Array(gauge, 0, WORDS);
}

function samplesOf(gauge, slot) {
  return new Float64Array(gauge, 8 * (WORDS + 1) + slot * SAMPLES * 8, SAMPLES);
}

/** The function for one thread: it spins, and counts. */
export function makeBurn({ gauge, spins }) {
  const words = wordsOf(gauge);
  const slot = Atomics.add(words, 0, 1);
  const samples = samplesOf(gauge, slot);
  let calls = 0;
  let seed = 1;
  return () => {
    if (spins > 0) {
      const timed = calls % TIMED_EVERY === 0;
      const start = timed ? performance.now() : 0;
      seed = spin(spins, seed);
      if (timed) samples[(calls / TIMED_EVERY) % SAMPLES] = performance.now() - start;
    }
    calls += 1;
    words[1 + slot] = calls;
  };
}

/** How often all threads burned so far. */
export function callsOf(gauge) {
  const words = wordsOf(gauge);
  let calls = 0;
  for (let slot = 0; slot < SLOTS; slot += 1) calls += Atomics.load(words, 1 + slot);
  return calls;
}

/** Microseconds that one call took: the median, since a call that was interrupted took longer than its CPU time. */
export function burnTime(gauge) {
  const all = [];
  for (let slot = 0; slot < SLOTS; slot += 1)
    for (const sample of samplesOf(gauge, slot)) if (sample > 0) all.push(sample);
  all.sort((a, b) => a - b);
  return all.length === 0 ? 0 : all[all.length >> 1] * 1000;
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
