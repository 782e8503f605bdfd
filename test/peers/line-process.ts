/** A child process whose output is read line by line, with waits that name their step and end. */
import { type ChildProcess, spawn } from 'node:child_process';

import { onTestFinished } from 'vitest';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Milliseconds from the start of the process to its end. */
  duration: number;
}

export interface LineProcessOptions {
  /** How messages of failed waits call this process. */
  name: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export class LineProcess {
  readonly name: string;
  readonly lines: string[] = [];
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';
  exit: Exit | undefined;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #startError: Error | undefined;

  constructor(command: string, args: readonly string[], options: LineProcessOptions) {
    this.name = options.name;
    const started = performance.now();
    this.#child = spawn(command, args, { stdio: 'pipe', env: options.env, cwd: options.cwd });
    this.#child.stdin?.on('error', () => {}); // It ended before it read what we wrote; `exit` tells.
    let unfinished = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      const parts = (unfinished + text).split('\n');
      unfinished = parts.pop() ?? '';
      this.lines.push(...parts);
      this.#changed();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        if (unfinished) this.lines.push(unfinished);
        unfinished = '';
        this.exit ??= { code, signal, duration: performance.now() - started };
        resolve(this.exit);
        this.#changed();
      };
      this.#child.on('close', end);
      this.#child.on('error', (error) => {
        this.#startError = error;
        end(null, null);
      });
    });
    killAtTestEnd(this);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Ends the process's standard input. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Sends a signal and resolves when the process has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    if (!this.exit) this.#child.kill(signal);
    return this.exited;
  }

  /**
   * Resolves with what `find` returns of the output so far, as soon as that is not undefined. Rejects when the
   * process ends, or `timeout` milliseconds pass, before that.
   */
  waitFor<T>(step: string, timeout: number, find: (process: this) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        action();
      };
      const check = () => {
        const found = find(this);
        if (found !== undefined) settle(() => resolve(found));
        else if (this.exit) settle(() => reject(this.failure(`ended before: ${step}`)));
      };
      const timer = setTimeout(
        () => settle(() => reject(this.failure(`${timeout} ms passed before: ${step}`))),
        timeout,
      );
      this.#watchers.add(check);
      check();
    });
  }

  /** Resolves when the process has ended by itself; after `timeout` milliseconds it is killed, and this rejects. */
  async waitForExit(step: string, timeout: number): Promise<Exit> {
    try {
      return await this.waitFor(step, timeout, () => this.exit);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** An error that says what went wrong and everything the process had to say about it. */
  failure(problem: string): Error {
    const status = this.exit ? ` (status ${this.exit.code ?? this.exit.signal})` : '';
    const said = [this.#startError?.message, this.stderr.trim()].filter(Boolean).join('\n');
    const printed = this.lines.slice(-5).join('\n');
    return new Error(
      `${this.name}: ${problem}${status}\nstderr: ${said || 'nothing'}\nstdout: ${printed || 'nothing'}`,
    );
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function killAtTestEnd(child: LineProcess): void {
  try {
    onTestFinished(async () => {
      await child.kill();
    });
  } catch {
    // Started outside a test, in a beforeAll: whoever did so kills it. Peers also end when their stdin does.
  }
}
