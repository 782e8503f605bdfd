/** Real Node.js processes for tests: exit behaviour, crashes, several processes on one endpoint. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { onTestFinished } from 'vitest';

import { CACHE_DIR, PACKAGE_ROOT } from './build.js';
import { type Exit, LineProcess } from './line-process.js';

export interface NodeOptions {
  /** What the script is there to show; names it in failures. */
  step?: string;
  /** Milliseconds after which a process that still runs is killed, and the test fails. Default 10 s. */
  timeout?: number;
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  /** Node's own flags, such as `--expose-gc`. */
  nodeArgs?: readonly string[];
  /** A command to run it under, such as `['nice']`. It must turn into the process, so that signals reach that. */
  under?: readonly string[];
}

export interface NodeResult extends Exit {
  stdout: string;
  stderr: string;
  lines: string[];
}

/**
 * Writes `source` as an ES module inside the package, where `import ... from 'zeromq-threads'` works, and removes
 * it when the test ends. For handlers, workers, and scripts that load one another.
 */
export function moduleFile(source: string): URL {
  const folder = join(CACHE_DIR, 'scripts');
  const path = join(folder, `${randomUUID()}.mjs`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, source);
  onTestFinished(() => rmSync(path, { force: true }));
  return pathToFileURL(path);
}

/** Starts a script (a file: URL, or source text) and leaves it running; it is killed when the test ends. */
export function startNode(
  script: URL | string,
  args: readonly string[] = [],
  options: NodeOptions = {},
): LineProcess {
  const url = typeof script === 'string' ? moduleFile(script) : script;
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(VITEST|NODE_OPTIONS$|NODE_ENV$|TEST$)/.test(name)) env[name] = value;
  }
  const words = [process.execPath, ...(options.nodeArgs ?? []), fileURLToPath(url), ...args];
  const [command, ...rest] = [...(options.under ?? []), ...words];
  return new LineProcess(command!, rest, {
    name: options.step ?? 'node script',
    env: { ...env, ...options.env },
    cwd: PACKAGE_ROOT,
  });
}

/**
 * Runs a script (a file: URL, or source text) to its end in a process of its own. Its exit status is the caller's to
 * judge; one that does not end in time rejects with what it printed.
 */
export async function runNode(
  script: URL | string,
  args: readonly string[] = [],
  options: NodeOptions = {},
): Promise<NodeResult> {
  const child = startNode(script, args, options);
  child.endInput();
  const exit = await child.waitForExit('the process ends by itself', options.timeout ?? 10_000);
  return { ...exit, stdout: child.stdout, stderr: child.stderr, lines: child.lines };
}
