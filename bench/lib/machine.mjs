/** Where and on what a run took place, for its result file. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export function describeMachine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model,
    cores: cpus.length,
    memoryMiB: Math.round(os.totalmem() / 2 ** 20),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    packages: packages(),
    commit: commit(),
  };
}

/** The part of all cores, 0 to 1, that other programs keep busy: measured while nothing of ours runs. */
export async function measureOtherLoad(milliseconds = 1000) {
  const before = coreTimes();
  await setTimeout(milliseconds);
  const after = coreTimes();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** Versions of the packages that are measured, as far as they are installed. */
function packages() {
  const found = {};
  for (const [name, file] of [
    ['zeromq-threads', '../../package.json'],
    ['zeromq', '../node_modules/zeromq/package.json'],
  ]) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    if (existsSync(path)) found[name] = JSON.parse(readFileSync(path, 'utf8')).version;
  }
  return found;
}

function coreTimes() {
  const total = { idle: 0, all: 0 };
  for (const { times } of os.cpus()) {
    total.idle += times.idle;
    for (const time of Object.values(times)) total.all += time;
  }
  return total;
}

function commit() {
  const cwd = fileURLToPath(new URL('../', import.meta.url));
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
