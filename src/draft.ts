/**
 * Classes for the socket types of libzmq's draft API: `import { Server, Client } from 'zeromq-threads/draft'`.
 *
 * They need a libzmq that was built with drafts, which `capability.draft` tells; without one they throw ENOTSUP. libzmq
 * may still change them. Messages have one frame, but for those of {@link Datagram}.
 */
import type { SocketOptionProperties, SocketOptions } from './option-types.js';
import type { Socket } from './socket.js';
import {
  type CommonSocket,
  type ReceivingSocket,
  type SendingSocket,
  type TypedSocketClass,
  typed,
} from './sockets.js';

/** See the {@link Server} class. */
export interface Server
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'SERVER'> {}

/**
 * A SERVER socket talks to CLIENT sockets. Each message that it receives has the routing id of who sent it, and each
 * that it sends needs one; they may come and go in any order.
 *
 * ```ts
 * const server = new Server();
 * server.bind('tcp://127.0.0.1:5555');
 * for await (const [request] of server) await server.send('done', { routingId: request.routingId });
 * ```
 */
export const Server: TypedSocketClass<SocketOptions<'SERVER'>, Server> = typed('Server', 'SERVER');

/** See the {@link Client} class. */
export interface Client
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'CLIENT'> {}

/**
 * A CLIENT socket talks to SERVER sockets, to all of them in turn, and receives from all of them.
 *
 * ```ts
 * const client = new Client();
 * client.connect('tcp://127.0.0.1:5555');
 * await client.send('to do');
 * const answer = await client.recv('utf8');
 * ```
 */
export const Client: TypedSocketClass<SocketOptions<'CLIENT'>, Client> = typed('Client', 'CLIENT');

/** See the {@link Radio} class. */
export interface Radio extends CommonSocket, SendingSocket, SocketOptionProperties<'RADIO'> {}

/**
 * A RADIO socket sends messages to groups: to every DISH that has joined the message's. Over `udp://` it needs no peer.
 *
 * ```ts
 * const radio = new Radio();
 * radio.bind('tcp://127.0.0.1:5556');
 * await radio.send('rain', { group: 'weather' });
 * ```
 */
export const Radio: TypedSocketClass<SocketOptions<'RADIO'>, Radio> = typed('Radio', 'RADIO');

/** See the {@link Dish} class. */
export interface Dish
  extends CommonSocket,
    ReceivingSocket,
    Pick<Socket, 'join' | 'leave'>,
    SocketOptionProperties<'DISH'> {}

/**
 * A DISH socket receives what RADIO sockets send to the groups that it has joined.
 *
 * ```ts
 * const dish = new Dish();
 * dish.connect('tcp://127.0.0.1:5556');
 * dish.join('weather');
 * for await (const [report] of dish) console.log(report.group, report.toString());
 * ```
 */
export const Dish: TypedSocketClass<SocketOptions<'DISH'>, Dish> = typed('Dish', 'DISH');

/** See the {@link Gather} class. */
export interface Gather extends CommonSocket, ReceivingSocket, SocketOptionProperties<'GATHER'> {}

/**
 * A GATHER socket receives from SCATTER sockets, from all of them in turn.
 *
 * ```ts
 * const gather = new Gather();
 * gather.bind('tcp://127.0.0.1:5557');
 * for await (const [job] of gather) work(job);
 * ```
 */
export const Gather: TypedSocketClass<SocketOptions<'GATHER'>, Gather> = typed('Gather', 'GATHER');

/** See the {@link Scatter} class. */
export interface Scatter extends CommonSocket, SendingSocket, SocketOptionProperties<'SCATTER'> {}

/**
 * A SCATTER socket sends each message to one GATHER socket, to all of them in turn.
 *
 * ```ts
 * const scatter = new Scatter();
 * scatter.connect('tcp://127.0.0.1:5557');
 * await scatter.send('job');
 * ```
 */
export const Scatter: TypedSocketClass<SocketOptions<'SCATTER'>, Scatter> = typed('Scatter', 'SCATTER');

/** See the {@link Peer} class. */
export interface Peer
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    Pick<Socket, 'connectPeer'>,
    SocketOptionProperties<'PEER'> {}

/**
 * A PEER socket talks to other PEER sockets, each of which has a routing id here: that of a received message, or what
 * `connectPeer` gives.
 *
 * ```ts
 * const peer = new Peer();
 * const routingId = peer.connectPeer('tcp://127.0.0.1:5558');
 * await peer.send('hello', { routingId });
 * ```
 */
export const Peer: TypedSocketClass<SocketOptions<'PEER'>, Peer> = typed('Peer', 'PEER');

/** See the {@link Channel} class. */
export interface Channel
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'CHANNEL'> {}

/**
 * A CHANNEL socket talks to one other CHANNEL socket, in both directions.
 *
 * ```ts
 * const [left, right] = [new Channel(), new Channel()];
 * left.bind('inproc://wire');
 * right.connect('inproc://wire');
 * ```
 */
export const Channel: TypedSocketClass<SocketOptions<'CHANNEL'>, Channel> = typed('Channel', 'CHANNEL');

/** See the {@link Datagram} class. */
export interface Datagram
  extends CommonSocket,
    SendingSocket,
    ReceivingSocket,
    SocketOptionProperties<'DGRAM'> {}

/**
 * A DGRAM socket sends and receives UDP datagrams. Messages have two frames, the other's address and the payload.
 *
 * ```ts
 * const datagram = new Datagram();
 * datagram.bind('udp://*:5559');
 * await datagram.send(['127.0.0.1:5560', 'hello']);
 * ```
 */
export const Datagram: TypedSocketClass<SocketOptions<'DGRAM'>, Datagram> = typed('Datagram', 'DGRAM');
