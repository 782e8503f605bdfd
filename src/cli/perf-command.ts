/** zeromq-threads perf: throughput and latency between two processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Argument, Command, Option } from 'commander';
import { COMMAND_LINE } from '../entry-files.js';
import type { Socket } from '../index.js';
import { addExamples, addNotes, type Example, integer, seconds } from './arguments.js';
import { CommandError, checkingInput, usageError } from './outcome.js';
import {
  greet,
  type LatencyRow,
  measureLatency,
  measureThroughput,
  type ThroughputRow,
} from './perf-client.js';
import { servePerf } from './perf-peer.js';
import { Session } from './session.js';

interface Flags {
  size: number;
  seconds: number;
  inFlight: number;
  endpoint?: string;
  connect?: string;
  serve?: string;
  json?: boolean;
  untilInputEnds?: true;
}

const KINDS = ['throughput', 'latency'] as const;
type Kind = (typeof KINDS)[number];

const EXAMPLES: readonly Example[] = [
  { does: 'throughput, then latency, over loopback tcp, three seconds each', command: 'zeromq-threads perf' },
  {
    does: 'large messages over a Unix socket',
    command: 'zeromq-threads perf throughput --size 65536 --endpoint ipc:///tmp/perf.sock',
  },
  { does: 'between two machines: on one of them', command: 'zeromq-threads perf --serve tcp://0.0.0.0:5570' },
  { does: '... and on the other', command: 'zeromq-threads perf --connect tcp://192.0.2.1:5570' },
];

const NOTES = `
One process sends over a PAIR socket, and another receives, both with this
package. Throughput is what came, by the clock of the receiver, in batches();
every message is counted, and a lost one is a failure. Latency is a round trip:
sent with await, returned by the other process, received with await. To compare
with libzmq in C and npm zeromq in the same run, see bench/ in the repository.`;

export function perfCommand(): Command {
  const command = new Command('perf')
    .summary('measure throughput and latency between two processes')
    .description('Measures throughput and latency between two processes, with a row for each second.')
    .addArgument(new Argument('[kind]', 'what to measure; both unless told').choices(KINDS))
    .option('-s, --size <bytes>', 'size of a message', integer(1, 2 ** 30, 'bytes'), 16)
    .option('-d, --seconds <n>', 'how long to measure each', seconds, 3)
    .option('--in-flight <n>', 'latency: messages under way at once', integer(1, 500, 'messages'), 1)
    .option('--endpoint <endpoint>', 'start the other process there (default: tcp://127.0.0.1:*)')
    .option('--connect <endpoint>', 'measure with the process that serves there')
    .option('--serve <endpoint>', 'be that process, until interrupted')
    .option('--json', 'print a line of JSON for each row')
    // So that the other process does not outlive this one, however it ends.
    .addOption(new Option('--until-input-ends').hideHelp())
    .action((kind: Kind | undefined, flags: Flags) =>
      new Session('perf').run((session) => perf(session, kind, flags)),
    );
  return addExamples(addNotes(command, NOTES), EXAMPLES);
}

async function perf(session: Session, kind: Kind | undefined, flags: Flags): Promise<void> {
  const { serve, connect, endpoint, untilInputEnds } = flags;
  const places = [serve, connect, endpoint].filter((place) => place !== undefined);
  if (places.length > 1) throw usageError('--serve, --connect and --endpoint exclude each other');
  if (serve !== undefined) {
    if (untilInputEnds) process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).resume();
    await servePerf(session, serve);
    return;
  }
  const { Socket } = await session.load();
  const socket = session.own(new Socket('PAIR', { linger: 0 }));
  const place = connect ?? (await startPeer(session, endpoint ?? 'tcp://127.0.0.1:*'));
  checkingInput(() => socket.connect(place));
  const version = await greet(session, socket);
  const { json = false, size } = flags;
  if (!json) await session.write(`libzmq ${version}, ${place}, messages of ${size} bytes\n`);
  if (kind !== 'latency') await throughput(session, socket, flags, json);
  if (kind !== 'throughput') await latency(session, socket, flags, json);
}

interface Setup {
  readonly size: number;
  readonly seconds: number;
  readonly inFlight: number;
}

async function throughput(session: Session, socket: Socket, setup: Setup, json: boolean): Promise<void> {
  const heads = ['seconds', 'messages', 'messages/s', 'MB/s'];
  const print = printer(session, 'throughput', heads, json, ({ seconds, messages, bytes }: ThroughputRow) => [
    seconds.toFixed(2),
    String(messages),
    String(Math.round(messages / seconds)),
    (bytes / seconds / 1e6).toFixed(2),
  ]);
  await print.head();
  await print.row(
    'total',
    await measureThroughput(session, socket, setup, (row) => print.row('second', row)),
  );
}

async function latency(session: Session, socket: Socket, setup: Setup, json: boolean): Promise<void> {
  const heads = ['seconds', 'round trips', 'p50 us', 'p99 us', 'max us'];
  const print = printer(
    session,
    'latency',
    heads,
    json,
    ({ seconds, roundTrips, p50, p99, max }: LatencyRow) => [
      seconds.toFixed(2),
      String(roundTrips),
      ...[p50, p99, max].map((value) => value.toFixed(1)),
    ],
  );
  await print.head();
  await print.row('total', await measureLatency(session, socket, setup, (row) => print.row('second', row)));
}

/** Prints rows as they come: aligned, or as JSON. */
function printer<Row extends object>(
  session: Session,
  kind: Kind,
  heads: readonly string[],
  json: boolean,
  cells: (row: Row) => string[],
) {
  const line = (name: string, values: readonly string[]): string =>
    `${name.padEnd(10)}${values.map((value) => value.padStart(13)).join('')}\n`;
  return {
    head: async (): Promise<void> => {
      if (!json) await session.write(`\n${line(kind, heads)}`);
    },
    row: (name: 'second' | 'total', row: Row): Promise<void> =>
      session.write(json ? `${JSON.stringify({ kind, row: name, ...row })}\n` : line(name, cells(row))),
  };
}

/** Starts the other process. @returns where it listens */
async function startPeer(session: Session, endpoint: string): Promise<string> {
  const main = fileURLToPath(COMMAND_LINE);
  const child = spawn(process.execPath, [main, 'perf', '--serve', endpoint, '--until-input-ends'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  session.atEnd(() => ended(child));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  for await (const line of createInterface({ input: child.stdout, signal: session.signal })) {
    const [, bound] = /^listening on (\S+)$/.exec(line) ?? [];
    if (bound !== undefined) return bound;
  }
  if (session.interrupted) throw session.signal.reason;
  await ended(child);
  const [reason = `it ended with ${child.exitCode}`] = said.split('\n').filter(Boolean);
  const text = `the other process: ${reason.replace(/^zeromq-threads perf: /, '')}`;
  throw new CommandError(text, child.exitCode ?? undefined);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
    child.stdin?.end();
  });
}
