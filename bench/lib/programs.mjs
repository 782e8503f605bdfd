/** What a benchmark process is started with: C programs, compiled when needed, and JavaScript drivers. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BENCH_DIR = fileURLToPath(new URL('../', import.meta.url));
const C_DIR = join(BENCH_DIR, 'c');
const BUILD_DIR = join(BENCH_DIR, 'build');
const LIBRARY = fileURLToPath(new URL('../../dist/src/index.js', import.meta.url));

/** The libraries under test, and the role names their processes take. */
export const LIBRARIES = ['c', 'zeromq-threads', 'npm-zeromq'];

/** How to start `role` of `library`, as `[command, ...args]`. */
export function program(library, role) {
  if (library === 'c') return [join(BUILD_DIR, role)];
  return [process.execPath, join(BENCH_DIR, 'drivers', `${library}.mjs`), role];
}

/** Compiles what changed, and throws with what to do when a library is not there. */
export function prepare(libraries) {
  compileChanged();
  if (libraries.has('npm-zeromq')) requireNpmZeromq();
  if (libraries.has('zeromq-threads') && !existsSync(LIBRARY)) {
    throw new Error(
      'zeromq-threads is not built: npm run build, or leave it out with --except zeromq-threads',
    );
  }
}

function compileChanged() {
  const names = readdirSync(C_DIR);
  const headers = Math.max(
    ...names.filter((name) => name.endsWith('.h')).map((name) => mtime(join(C_DIR, name))),
  );
  const libzmq = execFileSync('pkg-config', ['--cflags', '--libs', 'libzmq'], { encoding: 'utf8' });
  mkdirSync(BUILD_DIR, { recursive: true });
  for (const name of names.filter((file) => file.endsWith('.c'))) {
    const source = join(C_DIR, name);
    const target = join(BUILD_DIR, name.slice(0, -2).replaceAll('_', '-'));
    if (mtime(target) > Math.max(headers, mtime(source))) continue;
    const args = ['-std=gnu11', '-O2', '-Wall', '-Wextra', source, '-o', target];
    const linked = libzmq.split(/\s+/).filter(Boolean);
    execFileSync(process.env.CC || 'cc', [...args, ...linked], { stdio: 'inherit' });
  }
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
