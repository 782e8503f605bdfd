/** The attacks: each is some connections, and what a server without security may take for messages in them. */
import type { Random } from '../random.js';
import {
  command,
  frame,
  framesOfZmtp1,
  framesOfZmtp3,
  greeting,
  hello,
  type Mechanism,
  property,
  randomBytes,
  ready,
  type Step,
  zmtp1,
  zmtp2,
} from './zmtp.js';

export interface Connection {
  readonly steps: readonly Step[];
  readonly ending: 'close' | 'reset' | 'half' | 'wait' | 'hold';
}

export interface Attack {
  readonly name: string;
  readonly connections: readonly Connection[];
  /** Frames that are well-formed, and come in where there is no security. */
  readonly fromAnybody?: readonly Buffer[];
  /** Frames that are well-formed, of those who were let in. */
  readonly fromInside?: readonly Buffer[];
}

/** Who is attacked, as strangers see it. */
export interface Target {
  readonly mechanism: Mechanism;
  /** The type that strangers say their own sockets have. */
  readonly peerType: string;
  readonly maxMessageSize: number;
}

export const USER = { name: 'honest', password: 'not guessed' } as const;

/** libzmq's numbers for socket types, which ZMTP 2.0 has on the wire. */
const TYPE_NUMBERS: Readonly<Record<string, number>> = {
  PAIR: 0,
  PUB: 1,
  SUB: 2,
  REQ: 3,
  DEALER: 5,
  PUSH: 8,
};
const GIGABYTE = 2 ** 30;
const GREETING_SIZE = 64;
const LONG_HEADER_SIZE = 9;
const UNKNOWN_TOPIC = Buffer.alloc(3000, 65);
const OLD_MESSAGE = Buffer.from('said by a peer of an old protocol');

export const just = (bytes: Buffer): Step[] => [{ bytes }];
const joined = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

/** Greeting and handshake of one who is let in; of CURVE, a HELLO that is none. */
export function entered(mechanism: Mechanism, socketType: string): Step[] {
  const hi = greeting(mechanism);
  const metadata = property('Socket-Type', socketType);
  // Before the server has said READY too, nothing but commands of the handshake may come.
  if (mechanism === 'NULL') {
    return [{ bytes: joined(hi, ready(socketType)) }, { bytes: Buffer.alloc(0), after: GREETING_SIZE + 1 }];
  }
  if (mechanism === 'CURVE') return just(joined(hi, command('HELLO', Buffer.alloc(194, 7))));
  return [
    { bytes: joined(hi, hello(USER.name, USER.password)) },
    { bytes: command('INITIATE', metadata), after: GREETING_SIZE + 1 },
    // The answer to HELLO has ten bytes, that to INITIATE comes behind it.
    { bytes: Buffer.alloc(0), after: GREETING_SIZE + 11 },
  ];
}

/** Connections that do the same and end in every way but waiting. */
function endedAnyhow(steps: readonly Step[]): Connection[] {
  return (['close', 'reset', 'half'] as const).map((ending) => ({ steps, ending }));
}

function followedBy(steps: readonly Step[], bytes: Buffer): Step[] {
  return [...steps, { bytes }];
}

function greetings(random: Random, mechanism: Mechanism): Attack[] {
  const whole = greeting(mechanism);
  const changed = Array.from(whole, (byte, at) => {
    const copy = Buffer.from(whole);
    copy[at] = byte ^ (1 + random.below(255));
    return copy;
  });
  const lengths = Array.from({ length: GREETING_SIZE + 1 }, (_, length) => length);
  const other = mechanism === 'NULL' ? 'CURVE' : 'NULL';
  return [
    {
      name: 'greetings of every length',
      connections: lengths.flatMap((length): Connection[] => {
        const steps = just(whole.subarray(0, length));
        return [...endedAnyhow(steps), { steps, ending: 'wait' }];
      }),
    },
    {
      name: 'greetings that are wrong in one byte',
      // Where the first bytes are wrong, they are right for an older protocol, which knows no end of the handshake.
      connections: changed.map((bytes, at) => ({ steps: just(bytes), ending: at <= 10 ? 'half' : 'wait' })),
      fromAnybody: changed.slice(0, 11).flatMap(framesOfZmtp1),
    },
    {
      name: 'passwords that are wrong',
      connections: [hello(USER.name, 'guessed'), hello('', '')].map((bytes) => ({
        steps: just(joined(whole, bytes)),
        ending: 'wait',
      })),
    },
    {
      name: 'another mechanism',
      connections: [other, 'GSSAPI', '', 'NULLNULLNULLNULLNULL'].map((name) => ({
        steps: just(greeting(name)),
        ending: 'wait',
      })),
    },
  ];
}

function nonsense(random: Random, mechanism: Mechanism, count: number): Attack[] {
  const bytes = (): Buffer => randomBytes(random, 1 + random.below(2000));
  const alone = Array.from({ length: count }, bytes);
  const greeted = Array.from({ length: count }, bytes);
  const http = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n');
  const tls = Buffer.from('16030100c8010000c40303', 'hex');
  return [
    {
      name: 'bytes at random',
      connections: [...alone, http, tls].map((each) => ({ steps: just(each), ending: 'half' })),
      fromAnybody: [...alone, http, tls].flatMap(framesOfZmtp1),
    },
    {
      name: 'a greeting, and then bytes at random',
      connections: greeted.map((each) => ({
        steps: just(joined(greeting(mechanism), each)),
        ending: 'half',
      })),
    },
  ];
}

