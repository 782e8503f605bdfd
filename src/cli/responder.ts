/** What `recv` sends back: a fixed message, the message itself, or what a command makes of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Message } from '../index.js';
import type { CanonicalType } from '../socket-types.js';
import type { FormatFlags } from './format-flags.js';
import { formatMessage, parseMessage } from './formats.js';
import { usageError } from './outcome.js';
import type { Session } from './session.js';

export interface ResponderFlags extends FormatFlags {
  type: CanonicalType;
  reply?: string;
  echo?: true;
  exec?: string;
}

export type Responder = (request: readonly Message[]) => Promise<Uint8Array[]>;

const CAN_ANSWER = new Set<CanonicalType>(['REP', 'ROUTER', 'DEALER', 'PAIR', 'STREAM']);

/** What answers the messages; undefined if nothing is to. A REP has to: unless told with an empty message. */
export function responderOf(session: Session, flags: ResponderFlags): Responder | undefined {
  const { type, reply, echo, exec } = flags;
  const ways = [reply, echo, exec].filter((way) => way !== undefined);
  if (ways.length > 1) throw usageError('--reply, --echo and --exec exclude each other');
  if (ways.length === 0) return type === 'REP' ? async () => [Buffer.alloc(0)] : undefined;
  if (!CAN_ANSWER.has(type)) throw usageError(`${type} sockets cannot answer`);
  if (echo) return async (request) => [...request];
  if (reply !== undefined) {
    const fixed = parseMessage(flags.format, Buffer.from(reply), flags.separator, '--reply');
    return async (request) => [...envelopeOf(type, request), ...fixed];
  }
  return async (request) => {
    const envelope = envelopeOf(type, request);
    const output = await outputOf(session, exec!, textOf(flags, request.slice(envelope.length)));
    return [...envelope, ...answerOf(flags, output)];
  };
}

/** The frames before the message proper: who asks, up to an empty frame if there is one. */
function envelopeOf(type: CanonicalType, frames: readonly Message[]): Message[] {
  if (type === 'STREAM') return frames.slice(0, 1);
  if (type !== 'ROUTER' && type !== 'DEALER') return [];
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  if (delimiter >= 0) return frames.slice(0, delimiter + 1);
  return type === 'ROUTER' ? frames.slice(0, 1) : [];
}

function textOf({ format, separator = '\t' }: FormatFlags, body: readonly Message[]): Buffer {
  const pieces: Uint8Array[] = [];
  formatMessage(format, body, separator, pieces);
  return Buffer.concat(pieces);
}

function answerOf({ format, separator }: FormatFlags, output: Buffer): Buffer[] {
  const ends = format !== 'raw' && output.at(-1) === 0x0a;
  return parseMessage(format, ends ? output.subarray(0, -1) : output, separator, 'the output of --exec');
}

/** Runs a command with the shell, the message on its standard input. */
function outputOf(session: Session, command: string, input: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // In a process group of its own, so that what the shell started can be ended with it.
    const child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    const stop = (): void => {
      endGroup(child);
      reject(session.signal.reason);
    };
    session.signal.addEventListener('abort', stop);
    const pieces: Buffer[] = [];
    child.on('error', reject);
    child.stdin.on('error', () => {}); // it need not read what it is given
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('close', (status, signal) => {
      session.signal.removeEventListener('abort', stop);
      if (status !== 0) session.note(`the command of --exec ended with ${status ?? signal}`);
      resolve(Buffer.concat(pieces));
    });
    child.stdin.end(input);
  });
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    // Windows has no groups: there the shell alone is ended.
    if (process.platform === 'win32') child.kill();
    else process.kill(-child.pid, 'SIGTERM');
  } catch {
    // It has ended already.
  }
}
