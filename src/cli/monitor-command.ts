/** zeromq-threads monitor: what happens to the connections of a socket. */
import { Argument, Command } from 'commander';
import type { SocketEvent } from '../index.js';
import { type CanonicalType, SOCKET_TYPES } from '../socket-types.js';
import { addExamples, addNotes, count, type Example, listed, milliseconds } from './arguments.js';
import { CommandError, EXIT, usageError } from './outcome.js';
import { Session } from './session.js';
import { addSocketFlags, attachSocket, makeSocket, type SocketFlags } from './socket-flags.js';

interface Flags extends SocketFlags {
  json?: true;
  count?: number;
  event?: string[];
}

const TYPES = (Object.keys(SOCKET_TYPES) as CanonicalType[]).filter((type) => !SOCKET_TYPES[type].draft);

const EVENTS = [
  'connect',
  'connect:delay',
  'connect:retry',
  'bind',
  'bind:error',
  'accept',
  'accept:error',
  'close',
  'close:error',
  'disconnect',
  'handshake',
  'handshake:error:other',
  'handshake:error:protocol',
  'handshake:error:auth',
];

const EXAMPLES: readonly Example[] = [
  {
    does: 'is there somebody to talk to, who pulls? The exit status is 124 if not within 2 seconds',
    command:
      'zeromq-threads monitor tcp://127.0.0.1:5555 --type PUSH --event handshake --count 1 --timeout 2000',
  },
  {
    does: 'who comes and goes at a port, as JSON',
    command: 'zeromq-threads monitor --bind tcp://127.0.0.1:5555 --type ROUTER --json',
  },
  {
    does: 'does the server take our key?',
    command:
      'zeromq-threads monitor tcp://127.0.0.1:5555 --curve-server-key keys/server.key --curve-keys keys/client.key_secret --count 3',
  },
];

const NOTES = `
A line is the time, the event, the address, and what else there is to know of
it. The socket takes part like any other: a PULL or SUB that connects gets
messages, which nobody reads. For a handshake to succeed its type has to fit
that of the peer; DEALER fits ROUTER, REP and DEALER, and PUSH fits PULL.`;

export function monitorCommand(): Command {
  const command = new Command('monitor')
    .summary('show connection events of a socket')
    .description('Connects a socket, or binds it with --bind, and prints what happens to its connections.')
    .addArgument(new Argument('[endpoint]', 'where to connect'))
    .option('--event <name>', 'print this event only; can be repeated', listed)
    .option('-n, --count <n>', 'end after so many events', count)
    .option('--timeout <ms>', 'end with status 124 when so much time is over', milliseconds)
    .option('--json', 'print a line of JSON for each event');
  addSocketFlags(command, 'DEALER', TYPES);
  command.action((endpoint: string | undefined, flags: Flags) =>
    new Session('monitor').run((session) =>
      monitor(session, {
        ...flags,
        ...(endpoint !== undefined && { connect: [endpoint, ...(flags.connect ?? [])] }),
      }),
    ),
  );
  return addExamples(addNotes(command, `${NOTES}\n\nEvents:\n${eventList()}`), EXAMPLES);
}

function eventList(): string {
  const lines = [''];
  for (const event of EVENTS) {
    const last = lines.at(-1)!;
    if (last.length + event.length > 74) lines.push(event);
    else lines[lines.length - 1] = last === '' ? event : `${last}, ${event}`;
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

async function monitor(session: Session, flags: Flags): Promise<void> {
  const wanted = flags.event === undefined ? undefined : new Set(flags.event);
  for (const event of wanted ?? []) {
    if (!EVENTS.includes(event))
      throw usageError(`--event: expected one of ${EVENTS.join(', ')}, got '${event}'`);
  }
  const socket = await makeSocket(session, { ...flags, linger: 0 });
  const events = socket.events[Symbol.asyncIterator]();
  // The loop over the events ends with the socket.
  let late = false;
  const close = (): void => socket.close();
  session.signal.addEventListener('abort', close);
  const { timeout = -1 } = flags;
  const timer =
    timeout < 0
      ? undefined
      : setTimeout(() => {
          late = true;
          close();
        }, timeout);
  attachSocket(session, socket, flags);
  let seen = 0;
  for await (const event of events) {
    if (event.type === 'end' || (wanted !== undefined && !wanted.has(event.type))) continue;
    if (late || session.interrupted) continue;
    await session.write(`${flags.json ? jsonOf(event) : lineOf(event)}\n`);
    seen += 1;
    if (seen === flags.count) break;
  }
  clearTimeout(timer);
  if (late) throw new CommandError(`--timeout is over after ${timeout} ms, ${seen} events`, EXIT.timeout);
}

function jsonOf(event: SocketEvent): string {
  return JSON.stringify({ time: new Date().toISOString(), ...event });
}

function lineOf({ type, address, ...details }: SocketEvent): string {
  const rest = Object.entries(details).map(([name, value]) => `${name}=${value}`);
  return [new Date().toISOString(), type.padEnd(13), address, ...rest].join(' ').trimEnd();
}
