/**
 * Hosts of a network of their own, on one machine: network namespaces, joined by a bridge in another one. Nothing of the
 * machine's own network is touched. Needs root and Linux's `ip`.
 */
import { execFileSync } from 'node:child_process';

import { onTestFinished } from 'vitest';

import { type LineProcess, startNode } from './peers/index.js';

const PREFIX = 'zmqt-';

function ip(...args: string[]): string {
  try {
    return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`ip ${args.join(' ')}: ${stderr?.trim() || message}`);
  }
}

/** Why there can be no hosts here; undefined if there can. */
export function whyNoHosts(): string | undefined {
  const probe = `${PREFIX}${process.pid}-probe`;
  try {
    ip('netns', 'add', probe);
    ip('-n', probe, 'link', 'add', 'probe', 'type', 'bridge');
    ip('netns', 'delete', probe);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export class Hosts {
  readonly #hub = this.#namespace('hub');
  readonly #numbers = new Map<string, number>();

  /** Makes the network, which goes when the test ends. */
  constructor(names: readonly string[]) {
    removeLeftovers();
    onTestFinished(() => this.#remove());
    ip('netns', 'add', this.#hub);
    ip('-n', this.#hub, 'link', 'add', 'bridge', 'type', 'bridge');
    ip('-n', this.#hub, 'link', 'set', 'bridge', 'up');
    for (const name of names) this.#add(name);
  }

  /** Starts a Node.js program on a host. */
  start(host: string, script: URL, args: readonly string[], env: NodeJS.ProcessEnv = {}): LineProcess {
    const under = ['ip', 'netns', 'exec', this.#namespace(host)];
    return startNode(script, args, { step: `${host}: ${script.pathname.split('/').at(-1)}`, env, under });
  }

  address(host: string): string {
    return `10.77.0.${this.#numbers.get(host)}`;
  }

  /** Takes the host's cable out: what is sent to it or by it vanishes. */
  cut(host: string): void {
    ip('-n', this.#hub, 'link', 'set', this.#port(host), 'down');
  }

  /** Puts it back. */
  mend(host: string): void {
    ip('-n', this.#hub, 'link', 'set', this.#port(host), 'up');
  }

  #add(host: string): void {
    const [namespace, number] = [this.#namespace(host), this.#numbers.size + 1];
    this.#numbers.set(host, number);
    const port = this.#port(host);
    ip('netns', 'add', namespace);
    ip('-n', this.#hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', this.#hub, 'link', 'set', port, 'master', 'bridge', 'up');
    ip('-n', namespace, 'address', 'add', `10.77.0.${number}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }

  #namespace(host: string): string {
    return `${PREFIX}${process.pid}-${host}`;
  }

  #port(host: string): string {
    return `port${this.#numbers.get(host)}`;
  }

  #remove(): void {
    for (const host of [...this.#numbers.keys(), 'hub']) ip('netns', 'delete', this.#namespace(host));
  }
}

/** Networks of test processes that were killed. */
function removeLeftovers(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [name = ''] = line.split(' ');
    const [, pid] = /^zmqt-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || Number(pid) === process.pid) continue;
    try {
      process.kill(Number(pid), 0);
    } catch {
      ip('netns', 'delete', name);
    }
  }
}
