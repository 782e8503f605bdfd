/**
 * Real ZeroMQ peers in other processes, for tests to talk to. See README.md for roles and options.
 *
 * @example
 * const peer = await startPeer('c', 'send', { type: 'PUSH', bind: endpoints.tcp(), count: 1000, size: 64 });
 * pull.connect(peer.endpoint);
 * for (let n = 0; n < 1000; n++) verify(await pull.recvMultipart(), n, [64]);
 * expect((await peer.result()).sent).toBe(1000);
 */
import { buildCPeer, findPythonPeer, plainEnvironment } from './build.js';
import { LineProcess } from './line-process.js';

export { endpoints } from './endpoints.js';
export type { Exit, LineProcess } from './line-process.js';
export { moduleFile, type NodeOptions, type NodeResult, runNode, startNode } from './node-process.js';
export {
  addToChecksum,
  mismatch,
  pattern,
  patternChecksum,
  patternMessage,
  patternNumber,
  verify,
} from './pattern.js';

export type PeerLanguage = 'c' | 'python';
export type PeerRole = 'send' | 'recv' | 'echo' | 'request' | 'pub' | 'sub' | 'xpub' | 'xsub' | 'stream';

/** The peers' command line; README.md says what each option does. */
export interface PeerOptions {
  type?:
    | 'PAIR'
    | 'PUB'
    | 'SUB'
    | 'REQ'
    | 'REP'
    | 'DEALER'
    | 'ROUTER'
    | 'PULL'
    | 'PUSH'
    | 'XPUB'
    | 'XSUB'
    | 'STREAM'
    | undefined;
  bind?: string | readonly string[];
  connect?: string | readonly string[];
  count?: number;
  first?: number;
  size?: number;
  frames?: number;
  sizes?: readonly number[];
  /** Message n has frames of the sizes of shape n modulo their number. */
  shapes?: readonly (readonly number[])[];
  hwm?: number;
  linger?: number;
  topic?: string | readonly string[];
  identity?: string;
  to?: string;
  window?: number;
  subscribers?: number;
  delay?: number;
  /** Milliseconds for the peer's whole run. Default 30 s. */
  timeout?: number;
  any?: boolean;
  unordered?: boolean;
  delimiter?: boolean;
  mandatory?: boolean;
  hold?: boolean;
  stay?: boolean;
  oneWay?: boolean;
  untilUnsubscribed?: boolean;
  /** Socket options by libzmq's names without `ZMQ_`. */
  set?: Readonly<Record<string, string | number>>;
}

export interface PeerEvent {
  event: string;
  topic?: string;
  peer?: string;
}

export interface PeerResult {
  ok: boolean;
  role: PeerRole;
  sent: number;
  received: number;
  bytes: number;
  checksum: number;
  stopped?: boolean;
  error?: string;
  /** sub and xsub: the numbers of the first and the last message received. */
  first?: number;
  last?: number;
  /** stream. */
  connects?: number;
  disconnects?: number;
}

const START_TIMEOUT = 10_000;
const DEFAULT_RUN_TIMEOUT = 30_000;
const RESULT_GRACE = 2_000;

/** Starts a peer; resolves once it is bound and connected. It is killed when the test ends. */
export async function startPeer(language: PeerLanguage, role: PeerRole, options: PeerOptions): Promise<Peer> {
  const program = language === 'c' ? buildCPeer() : findPythonPeer();
  const args = commandLine(role, options);
  const child = new LineProcess(program.command, [...program.args, ...args, '--control'], {
    name: `${language} peer ${args.join(' ')}`,
    env: plainEnvironment(),
  });
  const ready = await child.waitFor('it is bound and connected', START_TIMEOUT, () =>
    objectWith(child.lines, 'ready'),
  );
  return new Peer(child, ready.endpoint as string, (options.timeout ?? DEFAULT_RUN_TIMEOUT) + RESULT_GRACE);
}

export class Peer {
  /** What it bound, with the wildcard filled in; or connected to. */
  readonly endpoint: string;
  readonly process: LineProcess;
  readonly #resultTimeout: number;
  readonly #eventsTaken = new Map<string, number>();

  constructor(child: LineProcess, endpoint: string, resultTimeout: number) {
    this.process = child;
    this.endpoint = endpoint;
    this.#resultTimeout = resultTimeout;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Everything it has told of so far. */
  get events(): PeerEvent[] {
    return parsed(this.process.lines).filter((line) => 'event' in line) as unknown as PeerEvent[];
  }

  /** The next event of that name: each is handed out once. */
  async event(name: string, timeout = 10_000): Promise<PeerEvent> {
    const index = this.#eventsTaken.get(name) ?? 0;
    this.#eventsTaken.set(name, index + 1);
    const nth = () => this.events.filter(({ event }) => event === name)[index];
    return this.process.waitFor(`event "${name}" number ${index + 1}`, timeout, nth);
  }

  /** What it did, once it has ended. Rejects when it found something wrong, crashed or took too long. */
  async result(timeout = this.#resultTimeout): Promise<PeerResult> {
    const find = () => objectWith(this.process.lines, 'ok') as unknown as PeerResult | undefined;
    const result = await this.process.waitFor('it prints its result', timeout, find);
    await this.process.exited;
    if (!result.ok) throw this.process.failure(result.error ?? 'it failed');
    return result;
  }

  /** Ends a `hold`. */
  go(): void {
    this.process.write('go\n');
  }

  /** Ends the run early, once nothing more is there to receive; `result()` says how far it got. */
  stop(): void {
    this.process.write('stop\n');
  }

  /** As a crash does: no goodbye to anyone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.process.kill(signal);
  }
}

function commandLine(role: PeerRole, options: PeerOptions): string[] {
  const args: string[] = [role];
  for (const [name, value] of Object.entries(options)) {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) continue;
    if (value === true) args.push(flag);
    else if (name === 'sizes') args.push(flag, (value as number[]).join(','));
    else if (name === 'shapes')
      for (const shape of value as number[][]) args.push('--shape', shape.join(','));
    else if (name === 'set')
      for (const [option, to] of Object.entries(value)) args.push(flag, `${option}=${to}`);
    else for (const item of [value].flat()) args.push(flag, String(item));
  }
  return args;
}

function parsed(lines: readonly string[]): Record<string, unknown>[] {
  return lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function objectWith(lines: readonly string[], key: string): Record<string, unknown> | undefined {
  return parsed(lines).find((line) => key in line);
}
