/** One trial: fresh processes that are connected, all verified, all gone at the end. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Child } from './child.mjs';
import { verifyRun } from './expected.mjs';
import { readTrips } from './latency.mjs';
import { environment, program } from './programs.mjs';

const TRIAL_SECONDS = 180;
let paths = 0;

/**
 * Runs one variant of a case once, with `count` messages. `binder` and `connector` are `{ library, role, options }`,
 * whose options go to that process alone, started by what `wrap` makes of its command; `connectors` processes connect
 * (1, or none without a connector). Each moves `count` messages, `warmup` before, and `extra` that its role adds; all of
 * it within `limitSeconds`. With `trips` the connector's result has the percentiles of its round trips. Resolves with
 * the results, the figures drawn from them, and the libzmq that each side ran on.
 */
export async function runTrial(variant, figures, count) {
  const { binder, connector, size, hwm, window, warmup = 0, frames, period, transport = 'tcp' } = variant;
  const limit = variant.limitSeconds ?? TRIAL_SECONDS;
  const children = [];
  const start = (side, options) => {
    const command = program(side.library, side.role);
    const child = new Child(
      labelOf(side),
      side.wrap ? side.wrap(command) : command,
      { ...options, ...side.options },
      environment(side.library),
    );
    children.push(child);
    return child;
  };
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${limit} s`)), limit * 1000);
  });
  const all = count + warmup + (variant.extra ?? 0);
  const shared = { size, hwm, frames, period };
  const scratch = join(tmpdir(), `zeromq-threads-bench-${process.pid}-${++paths}`);
  const path = transport === 'ipc' ? scratch : undefined;
  const trips = variant.trips ? `${scratch}.trips` : undefined;
  const bind = { tcp: 'tcp://127.0.0.1:*', ipc: `ipc://${path}`, inproc: 'inproc://bench' }[transport];
  const connectors = connector ? (variant.connectors ?? 1) : 0;
  const run = async () => {
    const first = start(binder, { ...shared, bind, count: all });
    const { endpoint, libzmq } = await first.ready;
    const options = { ...shared, connect: endpoint, count, window, warmup: warmup || undefined, trips };
    const others = Array.from({ length: connectors }, () => start(connector, options));
    const [other] = await Promise.all(others.map(({ ready }) => ready));
    // Who sends last waits for this, so that nothing on its way is lost.
    const releaseAll = (some) => {
      for (const child of some) child.release();
    };
    first.result.then(() => releaseAll(others)).catch(() => {});
    Promise.all(others.map(({ result }) => result))
      .then(() => releaseAll([first]))
      .catch(() => {});
    const [bound, ...connected] = await Promise.all([first, ...others].map(({ result }) => result));
    verifyRun(labelOf(binder), bound, all, size, { frames, period });
    for (const each of connected) verifyRun(labelOf(connector), each, all, size, { frames, period });
    if (trips) Object.assign(connected[0], readTrips(trips, count));
    const outcome = { bound, connected: connected[0], everyConnected: connected };
    return { ...outcome, figures: figures(outcome), libzmq: [libzmq, other?.libzmq] };
  };
  try {
    return await Promise.race([run(), timeout]);
  } finally {
    clearTimeout(timer);
    for (const child of children) child.kill();
    for (const file of [path, trips]) if (file) rmSync(file, { force: true });
  }
}

function labelOf({ library, role }) {
  return `${library} ${role}`;
}

/** Messages a second, from the clock of one process. */
export function rate({ timed, seconds }) {
  return timed / seconds;
}
