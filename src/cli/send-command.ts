/** zeromq-threads send: messages from the command line or standard input. */
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import type { Socket } from '../index.js';
import type { CanonicalType } from '../socket-types.js';
import { addExamples, addNotes, count, type Example, integer, milliseconds } from './arguments.js';
import { addFormatFlags, FORMAT_NOTES, type FormatFlags, largestCount } from './format-flags.js';
import { bytesOfHex, parseMessage } from './formats.js';
import { Handshakes } from './handshakes.js';
import { usageError } from './outcome.js';
import { countPeers } from './peers-waiting.js';
import { Printer } from './printer.js';
import { Session } from './session.js';
import { addSocketFlags, attachSocket, makeSocket, type SocketFlags } from './socket-flags.js';
import { messagesFromInput } from './standard-input.js';

interface Flags extends SocketFlags, FormatFlags {
  count?: number;
  chunk?: number;
  wait: number;
  topic?: string;
  to?: string;
  reply?: true;
}

const TYPES: readonly CanonicalType[] = [
  'PUSH',
  'PUB',
  'REQ',
  'DEALER',
  'ROUTER',
  'PAIR',
  'XPUB',
  'XSUB',
  'STREAM',
];
/** What can send and receive. */
const ANSWERED = new Set<CanonicalType>(['REQ', 'DEALER', 'ROUTER', 'PAIR', 'STREAM']);
/** Whose messages wait for a peer to be there. */
const QUEUED = new Set<CanonicalType>(['PUSH', 'REQ', 'DEALER', 'PAIR', 'XSUB']);
/** How long to wait before a ROUTER is asked again whether it knows a peer: no event tells. */
const ROUTE_RETRY = 10;

/** In milliseconds, where no limit was asked for. */
const XSUB_LINGER = 1000;

const EXAMPLES: readonly Example[] = [
  {
    does: 'every line of a log to a worker that pulls',
    command: 'tail -f app.log | zeromq-threads send --connect tcp://127.0.0.1:5555',
  },
  {
    does: 'ask a service, print what it answers, give up after 2 seconds',
    command:
      "zeromq-threads send --type REQ --connect tcp://127.0.0.1:5555 --timeout 2000 'what time is it?'",
  },
  {
    does: 'publish under a topic as soon as somebody has subscribed',
    command: 'zeromq-threads send --type PUB --bind tcp://127.0.0.1:5556 --wait 1 --topic news hello',
  },
  {
    does: 'three frames, the last one of bytes',
    command: `zeromq-threads send --connect tcp://127.0.0.1:5555 --format json '["a", "b", {"base64": "AAH/"}]'`,
  },
  {
    does: 'a file of any size, in pieces',
    command: 'zeromq-threads send --connect tcp://127.0.0.1:5555 --format raw --chunk 65536 < disk.img',
  },
  {
    does: 'a request over TCP to a program that knows nothing of ZeroMQ',
    command: `zeromq-threads send --type STREAM --connect tcp://127.0.0.1:8080 --reply --format json '"GET / HTTP/1.0\\r\\n\\r\\n"'`,
  },
];

const NOTES = `
Messages are the arguments, or else standard input until it ends. The command
ends when all of them have left; --linger limits that, and XSUB ends after a
second. It fails when a peer that it connects to refuses the handshake. PUB
drops what nobody has subscribed to: --wait N waits for N subscriptions first.
ROUTER takes the first frame, or --to, for whom a message is; that it is nobody
is an error unless --wait is given, which waits until that peer is there. STREAM
sends to its first connection, and ends a line with a newline.`;

export function sendCommand(): Command {
  const command = new Command('send')
    .summary('send messages from the command line or standard input')
    .description('Sends messages: the arguments, or what comes on standard input.')
    .argument('[message...]', 'messages in the format; without any, standard input')
    .option('-n, --count <n>', 'end after so many messages', count)
    .option(
      '--timeout <ms>',
      'wait no longer than this: for peers, for room, for a reply, and at the end',
      milliseconds,
    )
    .option(
      '--wait <n>',
      'first wait for so many peers; PUB and XPUB: subscriptions',
      integer(0, 1e6, 'peers'),
      0,
    )
    .option('--topic <text>', 'a first frame for each message')
    .option('--to <id>', 'ROUTER: whom to send to; hex:00ab for bytes')
    .option('--reply', 'print one reply to each message; REQ always does')
    .option('--chunk <bytes>', 'with --format raw: cut the input into messages of that size', largestCount);
  addSocketFlags(command, 'PUSH', TYPES);
  addFormatFlags(command, 'split lines into frames there; without it a line is one frame');
  command.action((messages: string[], flags: Flags) =>
    new Session('send').run((session) => send(session, messages, flags)),
  );
  return addExamples(addNotes(command, `${NOTES}\n${FORMAT_NOTES}`), EXAMPLES);
}

