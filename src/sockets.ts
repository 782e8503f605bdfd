/**
 * A class for each socket type, with the methods and options that the type supports and no others. They add
 * types to {@link Socket} and nothing else: at run time it is Socket that refuses, with ENOTSUP, what a type
 * cannot do.
 *
 * Each is a value and an interface of one name. The interfaces cannot extend the class Socket, since a
 * subtype cannot take members away; they are made of parts of it. Code that takes any socket says {@link
 * CommonSocket}.
 */
import type { CommonOptionName, SocketOptionProperties, SocketOptions } from './option-types.js';
import { Socket } from './socket.js';
import type { CanonicalType } from './socket-types.js';

type SendMember = 'send' | 'sendMultipart' | 'trySend' | 'sendSync' | 'writable';
type ReceiveMember =
  | 'recv'
  | 'recvMultipart'
  | 'receive'
  | 'tryRecv'
  | 'tryRecvMultipart'
  | 'recvSync'
  | 'recvMultipartSync'
  | 'batches'
  | 'readable'
  | typeof Symbol.asyncIterator;
type SubscribeMember = 'subscribe' | 'unsubscribe';
/** What only types of the draft API have. */
type DraftMember = 'join' | 'leave' | 'connectPeer';

type SpecialOption = Exclude<keyof SocketOptionProperties<'all'>, CommonOptionName>;

/**
 * What every socket has, whatever its type. A {@link Socket} is one, and so is an object of any typed class.
 */
export type CommonSocket = Omit<
  Socket,
  SendMember | ReceiveMember | SubscribeMember | DraftMember | SpecialOption
>;

/** The sending half of a {@link Socket}. */
export type SendingSocket = Pick<Socket, SendMember>;

/** The receiving half of a {@link Socket}. */
export type ReceivingSocket = Pick<Socket, ReceiveMember>;

/** How a {@link Socket} chooses what it receives. */
export type SubscribingSocket = Pick<Socket, SubscribeMember>;

/**
 * The constructor of a typed socket class. Classes can extend it. In TypeScript, one that overrides methods extends {@link
 * Socket} instead: to the compiler, those of the typed classes are properties.
 *
 * ```ts
 * class Jobs extends Socket {
 *   constructor() {
 *     super('PULL');
 *   }
 *   override async receive(): Promise<Message[]> { ... }
 * }
 * ```
 *
 * @typeParam Options what the constructor takes. (Not the socket type itself: to compare two types of
 *   classes, the compiler would then have to compare the options of all types with each other, and takes
 *   seconds for it.)
 */
export interface TypedSocketClass<Options, Instance> {
  /**
   * Makes a socket of this type, neither bound nor connected.
   *
   * @param options any option of the socket type under its property's name, and `context`, `prefetch` and
   *   `dedicatedWorker`
   * @throws {@link ArgumentError} for an unknown option or a value that does not fit
   * @throws {@link ZmqError} with code `'ENOTSUP'` for an option that the type does not have
   */
  new (options?: Options): Instance;
  readonly prototype: Instance;
}

/** @internal */
export function typed<Class>(name: string, type: CanonicalType): Class {
  // The computed key is what gives the class its name.
  const classes = {
    [name]: class extends Socket {
      constructor(options?: SocketOptions) {
        super(type, options);
      }
    },
  };
  return classes[name] as Class;
}

/** See the {@link Pair} class. */
export interface Pair extends CommonSocket, SendingSocket, ReceivingSocket, SocketOptionProperties<'PAIR'> {}

/**
 * A PAIR socket talks to one other PAIR socket, in both directions, without routing or filtering. Made for
 * two threads of one process over `inproc://`.
 *
 * ```ts
 * const [left, right] = [new Pair(), new Pair()];
 * left.bind('inproc://wire');
 * right.connect('inproc://wire');
 * await left.send('ping');
 * ```
 */
export const Pair: TypedSocketClass<SocketOptions<'PAIR'>, Pair> = typed('Pair', 'PAIR');

/** See the {@link Publisher} class. */
export interface Publisher extends CommonSocket, SendingSocket, SocketOptionProperties<'PUB'> {}

/**
 * A PUB socket sends every message to all its subscribers that want it. It never waits: a message for a
 * subscriber whose queue is full is dropped.
 *
 * ```ts
 * const publisher = new Publisher();
 * publisher.bind('tcp://127.0.0.1:5556');
 * await publisher.send(['weather', 'rain']);
 * ```
 */
export const Publisher: TypedSocketClass<SocketOptions<'PUB'>, Publisher> = typed('Publisher', 'PUB');

/** See the {@link Subscriber} class. */
export interface Subscriber
  extends CommonSocket,
    ReceivingSocket,
    SubscribingSocket,
    SocketOptionProperties<'SUB'> {}

/**
 * A SUB socket receives what publishers send and one of its subscriptions is a prefix of. Without a
 * subscription it receives nothing.
 *
 * ```ts
 * const subscriber = new Subscriber();
 * subscriber.connect('tcp://127.0.0.1:5556');
 * subscriber.subscribe('weather');
 * for await (const [topic, report] of subscriber) { ... }
 * ```
 */
export const Subscriber: TypedSocketClass<SocketOptions<'SUB'>, Subscriber> = typed('Subscriber', 'SUB');

/** See the {@link Request} class. */
export interface Request
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'REQ'> {}