function oldProtocols(socketType: string): Attack[] {
  const number = TYPE_NUMBERS[socketType]!;
  const body = OLD_MESSAGE;
  return [
    {
      name: 'ZMTP 1.0',
      connections: [zmtp1(body), zmtp1(body, body).subarray(0, -1), Buffer.from('01000000', 'hex')].map(
        (bytes) => ({
          steps: just(bytes),
          ending: 'half',
        }),
      ),
      fromAnybody: [body],
    },
    {
      name: 'ZMTP 2.0',
      connections: [zmtp2(number, body), zmtp2(99, body), zmtp2(number).subarray(0, 11)].map((bytes) => ({
        steps: just(bytes),
        ending: 'half',
      })),
      fromAnybody: [body],
    },
    {
      name: 'old protocols that announce a gigabyte',
      connections: [
        joined(Buffer.from([1, 0]), Buffer.from('ff000000004000000000', 'hex')),
        Buffer.from('ff00000000400000007e', 'hex'),
        joined(zmtp2(number), frame(Buffer.alloc(0), GIGABYTE)),
      ].map((bytes) => ({ steps: just(bytes), ending: 'half' })),
    },
  ];
}

function commands(mechanism: Mechanism, socketType: string): Attack {
  const metadata = property('Socket-Type', socketType);
  const initiate = mechanism === 'NULL' ? 'READY' : 'INITIATE';
  const before = [
    command('READY', Buffer.alloc(0), 2n ** 63n),
    command('READY', metadata, 2n ** 64n - 1n),
    command('READY', metadata, 2 ** 40),
    command(initiate, property('Socket-Type', socketType, 0xffff_ffff)),
    command(initiate, property('Socket-Type', socketType, 0x7fff_ffff)),
    command(initiate, joined(metadata, Buffer.from([200]))),
    command(initiate, property('Socket-Type', 'NONSENSE')),
    command(initiate, property('', '')),
    command('HELLO', Buffer.from([255])),
    command('HELLO', Buffer.from([1, 65, 255])),
    command('HELLO'),
    command('ERROR', Buffer.from([255, 65])),
    command('ERROR'),
    command('WELCOME'),
    command(''),
    frame(Buffer.from([255, 65, 66]), 3, 4),
    frame(Buffer.alloc(0), 0, 4),
    frame(Buffer.from('no command'), 10),
  ];
  const afterwards = [
    command('PING'),
    command('PING', Buffer.from([0xff])),
    command('PING', Buffer.alloc(5000, 1)),
    command('PONG', Buffer.alloc(5000, 1)),
    command('SUBSCRIBE'),
    command('CANCEL', UNKNOWN_TOPIC),
    command('SUBSCRIBE', Buffer.alloc(0), 2n ** 63n),
    command('ERROR', Buffer.from([255, 65])),
    frame(Buffer.alloc(0), 0, 4),
    frame(Buffer.from([255, 65, 66]), 3, 4),
    frame(Buffer.from([2, 65, 66]), 3, 4 | 1),
    ready(socketType),
  ];
  return {
    name: 'commands of absurd lengths and contents',
    connections: [
      ...before.map((bytes) => just(joined(greeting(mechanism), bytes))),
      ...afterwards.map((bytes) => followedBy(entered(mechanism, socketType), bytes)),
    ].map((steps) => ({ steps, ending: 'half' })),
    // Sockets that do not publish take the commands for subscriptions as they would any frame.
    fromInside: [
      ...afterwards.map((bytes) => bytes.subarray(LONG_HEADER_SIZE)),
      Buffer.concat([Buffer.from([0]), UNKNOWN_TOPIC]), // and those that do take them for what they mean
    ],
  };
}

function frames(random: Random, target: Target, count: number): Attack[] {
  const inside = entered(target.mechanism, target.peerType);
  const message = frame(Buffer.alloc(500, 65));
  const streams = Array.from({ length: count }, () => randomBytes(random, 1 + random.below(500)));
  return [
    {
      name: 'a frame that is cut off',
      connections: [1, 8, 9, 10, 300, message.length - 1].flatMap((length) =>
        endedAnyhow(followedBy(inside, message.subarray(0, length))),
      ),
    },
    {
      name: 'a message that is cut off between two frames',
      connections: endedAnyhow(followedBy(inside, frame(Buffer.alloc(10, 65), 10, 1))),
    },
    {
      name: 'a frame that is larger than it may be',
      connections: [target.maxMessageSize + 1, GIGABYTE, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n].map(
        (size) => ({
          steps: followedBy(inside, frame(Buffer.alloc(1000, 65), size)),
          ending: 'wait',
        }),
      ),
    },
    {
      name: 'bytes at random after the handshake',
      connections: streams.map((bytes) => ({ steps: followedBy(inside, bytes), ending: 'half' })),
      fromInside: streams.flatMap(framesOfZmtp3),
    },
  ];
}

/** Everything that strangers try at a server, in an order of no importance. `count`: how many of each kind at random. */
export function attacks(random: Random, target: Target, count: number): Attack[] {
  const { mechanism, peerType } = target;
  return [
    ...greetings(random, mechanism),
    ...nonsense(random, mechanism, count),
    ...oldProtocols(peerType),
    commands(mechanism, peerType),
    ...frames(random, target, count),
  ];
}

/** The frame that came over old protocols, where these are let in. */
export { OLD_MESSAGE };
