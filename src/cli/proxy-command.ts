/** zeromq-threads proxy: a broker, a forwarder, a streamer, or any two sockets. */
import { Argument, Command } from 'commander';
import type { Proxy as MessageProxy, ProxyStatistics } from '../index.js';
import type { CanonicalType } from '../socket-types.js';
import { addExamples, addNotes, type Example, listed, milliseconds, seconds } from './arguments.js';
import { usageError } from './outcome.js';
import { openPlace, type Place, placeOf } from './proxy-place.js';
import { Session } from './session.js';

interface Flags {
  frontend?: string[];
  backend?: string[];
  capture?: string[];
  frontendOption?: string[];
  backendOption?: string[];
  stats?: number | true;
  json?: true;
  linger: number;
}

const PRESETS: Readonly<Record<string, readonly [CanonicalType, CanonicalType]>> = {
  broker: ['ROUTER', 'DEALER'],
  forwarder: ['XSUB', 'XPUB'],
  streamer: ['PULL', 'PUSH'],
};

const EXAMPLES: readonly Example[] = [
  {
    does: 'requests from clients at port 5555 to services at port 5556',
    command:
      'zeromq-threads proxy broker --frontend tcp://127.0.0.1:5555 --backend tcp://127.0.0.1:5556 --stats',
  },
  {
    does: 'what others publish, passed on; publishers connect here',
    command: 'zeromq-threads proxy forwarder --frontend tcp://127.0.0.1:5557 --backend tcp://127.0.0.1:5558',
  },
  {
    does: 'take work from one place, hand it to another, let others watch',
    command:
      'zeromq-threads proxy streamer --frontend connect:tcp://127.0.0.1:5559 --backend tcp://127.0.0.1:5560 --capture PUB:bind:tcp://127.0.0.1:5561',
  },
  {
    does: 'any two types between which messages can go',
    command:
      'zeromq-threads proxy --frontend DEALER:bind:tcp://127.0.0.1:5562 --backend DEALER:connect:tcp://127.0.0.1:5563',
  },
];

const NOTES = `
A socket is TYPE:bind:ENDPOINT or TYPE:connect:ENDPOINT. Without bind or connect
it is bound; with a preset the type can be left out. Several of the same type
give one socket several endpoints.

  broker     ROUTER, DEALER   requests to services, replies back to who asked
  forwarder  XSUB, XPUB       what is published one way, subscriptions the other
  streamer   PULL, PUSH       work from sources to sinks

The proxy runs until SIGINT or SIGTERM. Statistics go to stderr.`;

export function proxyCommand(): Command {
  const command = new Command('proxy')
    .summary('pass messages between two sockets')
    .description('Passes messages between two sockets, in a thread of its own.')
    .addArgument(new Argument('[preset]', 'the types of the two sockets').choices(Object.keys(PRESETS)))
    .option('--frontend <socket>', 'what clients talk to; can be repeated', listed)
    .option('--backend <socket>', 'what services talk to; can be repeated', listed)
    .option(
      '--capture <socket>',
      'gets a copy of every message: PUB (unless told), PUSH, PAIR, DEALER',
      listed,
    )
    .option('--frontend-option <name=value>', 'a socket option; can be repeated', listed)
    .option('--backend-option <name=value>', 'a socket option; can be repeated', listed)
    .option('--stats [seconds]', 'print statistics, each second unless told, and at the end', seconds)
    .option('--json', 'statistics as lines of JSON')
    .option(
      '--linger <ms>',
      'how long unsent messages may take to leave at the end (-1: no limit)',
      milliseconds,
      0,
    )
    .action((preset: string | undefined, flags: Flags) =>
      new Session('proxy').run((session) => runProxy(session, preset, flags)),
    );
  return addExamples(addNotes(command, NOTES), EXAMPLES);
}

async function runProxy(session: Session, preset: string | undefined, flags: Flags): Promise<void> {
  const { frontend, backend, capture, frontendOption = [], backendOption = [], linger } = flags;
  if (frontend === undefined || backend === undefined)
    throw usageError('expected both --frontend and --backend');
  if (flags.json && flags.stats === undefined) throw usageError('--json is for --stats');
  const types = preset === undefined ? [] : PRESETS[preset]!;
  const places: [string, Place, string[]][] = [
    ['frontend', placeOf('--frontend', frontend, types[0]), frontendOption],
    ['backend', placeOf('--backend', backend, types[1]), backendOption],
  ];
  if (capture !== undefined) places.push(['capture', placeOf('--capture', capture, 'PUB'), []]);
  const sockets = [];
  for (const [name, place, options] of places) {
    sockets.push(await openPlace(session, name, place, linger, options));
  }
  const [front, back, observer] = sockets;
  const { Proxy: MessageProxy } = await session.load();
  const proxy = new MessageProxy(front!, back!, observer === undefined ? {} : { capture: observer });
  const ended = proxy.run();
  session.atEnd(() => proxy.terminate());
  session.signal.addEventListener('abort', () => void proxy.terminate());
  if (session.interrupted) return;
  session.note('running');
  if (flags.stats !== undefined) showStatistics(session, proxy, flags);
  await ended;
}

function showStatistics(session: Session, proxy: MessageProxy, { stats, json }: Flags): void {
  const interval = (stats === true ? 1 : stats!) * 1000;
  const live = process.stderr.isTTY && !json;
  let before = proxy.statistics();
  let at = performance.now();
  const show = (last: boolean): void => {
    const now = proxy.statistics();
    const elapsed = performance.now() - at;
    const text = json
      ? JSON.stringify({ time: new Date().toISOString(), ...now })
      : lineOf(now, before, elapsed);
    // On a terminal one line is written over and over.
    process.stderr.write(live ? `\r${text}\x1b[K${last ? '\n' : ''}` : `${text}\n`);
    before = now;
    at = performance.now();
  };
  const timer = setInterval(() => show(false), interval);
  session.atEnd(() => {
    clearInterval(timer);
    show(true);
  });
}

function lineOf(now: ProxyStatistics, before: ProxyStatistics, elapsed: number): string {
  const forward = side(
    '->',
    now.frontend.messagesIn,
    before.frontend.messagesIn,
    now.frontend.bytesIn,
    elapsed,
  );
  const backward = side(
    '<-',
    now.backend.messagesIn,
    before.backend.messagesIn,
    now.backend.bytesIn,
    elapsed,
  );
  const undeliverable = now.frontend.undeliverable + now.backend.undeliverable;
  const more = [
    ...(now.captured.messages > 0 ? [`captured ${now.captured.messages}`] : []),
    ...(undeliverable > 0 ? [`undeliverable ${undeliverable}`] : []),
  ];
  return [forward, backward, ...more].join('  ');
}

function side(arrow: string, total: number, before: number, bytes: number, elapsed: number): string {
  const rate = Math.round(((total - before) / Math.max(elapsed, 1)) * 1000);
  return `${arrow} ${total} messages, ${bytes} bytes, ${rate}/s`;
}
