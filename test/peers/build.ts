/** Finds and, where needed, compiles the programs behind the test peers. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PEERS_DIR = fileURLToPath(new URL('.', import.meta.url));
const C_FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-g', '-Wall', '-Wextra'];

/** The package's own folder: modules below it can import `zeromq-threads` by name. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where compiled peers and passing scripts go; safe to delete at any time. */
export const CACHE_DIR = join(PACKAGE_ROOT, 'build', 'peers');

export interface Program {
  command: string;
  args: string[];
}

/** Ours, without what a sanitizer run preloads for the addon: peers and compilers are not to be instrumented. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, ...env } = process.env;
  return env;
}

let cPeer: Program | undefined;
let czmqPeer: Program | undefined;
let draftPeer: Program | undefined;
let pythonPeer: Program | undefined;

/** The C peer, compiled with `cc` (or `$CC`) and pkg-config when its sources or flags changed. */
export function buildCPeer(): Program {
  cPeer ??= { command: compile('c', 'libzmq'), args: [] };
  return cPeer;
}

/** The peer that uses czmq, compiled likewise. */
export function buildCzmqPeer(): Program {
  czmqPeer ??= { command: compile('czmq', 'libczmq', 'libzmq'), args: [] };
  return czmqPeer;
}

/** The peer that uses the draft API, compiled likewise: PKG_CONFIG_PATH says against which libzmq. */
export function buildDraftPeer(): Program {
  draftPeer ??= { command: compile('draft', 'libzmq'), args: [] };
  return draftPeer;
}

/** The Python peer, run by the first interpreter that has pyzmq: `$ZMQT_PYTHON`, Debian's, then PATH's. */
export function findPythonPeer(): Program {
  pythonPeer ??= { command: findPython(), args: ['-B', join(PEERS_DIR, 'python', 'peer.py')] };
  return pythonPeer;
}

function compile(name: string, ...libraries: string[]): string {
  const folder = join(PEERS_DIR, name);
  const files = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  const compiler = process.env.CC || 'cc';
  const flags = runForText(
    'pkg-config',
    ['--cflags', '--libs', ...libraries],
    `pkg-config cannot find ${libraries.join(' ')}`,
  )
    .split(/\s+/)
    .filter(Boolean);
  const hash = createHash('sha256').update(JSON.stringify([compiler, C_FLAGS, flags, process.arch]));
  for (const file of files) hash.update(readFileSync(file));
  const target = join(CACHE_DIR, `${name}-peer-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(CACHE_DIR, { recursive: true });
  // Test files run in parallel: each compiles under a name of its own, and the rename is atomic.
  const unfinished = `${target}.${process.pid}`;
  const sources = files.filter((file) => file.endsWith('.c'));
  try {
    runForText(
      compiler,
      [...C_FLAGS, ...sources, '-o', unfinished, ...flags],
      `the test peer in ${name}/ does not compile`,
    );
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return target;
}

function findPython(): string {
  const candidates = [process.env.ZMQT_PYTHON, '/usr/bin/python3', 'python3', 'python'];
  for (const candidate of candidates) {
    if (!candidate) continue;
    try {
      execFileSync(candidate, ['-c', 'import zmq'], { stdio: 'ignore', env: plainEnvironment() });
      return candidate;
    } catch {
      // The next one may have pyzmq.
    }
  }
  throw new Error(
    'no Python with pyzmq: install python3-zmq, or point ZMQT_PYTHON at an interpreter that has it',
  );
}

function runForText(command: string, args: string[], failure: string): string {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: plainEnvironment(),
    });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`${failure}: ${stderr || message}`, { cause: error });
  }
}
