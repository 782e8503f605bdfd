/**
 * Checked by tsc, never run: what an application may export without naming its type, which the compiler then has to name
 * in the declarations that it writes. test/declarations.test.ts has it write them.
 */
import * as zmq from 'zeromq-threads';

// Every value, and the classes made of them.
export const everything = { ...zmq };
export const chosen = zmq.Pull;
export const messages = [zmq.Message.alloc(5), zmq.Message.from('text')];
export class Jobs extends zmq.Push {}

export const socketMembers = (socket: zmq.Socket) =>
  [
    socket.bind,
    socket.connect,
    socket.send,
    socket.sendMultipart,
    socket.trySend,
    socket.sendSync,
    socket.recv,
    socket.recvMultipart,
    socket.receive,
    socket.tryRecv,
    socket.recvSync,
    socket.batches,
    socket[Symbol.asyncIterator],
    socket.getOption,
    socket.setOption,
    socket.share(),
    socket.peers,
    socket.events,
    socket.events.on,
    socket.close,
  ] as const;
export const received = (pull: zmq.Pull) => pull.recv();
export const receivedAs = (pull: zmq.Pull) => pull.recv(Uint8Array);
export const parts = (subscriber: zmq.Subscriber) => ({ ...subscriber });
export const messageMembers = (message: zmq.Message) => [message.copy(), message.freed] as const;
export const batchMembers = (batch: zmq.Batch) => [batch.retain, batch.data] as const;
export const ofSockets = [zmq.Socket.attach, zmq.Context.attach, zmq.Context.use, zmq.Poller.use] as const;
export const ofPoller = (poller: zmq.Poller) => [poller.wait, poller.wait(), poller.handle] as const;
export const ofContext = (context: zmq.Context) => [context.close, context.share()] as const;
export const ofProxy = (proxy: zmq.Proxy) => ({ ...proxy });

export const threads = (server: zmq.Server) => server.stats().threads;
export const latency = (server: zmq.Server) => server.stats().threads[0]?.latency;
export const ofServer = (server: zmq.Server) =>
  [server.stats(), server.close, server.on, server.emit, server.listeners('log')] as const;
export const stages = (line: zmq.Pipeline) => line.stats().stages.map((stage) => stage.threads);
export const ofPipeline = (line: zmq.Pipeline) =>
  [line.stats(), line.close, line.on, line.emit, line.listeners('log')] as const;
export const route = (options: zmq.ServeOptions) => options.route;
export const key = (chosenRoute: zmq.Route) =>
  typeof chosenRoute === 'object' ? chosenRoute.key : undefined;
export const circuit = (options: zmq.ServeOptions) => options.circuit;
export const serveOptions = (options: zmq.ServeOptions) => ({ ...options });
export const pipelineOptions = (options: zmq.PipelineOptions) => ({ ...options });
export const stageOptions = (options: zmq.StageOptions) => ({ ...options });
export const ends = (options: zmq.PipelineOptions) => [options.source, options.sink, options.stages] as const;
export const closing = (options: zmq.ServerCloseOptions) => options;
export const inHandler = (context: zmq.HandlerContext) => ({ ...context });

export const ofRequester = (requester: zmq.Requester) =>
  [requester.request, requester.stats(), requester.close] as const;
export const ofAuthenticator = (authenticator: zmq.Authenticator) =>
  [
    authenticator.events,
    authenticator.events.on,
    authenticator.stats(),
    authenticator.configurePlain,
    authenticator.configureCurve,
  ] as const;

// By name, too.
export type Named = [
  zmq.AuthenticatorConnection,
  zmq.CircuitOptions,
  zmq.DrainOptions,
  zmq.Frame,
  zmq.HandlerOptions,
  zmq.KeyBytes,
  zmq.LaneStats,
  zmq.LogLevel,
  zmq.Percentiles,
  zmq.PipelineEvents,
  zmq.Route,
  zmq.ServerEvents,
  zmq.SocketEventFailure,
  zmq.TypedSocketClass<zmq.SocketOptions<'PULL'>, zmq.Pull>,
];
