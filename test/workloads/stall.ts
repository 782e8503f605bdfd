/** Waits that must not take long, on a machine that may be busy with other things. */

const TICK_MS = 50;
/** Nothing may stand still for longer, in milliseconds. Instrumented code is slower by a factor of ten and more. */
export const STALL_MS = process.env.ZMQT_SANITIZER_RUNTIME === undefined ? 1000 : 10_000;

/**
 * Settles as `promise` does, or rejects when it is still pending after the event loop has turned freely for
 * `milliseconds`: time in which this thread did not get to run does not count.
 */
export async function withoutStall<Value>(
  step: string,
  promise: PromiseLike<Value>,
  milliseconds = STALL_MS,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    let ticks = Math.ceil(milliseconds / TICK_MS);
    const tick = (): void => {
      ticks -= 1;
      if (ticks < 0) reject(new Error(`stalled for ${milliseconds} ms: ${step}`));
      else timer = setTimeout(tick, TICK_MS);
    };
    tick();
  });
  try {
    return await Promise.race([promise, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/** As `withoutStall`, blocking this thread while `words[0]` is `value`. */
export function blockUntilChanged(step: string, words: Int32Array, value: number): void {
  let ticks = Math.ceil(STALL_MS / TICK_MS);
  while (Atomics.load(words, 0) === value) {
    if (Atomics.wait(words, 0, value, TICK_MS) !== 'timed-out') continue;
    ticks -= 1;
    if (ticks < 0) throw new Error(`stalled for ${STALL_MS} ms: ${step}`);
  }
}

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Keeps this thread busy for a moment, without a system call. */
export function spin(turns: number): void {
  for (; turns > 0; turns -= 1) Atomics.load(nothing, 0);
}
