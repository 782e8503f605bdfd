/** One benchmark process: it prints a ready line, then a result line, and has to end well. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class Child {
  /** Resolves with the ready line. */
  ready;
  /** Resolves with the result line, once the process has ended with status 0. */
  result;
  #process;
  #over = false;

  /** @param env what is added to this process's own */
  constructor(label, [command, ...args], options, env = {}) {
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) args.push(`--${name}`, String(value));
    }
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    // Whoever is gone by then need not be released.
    this.#process.stdin.on('error', () => {});
    const ready = deferred();
    const lines = {};
    let stderr = '';
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const value = JSON.parse(line);
      if (value.ready) ready.resolve(value);
      else lines.result = value;
    });
    this.ready = ready.promise;
    this.result = new Promise((resolve, reject) => {
      const fail = (problem) => {
        const error = new Error(`${label} ${problem}${stderr ? `: ${stderr.trim()}` : ''}`);
        ready.reject(error);
        reject(error);
      };
      this.#process.on('error', (error) => fail(error.message));
      this.#process.on('close', (code, signal) => {
        if (code !== 0 && !(this.#over && lines.result)) fail(`ended with ${code ?? signal}`);
        else if (!lines.result) fail('printed no result');
        else resolve(lines.result);
      });
    });
    // Awaited later, or not at all once the other process has failed.
    this.ready.catch(() => {});
    this.result.catch(() => {});
  }

  /** Lets it close its sockets, if it is one that sends last and waits until all has arrived. */
  release() {
    this.#process.stdin.end();
  }

  /** Ends it, once it has printed its result: how it ends does not matter any more. */
  terminate() {
    this.#over = true;
    this.#process.kill('SIGTERM');
  }

  kill() {
    this.#process.kill('SIGKILL');
  }
}

/** Promise.withResolvers, which Node 20 does not have. */
function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
