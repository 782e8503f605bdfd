/** The programs of examples/scale-out on hosts of their own. Short and long runs share this. */
import { expect } from 'vitest';

import { Hosts } from './hosts.js';
import type { LineProcess } from './peers/index.js';

const FOLDER = new URL('../examples/scale-out/', import.meta.url);
const PATIENCE = 25_000;

/** What the client says of itself. */
export interface Tally {
  asked: number;
  answered: number;
  wrong: number;
  reported: number;
  again: number;
  byWorker: Record<string, number>;
}

const LINE = /^(\d+) asked, (\d+) answered \((.*)\), (\d+) wrong, (\d+) reported, (\d+) again$/;

function tallyOf(client: LineProcess): Tally | undefined {
  const [, asked, answered, shares = '', wrong, reported, again] = LINE.exec(client.lines.at(-1) ?? '') ?? [];
  if (asked === undefined) return undefined;
  const counts = [...shares.matchAll(/([^ ,]+): (\d+)/g)].map(([, name, count]) => [name, Number(count)]);
  return {
    asked: Number(asked),
    answered: Number(answered),
    wrong: Number(wrong),
    reported: Number(reported),
    again: Number(again),
    byWorker: Object.fromEntries(counts),
  };
}

/** A broker's host, a client's, and one for each worker; everything but the client runs. */
export class ScaledOut {
  readonly hosts: Hosts;
  readonly broker: LineProcess;
  readonly workers = new Map<string, LineProcess>();

  constructor(workers: readonly string[]) {
    this.hosts = new Hosts(['broker', 'client', ...workers]);
    const bind = ['tcp://*:5555', 'tcp://*:5556'];
    this.broker = this.hosts.start('broker', new URL('broker.mjs', FOLDER), bind);
    for (const worker of workers) this.startWorker(worker);
  }

  startWorker(name: string): LineProcess {
    const args = [`tcp://${this.hosts.address('broker')}:5556`, name, '1'];
    const worker = this.hosts.start(name, new URL('worker.mjs', FOLDER), args);
    this.workers.set(name, worker);
    return worker;
  }

  /** @param timeout milliseconds for each attempt */
  startClient({ timeout, retries }: { timeout: number; retries: number }): Client {
    const numbers = [1e9, 16, timeout, retries].map(String);
    const args = [`tcp://${this.hosts.address('broker')}:5555`, ...numbers];
    return new Client(this.hosts.start('client', new URL('client.mjs', FOLDER), args));
  }

  /** SIGTERM: every worker that runs drains and leaves well, and so does the broker. */
  async end(): Promise<void> {
    for (const worker of this.workers.values()) {
      if (worker.exit !== undefined) continue;
      expect(await worker.kill('SIGTERM'), `${worker.name}\n${worker.stderr}`).toMatchObject({ code: 0 });
      expect(worker.lines.at(-1)).toMatch(/ requests handled, 0 unfinished$/);
    }
    expect(await this.broker.kill('SIGTERM'), this.broker.stderr).toMatchObject({ code: 0 });
    expect(this.broker.lines.at(-1)).toMatch(/^\d+ requests, \d+ replies$/);
  }
}

/** A client under load. */
export class Client {
  readonly process: LineProcess;

  constructor(process: LineProcess) {
    this.process = process;
  }

  /** Resolves with the tally that meets `condition`; it is given the tally of the moment of the call, too. */
  async until(step: string, condition: (now: Tally, then: Tally) => boolean): Promise<Tally> {
    const first = await this.process.waitFor('the client has a tally', PATIENCE, tallyOf);
    return this.process.waitFor(step, PATIENCE, (process) => {
      const now = tallyOf(process);
      return now !== undefined && condition(now, first) ? now : undefined;
    });
  }

  /** It asks nothing new, and ends when each request is answered or reported. */
  async stop(): Promise<Tally> {
    const { code } = await this.process.kill('SIGTERM');
    expect({ code, stderr: this.process.stderr }).toEqual({ code: 0, stderr: '' });
    const tally = tallyOf(this.process)!;
    expect(tally.wrong, 'wrong answers').toBe(0);
    expect(tally.answered + tally.reported, 'every request is answered or reported').toBe(tally.asked);
    return tally;
  }
}

export const share = (tally: Tally, worker: string): number => tally.byWorker[worker] ?? 0;
