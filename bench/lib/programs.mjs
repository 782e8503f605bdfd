/** What a benchmark process is started with: C programs, compiled when needed, and JavaScript drivers. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PREBUILT_FILE } from '../../scripts/prebuilt-file.mjs';

const BENCH_DIR = fileURLToPath(new URL('../', import.meta.url));
const C_DIR = join(BENCH_DIR, 'c');
const BUILD_DIR = join(BENCH_DIR, 'build');
const DRIVERS_DIR = join(BENCH_DIR, 'drivers');
const LIBRARY = fileURLToPath(new URL('../../dist/bundle/src/index.js', import.meta.url));

/**
 * The libraries under test; with `-worker`, all of it in a Worker of that process. zeromq-threads runs on the system's
 * libzmq, as C does, and with `-prebuilt` on the one that the published package carries along.
 */
export const LIBRARIES = [
  'c',
  'zeromq-threads',
  'zeromq-threads-worker',
  'zeromq-threads-prebuilt',
  'npm-zeromq',
  'npm-zeromq-worker',
  'pyzmq',
];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the carried libzmq was built from, with its shared twin: scripts/build-libzmq.sh. */
const LIBZMQ = join(ROOT, 'build-libzmq', 'current', 'lib');

const WORKER = '-worker';
const PREBUILT = '-prebuilt';
let python;

/** How to start `role` of `library`, as `[command, ...args]`. */
export function program(library, role) {
  if (library === 'c') return [join(BUILD_DIR, role)];
  if (library === 'pyzmq') return [findPython(), '-B', join(DRIVERS_DIR, 'pyzmq.py'), role];
  if (library.endsWith(PREBUILT)) return program(library.slice(0, -PREBUILT.length), role);
  if (!library.endsWith(WORKER)) return [process.execPath, join(DRIVERS_DIR, `${library}.mjs`), role];
  return [...program(library.slice(0, -WORKER.length), role), '--worker', '1'];
}

/** What is added to the environment of the processes of a library. */
export function environment(library) {
  return library.endsWith(PREBUILT) ? prebuilt() : {};
}

/** Whether there is a prebuilt addon that is not older than its sources; says how to get one if not. */
export function hasPrebuilt() {
  const folder = join(ROOT, 'native');
  if (mtime(PREBUILT_FILE) > newest(folder, readdirSync(folder))) return true;
  console.error(
    'Left out: what runs on the prebuilt addon, which is not there, or is old. npm run build:prebuilt makes it.',
  );
  return false;
}

/** Has zeromq-threads use the prebuilt addon, and C programs the libzmq that is in it. */
export function prebuilt() {
  return { ZEROMQ_THREADS_ADDON: PREBUILT_FILE, LD_LIBRARY_PATH: LIBZMQ };
}

/** Compiles what changed, and throws with what to do when a library is not there. */
export function prepare(libraries) {
  compileChanged();
  if (libraries.has('npm-zeromq') || libraries.has('npm-zeromq-worker')) requireNpmZeromq();
  if (libraries.has('pyzmq')) findPython();
  if (libraries.has('zeromq-threads') && !existsSync(LIBRARY)) {
    throw new Error(
      'zeromq-threads is not built: npm run build, or leave it out with --except zeromq-threads',
    );
  }
}

function compileChanged() {
  const names = readdirSync(C_DIR);
  const headers = newest(
    C_DIR,
    names.filter((name) => name.endsWith('.h')),
  );
  const libzmq = execFileSync('pkg-config', ['--cflags', '--libs', 'libzmq'], { encoding: 'utf8' });
  mkdirSync(BUILD_DIR, { recursive: true });
  for (const name of names.filter((file) => file.endsWith('.c'))) {
    const source = join(C_DIR, name);
    const target = join(BUILD_DIR, name.slice(0, -2).replaceAll('_', '-'));
    if (mtime(target) > Math.max(headers, mtime(source))) continue;
    const args = ['-std=gnu11', '-O2', '-pthread', '-Wall', '-Wextra', source, '-o', target];
    const linked = libzmq.split(/\s+/).filter(Boolean);
    execFileSync(process.env.CC || 'cc', [...args, ...linked], { stdio: 'inherit' });
  }
}

/** Where the module is that reads a thread's CPU clock; compiled if it is not. */
export function threadClock() {
  const source = join(C_DIR, 'module/thread_clock.c');
  const target = join(BUILD_DIR, 'thread-clock.node');
  if (mtime(target) > mtime(source)) return target;
  const { include_dir } = createRequire(import.meta.url)('node-api-headers');
  mkdirSync(BUILD_DIR, { recursive: true });
  const args = ['-std=gnu11', '-O2', '-fPIC', '-shared', '-Wall', '-Wextra', `-I${include_dir}`];
  const undefinedLater = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  execFileSync(process.env.CC || 'cc', [...args, ...undefinedLater, source, '-o', target], {
    stdio: 'inherit',
  });
  return target;
}

/** When the last of these files of a folder was changed. */
function newest(folder, names) {
  return Math.max(...names.map((name) => mtime(join(folder, name))));
}

function mtime(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function requireNpmZeromq() {
  try {
    createRequire(import.meta.url).resolve('zeromq');
  } catch {
    throw new Error(
      'npm zeromq is not installed: npm --prefix bench ci, or leave it out with --except npm-zeromq',
    );
  }
}

/** Debian's interpreter first, since python3-zmq is in no other; ZMQT_PYTHON names one that comes before. */
function findPython() {
  if (python) return python;
  for (const candidate of [process.env.ZMQT_PYTHON, '/usr/bin/python3', 'python3']) {
    if (!candidate) continue;
    try {
      execFileSync(candidate, ['-c', 'import zmq'], { stdio: 'ignore' });
      python = candidate;
      return python;
    } catch {
      // The next one may have it.
    }
  }
  throw new Error('pyzmq is not installed: install python3-zmq, or leave it out with --except pyzmq');
}
