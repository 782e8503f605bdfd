/** The frame of a server process of the serve benchmark: command line, the measurement, the end. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { callsOf, makeGauge, timedCalls } from './burn.mjs';
import { keepBusy } from './busy.mjs';
import { threadClock } from './programs.mjs';

/**
 * Starts a server and measures it once clients have come: the first `warmup` milliseconds do not count, the next
 * `measure` milliseconds do. It serves on until SIGTERM. With `--busy 1` its main thread does other work all the time.
 *
 * @param start gets `{ gauge, spins, clock }` for `makeBurn`, resolves with the endpoint, and with how
 *   to stop where ending the process is not enough
 */
export async function runServer(start) {
  const { values } = parseArgs({
    options: Object.fromEntries(
      ['spins', 'warmup', 'measure', 'busy'].map((name) => [name, { type: 'string' }]),
    ),
  });
  const terminated = new Promise((resolve) => process.once('SIGTERM', resolve));
  const gauge = makeGauge();
  const { endpoint, libzmq, stop } = await start({
    gauge,
    spins: Number(values.spins),
    clock: threadClock(),
  });
  print({ ready: true, endpoint, libzmq });
  if (values.busy !== undefined) keepBusy(Number(values.busy));
  await until(() => callsOf(gauge) > 0);
  await pause(Number(values.warmup));
  const before = snapshot(gauge);
  await pause(Number(values.measure));
  const after = snapshot(gauge);
  print({
    seconds: (after.at - before.at) / 1000,
    messages: after.calls - before.calls,
    cpu: after.cpu - before.cpu,
    io: after.io - before.io,
    burn: burnTime(before.timed, after.timed),
    maxRssKiB: process.resourceUsage().maxRSS,
  });
  await terminated;
  await stop?.();
  process.exit(0);
}

/** CPU in microseconds, of the whole process. */
function snapshot(gauge) {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    cpu: user + system,
    calls: callsOf(gauge),
    timed: timedCalls(gauge),
    io: ioThreads(),
  };
}

/** CPU in microseconds of libzmq's I/O threads; NaN where the system does not tell. */
function ioThreads() {
  if (process.platform !== 'linux') return Number.NaN;
  let nanoseconds = 0;
  for (const task of readdirSync('/proc/self/task')) {
    const folder = `/proc/self/task/${task}`;
    if (!readFileSync(`${folder}/comm`, 'utf8').startsWith('ZMQbg/IO')) continue;
    nanoseconds += Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1000;
}

/** Microseconds of CPU of one call, on average. */
function burnTime(before, after) {
  const calls = after.calls - before.calls;
  return calls === 0 ? 0 : (after.microseconds - before.microseconds) / calls;
}

async function until(condition) {
  while (!condition()) await pause(5);
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