/**
 * A REQ socket sends a request, receives the reply, and so on in turn; anything else fails with EFSM.
 * Requests go to the connected services in rotation.
 *
 * ```ts
 * const client = new Request();
 * client.connect('tcp://127.0.0.1:5555');
 * await client.send('6 * 7');
 * const [answer] = await client.receive();
 * ```
 */
export const Request: TypedSocketClass<SocketOptions<'REQ'>, Request> = typed('Request', 'REQ');

/** See the {@link Reply} class. */
export interface Reply extends CommonSocket, SendingSocket, ReceivingSocket, SocketOptionProperties<'REP'> {}

/**
 * A REP socket receives a request, sends the reply, and so on in turn; anything else fails with EFSM. The
 * reply goes to whoever sent the request.
 *
 * ```ts
 * const service = new Reply();
 * service.bind('tcp://127.0.0.1:5555');
 * for await (const [request] of service) await service.send(`you said ${request}`);
 * ```
 */
export const Reply: TypedSocketClass<SocketOptions<'REP'>, Reply> = typed('Reply', 'REP');

/** See the {@link Dealer} class. */
export interface Dealer
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'DEALER'> {}

/**
 * A DEALER socket sends to its peers in rotation and receives from all of them, in any order. Sending waits
 * while no peer has room. To talk to a REP socket, put an empty frame in front of each message.
 *
 * ```ts
 * const dealer = new Dealer({ routingId: 'worker-1' });
 * dealer.connect('tcp://127.0.0.1:5555');
 * await dealer.send(['', 'job']);
 * ```
 */
export const Dealer: TypedSocketClass<SocketOptions<'DEALER'>, Dealer> = typed('Dealer', 'DEALER');

/** See the {@link Router} class. */
export interface Router
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'ROUTER'> {}

/**
 * A ROUTER socket knows its peers apart: the first frame of a received message is the sender's routing id,
 * and the first frame of a sent one says who gets it. A message for an unknown peer is dropped, or fails with
 * EHOSTUNREACH where `mandatory` is set.
 *
 * ```ts
 * const router = new Router({ mandatory: true });
 * router.bind('tcp://127.0.0.1:5555');
 * for await (const [peer, ...request] of router) await router.send([peer!, ...request]);
 * ```
 */
export const Router: TypedSocketClass<SocketOptions<'ROUTER'>, Router> = typed('Router', 'ROUTER');

/** See the {@link Pull} class. */
export interface Pull extends CommonSocket, ReceivingSocket, SocketOptionProperties<'PULL'> {}

/**
 * A PULL socket receives from all its PUSH peers, in fair turns.
 *
 * ```ts
 * const pull = new Pull({ receiveHighWaterMark: 10 });
 * pull.bind('tcp://127.0.0.1:5557');
 * for await (const [work] of pull) { ... }
 * ```
 */
export const Pull: TypedSocketClass<SocketOptions<'PULL'>, Pull> = typed('Pull', 'PULL');

/** See the {@link Push} class. */
export interface Push extends CommonSocket, SendingSocket, SocketOptionProperties<'PUSH'> {}

/**
 * A PUSH socket sends to its PULL peers in rotation. Sending waits while no peer has room; nothing is
 * dropped.
 *
 * ```ts
 * const push = new Push();
 * push.connect('tcp://127.0.0.1:5557');
 * await push.send('work');
 * ```
 */
export const Push: TypedSocketClass<SocketOptions<'PUSH'>, Push> = typed('Push', 'PUSH');

/** See the {@link XPublisher} class. */
export interface XPublisher
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'XPUB'> {}

/**
 * An XPUB socket is a {@link Publisher} that receives its subscribers' subscriptions as messages: a byte 1
 * and the topic to subscribe, a byte 0 and the topic to unsubscribe.
 *
 * ```ts
 * const publisher = new XPublisher({ verbosity: 'allSubs' });
 * publisher.bind('tcp://127.0.0.1:5556');
 * for await (const [subscription] of publisher) { ... }
 * ```
 */
export const XPublisher: TypedSocketClass<SocketOptions<'XPUB'>, XPublisher> = typed('XPublisher', 'XPUB');

/** See the {@link XSubscriber} class. */
export interface XSubscriber
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SubscribingSocket,
    SocketOptionProperties<'XSUB'> {}

/**
 * An XSUB socket is a {@link Subscriber} that can send to its publishers: subscriptions, as a byte 1 or 0 and
 * the topic, and any other message.
 *
 * ```ts
 * const subscriber = new XSubscriber();
 * subscriber.connect('tcp://127.0.0.1:5556');
 * await subscriber.send('\x01weather'); // what subscriber.subscribe('weather') does
 * ```
 */
export const XSubscriber: TypedSocketClass<SocketOptions<'XSUB'>, XSubscriber> = typed('XSubscriber', 'XSUB');

/** See the {@link Stream} class. */
export interface Stream
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'STREAM'> {}

/**
 * A STREAM socket talks plain TCP to peers that do not speak ZeroMQ. Messages have two frames, a peer's
 * routing id and data; empty data tells of a new or lost connection, and closes it when sent. Sending to a peer that is
 * gone fails with EHOSTUNREACH.
 *
 * ```ts
 * const http = new Stream();
 * http.bind('tcp://127.0.0.1:8080');
 * for await (const [peer, data] of http) { ... }
 * ```
 */
export const Stream: TypedSocketClass<SocketOptions<'STREAM'>, Stream> = typed('Stream', 'STREAM');
