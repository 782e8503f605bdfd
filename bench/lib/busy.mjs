/** An application that keeps its event loop busy. */

const PERIOD = 10;

/**
 * Keeps this thread busy for `part` of the time, 0 to 1, in turns of 10 ms. At 1 every turn of the event loop has such
 * a turn, so that whatever else wants to run gets one turn in between. Returns how to stop.
 */
export function keepBusy(part) {
  let stopped = false;
  const turn = () => {
    if (stopped) return;
    const start = performance.now();
    while (performance.now() - start < part * PERIOD);
    if (part < 1) setTimeout(turn, Math.max(1, start + PERIOD - performance.now()));
    else setImmediate(turn);
  };
  turn();
  return () => {
    stopped = true;
  };
}
