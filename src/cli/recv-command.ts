/** zeromq-threads recv: prints what comes, and answers if asked to. */
import { Command } from 'commander';
import type { Message, Socket } from '../index.js';
import type { CanonicalType } from '../socket-types.js';
import { addExamples, addNotes, count, type Example, listed, milliseconds } from './arguments.js';
import { addFormatFlags, FORMAT_NOTES } from './format-flags.js';
import { usageError } from './outcome.js';
import { Printer } from './printer.js';
import { type Responder, type ResponderFlags, responderOf } from './responder.js';
import { Session } from './session.js';
import { addSocketFlags, attachSocket, makeSocket, type SocketFlags } from './socket-flags.js';

interface Flags extends SocketFlags, ResponderFlags {
  count?: number;
  topic?: string[];
}

const TYPES: readonly CanonicalType[] = [
  'PULL',
  'SUB',
  'REP',
  'DEALER',
  'ROUTER',
  'PAIR',
  'XPUB',
  'XSUB',
  'STREAM',
];

const EXAMPLES: readonly Example[] = [
  {
    does: 'print what is pushed here, a line for each message',
    command: 'zeromq-threads recv --bind tcp://127.0.0.1:5555',
  },
  {
    does: 'the next ten messages of two topics, as JSON',
    command:
      'zeromq-threads recv --type SUB --connect tcp://127.0.0.1:5556 --topic news --topic sport --count 10 --format json',
  },
  {
    does: 'a service that answers with the request in capitals',
    command: "zeromq-threads recv --type REP --bind tcp://127.0.0.1:5555 --exec 'tr a-z A-Z'",
  },
  {
    does: 'wait five seconds for one message at most; the exit status is 124 if none came',
    command: 'zeromq-threads recv --connect tcp://127.0.0.1:5555 --count 1 --timeout 5000',
  },
  {
    does: 'a CURVE server that lets in one client',
    command:
      'zeromq-threads recv --bind tcp://127.0.0.1:5555 --curve-server --curve-keys keys/server.key_secret --curve-allow keys/client.key',
  },
  {
    does: 'an echo server for plain TCP',
    command: 'zeromq-threads recv --type STREAM --bind tcp://127.0.0.1:7007 --echo',
  },
];

const NOTES = `
Messages are printed until --count is reached or the command is interrupted.
SUB and XSUB subscribe to everything unless --topic says to what. REP answers
with an empty message unless --reply, --echo or --exec is given; ROUTER, DEALER,
PAIR and STREAM answer only then, to whom the message came from. ROUTER prints
the routing id, as the first frame. STREAM prints the bytes that come; json and
hex show whose they are. What came and was not printed when the command ended is
lost, as with any ZeroMQ receiver: its peer is told nothing.`;

export function recvCommand(): Command {
  const command = new Command('recv')
    .summary('print messages, and answer them')
    .description('Receives messages and prints them on standard output.')
    .option('-n, --count <n>', 'end after so many messages', count)
    .option('--timeout <ms>', 'end with status 124 when no message came for so long', milliseconds)
    .option('--topic <text>', 'SUB and XSUB: what to subscribe to; can be repeated', listed)
    .option('--reply <message>', 'answer each message with this, in the format')
    .option('--echo', 'answer each message with itself')
    .option(
      '--exec <command>',
      'answer with what this shell command prints; the message is its standard input',
    );
  addSocketFlags(command, 'PULL', TYPES);
  addFormatFlags(command, 'what to print between frames of a line (a tab unless told)');
  command.action((flags: Flags) => new Session('recv').run((session) => recv(session, flags)));
  return addExamples(addNotes(command, `${NOTES}\n${FORMAT_NOTES}`), EXAMPLES);
}

async function recv(session: Session, flags: Flags): Promise<void> {
  const { type, topic } = flags;
  const subscribes = type === 'SUB' || type === 'XSUB';
  if (topic !== undefined && !subscribes) throw usageError(`--topic is for SUB and XSUB, not ${type}`);
  const responder = responderOf(session, flags);
  const socket = await makeSocket(session, flags);
  if (subscribes) {
    socket.subscribe(...(topic ?? ['']));
    // All that it could have unsent are subscriptions, for a publisher that may be gone.
    socket.linger = 0;
  }
  attachSocket(session, socket, flags);
  await new Reception(session, socket, flags, responder).run();
}

class Reception {
  readonly #printer: Printer;
  readonly #wait: { timeout: number; signal: AbortSignal };
  #left: number;

  constructor(
    private readonly session: Session,
    private readonly socket: Socket,
    private readonly flags: Flags,
    private readonly responder: Responder | undefined,
  ) {
    this.#printer = new Printer(session, flags, flags.type === 'STREAM');
    this.#wait = { timeout: flags.timeout ?? -1, signal: session.signal };
    this.#left = flags.count ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<void> {
    while (this.#left > 0 && !this.session.interrupted) {
      let frames: Message[] | undefined = await this.socket.receive(this.#wait);
      let full = false;
      while (frames !== undefined && !full) {
        full = await this.#take(frames);
        frames = this.#left > 0 && !full ? this.socket.tryRecvMultipart() : undefined;
      }
      await this.#printer.flush();
    }
  }

  /** @returns whether it is time to write */
  async #take(frames: Message[]): Promise<boolean> {
    // STREAM tells of connections with messages of nothing.
    if (this.flags.type === 'STREAM' && frames[1]?.length === 0) return false;
    this.#left -= 1;
    const full = this.#printer.add(frames);
    if (this.responder === undefined) return full;
    await this.#printer.flush();
    const answer = await this.responder(frames);
    try {
      await this.socket.send(answer, this.#wait);
    } catch (error) {
      // Who asked has gone.
      if ((error as { code?: string }).code !== 'EHOSTUNREACH') throw error;
    }
    return true;
  }
}
