/** The command line as a shell runs it: the real program, in processes of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { type LineProcess, startNode } from './peers/index.js';

export const PROGRAM = new URL('../dist/bundle/src/cli/main.js', import.meta.url);
/** Milliseconds. */
export const TIMEOUT = 20_000;

/** What a command came to. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts it and leaves it running; it is killed when the test ends. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): LineProcess {
  return startNode(PROGRAM, args, { step: `zeromq-threads ${args.join(' ')}`, env });
}

/** Runs it to its end, with `input` on its standard input if there is any. */
export async function run(
  args: readonly string[],
  input?: string,
  env?: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const program = start(args, env);
  if (input !== undefined) {
    program.write(input);
    program.endInput();
  }
  return endOf(program);
}

export async function endOf(program: LineProcess): Promise<Outcome> {
  const { code } = await program.waitForExit('it ends', TIMEOUT);
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** A folder that goes when the test ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'zmq-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
