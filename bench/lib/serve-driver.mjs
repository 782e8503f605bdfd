/** The frame of a server process of the serve benchmark: command line, the measurement, the end. */
import { parseArgs } from 'node:util';

import { burnTime, callsOf, makeGauge } from './burn.mjs';

/**
 * Starts a server and measures it once clients have come: the first `warmup` milliseconds do not count, the next
 * `measure` milliseconds do. It serves on until SIGTERM.
 *
 * @param start gets `{ gauge, spins }` for `makeBurn`, resolves with the endpoint, and with how
 *   to stop where ending the process is not enough
 */
export async function runServer(start) {
  const { values } = parseArgs({
    options: Object.fromEntries(['spins', 'warmup', 'measure'].map((name) => [name, { type: 'string' }])),
  });
  const terminated = new Promise((resolve) => process.once('SIGTERM', resolve));
  const gauge = makeGauge();
  const { endpoint, libzmq, stop } = await start({ gauge, spins: Number(values.spins) });
  print({ ready: true, endpoint, libzmq });
  await until(() => callsOf(gauge) > 0);
  await pause(Number(values.warmup));
  const before = snapshot(gauge);
  await pause(Number(values.measure));
  const after = snapshot(gauge);
  print({
    seconds: (after.at - before.at) / 1000,
    messages: after.calls - before.calls,
    cpu: after.cpu - before.cpu,
    burn: burnTime(gauge),
    maxRssKiB: process.resourceUsage().maxRSS,
  });
  await terminated;
  await stop?.();
  process.exit(0);
}

/** CPU in microseconds, of the whole process. */
function snapshot(gauge) {
  const { user, system } = process.cpuUsage();
  return { at: performance.now(), cpu: user + system, calls: callsOf(gauge) };
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