async function send(session: Session, messages: readonly string[], flags: Flags): Promise<void> {
  checkFlags(messages, flags);
  const { type, timeout = -1 } = flags;
  // An XPUB is a PUB that sees who subscribes.
  const counted = type === 'PUB' && flags.wait > 0;
  const socket = await makeSocket(session, flags, counted ? 'XPUB' : type);
  // Closed just when its publisher goes, an XSUB may never be done in libzmq 4.3.4.
  if (type === 'XSUB' && flags.linger === -1) socket.linger = XSUB_LINGER;
  if (socket.type === 'XPUB' && flags.wait > 0) socket.setOption('verbosity', 'allSubsUnsubs');
  // Unless told, what goes to nobody is not lost in silence.
  if (type === 'ROUTER' && !isSet(flags, 'mandatory')) socket.setOption('mandatory', true);
  const handshakes = new Handshakes(session, socket, flags);
  const peers = countPeers(session, socket, type === 'STREAM' ? 0 : flags.wait, timeout);
  attachSocket(session, socket, flags);
  await peers();
  const head = await headOf(session, socket, flags);
  const exchange = new Exchange(session, socket, flags, head);
  const all =
    messages.length > 0
      ? messages.map((text, index) =>
          parseMessage(flags.format, Buffer.from(text), flags.separator, `message ${index + 1}`),
        )
      : messagesFromInput(session, { format: flags.format, separator: flags.separator, chunk: flags.chunk });
  let sent = 0;
  for await (const frames of all) {
    if (session.interrupted) return;
    await exchange.send(frames);
    sent += 1;
    if (sent === flags.count) break;
  }
  if (sent > 0 && QUEUED.has(type)) await handshakes.settled();
}

function checkFlags(messages: readonly string[], flags: Flags): void {
  const { type, chunk, format, to, reply } = flags;
  if (chunk !== undefined && (format !== 'raw' || messages.length > 0)) {
    throw usageError('--chunk is for --format raw from standard input');
  }
  if (to !== undefined && type !== 'ROUTER') throw usageError(`--to is for ROUTER, not ${type}`);
  if (reply !== undefined && !ANSWERED.has(type)) throw usageError(`--reply: ${type} sockets get no replies`);
}

function isSet(flags: Flags, option: string): boolean {
  return (flags.option ?? []).some((text) => text.replaceAll('_', '').toLowerCase().includes(option));
}

/** The frames before those of each message. */
async function headOf(session: Session, socket: Socket, flags: Flags): Promise<Uint8Array[]> {
  const topic = flags.topic === undefined ? [] : [Buffer.from(flags.topic)];
  if (flags.to !== undefined) {
    const id = flags.to.startsWith('hex:') ? bytesOfHex(flags.to.slice(4), '--to') : Buffer.from(flags.to);
    return [id, ...topic];
  }
  if (flags.type !== 'STREAM') return topic;
  // The first message of a connection is its id and nothing.
  const [id] = await socket.receive({ timeout: flags.timeout ?? -1, signal: session.signal });
  return [id!, ...topic];
}

class Exchange {
  readonly #printer: Printer;
  readonly #wait: { timeout: number; signal: AbortSignal };
  readonly #replies: boolean;

  constructor(
    private readonly session: Session,
    private readonly socket: Socket,
    private readonly flags: Flags,
    private readonly head: readonly Uint8Array[],
  ) {
    this.#printer = new Printer(session, flags, flags.type === 'STREAM');
    this.#wait = { timeout: flags.timeout ?? -1, signal: session.signal };
    this.#replies = flags.reply === true || flags.type === 'REQ';
  }

  async send(message: readonly Buffer[]): Promise<void> {
    await this.#deliver(this.#framesOf(message));
    if (!this.#replies) return;
    let reply = await this.socket.receive(this.#wait);
    // STREAM tells of connections with messages of nothing.
    while (this.flags.type === 'STREAM' && reply[1]?.length === 0) {
      if (reply[0]?.equals(this.head[0]!)) return;
      reply = await this.socket.receive(this.#wait);
    }
    this.#printer.add(reply);
    await this.#printer.flush();
  }

  #framesOf(message: readonly Buffer[]): Uint8Array[] {
    if (this.flags.type !== 'STREAM') return [...this.head, ...message];
    const end = this.flags.format === 'lines' ? [Buffer.from('\n')] : [];
    return [this.head[0]!, Buffer.concat([...this.head.slice(1), ...message, ...end])];
  }

  async #deliver(frames: Uint8Array[]): Promise<void> {
    const { timeout } = this.#wait;
    const until = timeout < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeout;
    for (;;) {
      try {
        if (!this.socket.trySend(frames)) await this.socket.send(frames, this.#wait);
        return;
      } catch (error) {
        const absent = (error as { code?: string }).code === 'EHOSTUNREACH';
        if (!absent || this.flags.wait === 0 || performance.now() > until || this.session.interrupted)
          throw error;
        await pause(ROUTE_RETRY);
      }
    }
  }
}
