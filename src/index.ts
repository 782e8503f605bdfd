/**
 * zeromq-threads: ZeroMQ for Node.js with real threads. This file names what is public.
 */
export { Authenticator, type AuthenticatorStats } from './authenticator/authenticator.js';
export type {
  AuthenticatorConnection,
  AuthenticatorEvent,
  AuthenticatorEvents,
  AuthenticatorEventType,
} from './authenticator/authenticator-events.js';
export type {
  Acceptance,
  AddressOptions,
  AuthenticatorOptions,
  CurveOptions,
  CurveRequest,
  PlainOptions,
  PlainRequest,
  Verdict,
  Verify,
} from './authenticator/authenticator-options.js';
export { Batch } from './batch.js';
export { type Capability, capability, version } from './capability.js';
export { connectionDefaults } from './connection-defaults.js';
export { Context, type ContextCloseOptions, context } from './context.js';
export { type CurveKeyPair, curveKeyPair, curvePublicKey } from './curve.js';
export {
  type CurveKeyFile,
  type CurveKeyFileOptions,
  type CurveKeyFilePaths,
  readCurveKeyFile,
  writeCurveKeyFiles,
} from './curve-key-file.js';
export type { DecodeAs, Decoded, DecodedFormats } from './decode.js';
export type { Sendable } from './encode.js';
export {
  ArgumentError,
  ContextClosedError,
  DecodeError,
  HandlerError,
  PollerClosedError,
  SocketClosedError,
  TimeoutError,
  ZmqError,
} from './errors.js';
export type { SocketEvent, SocketEventFailure, SocketEvents, SocketEventType } from './events.js';
export type { Handle } from './handles.js';
export type { CircuitOptions } from './lanes/circuit.js';
export type { HandlerContext, HandlerLogger } from './lanes/handler-context.js';
export type { HandlerOptions, SchedulingPolicy } from './lanes/host-options.js';
export type { ThreadEvent } from './lanes/lane-host-options.js';
export type { LaneStats, Percentiles } from './lanes/lane-stats.js';
export type { MetricsOptions, MetricsRegistry } from './lanes/metrics.js';
export type { LogLevel } from './lanes/outlet.js';
export type { KeyBytes, Route } from './lanes/route.js';
export type { DrainOptions } from './lanes/run.js';
// The type Message under another name: the compiler writes no alias into the declarations of who uses it.
export type { Message as Frame } from './message.js';
export { Message, type MessageClass } from './message-class.js';
export { pipeline, serve } from './multi-core.js';
export type { OptionValue } from './option-codec.js';
export type { ContextOptions, SocketOptionProperties, SocketOptions } from './option-types.js';
export type { PeerCounts } from './peer-counts.js';
export { type ForSink, type PipelineMessage, type PipelineResult, toSink } from './pipeline/outputs.js';
export type {
  Pipeline,
  PipelineCloseOptions,
  PipelineCloseResult,
  PipelineErrorInfo,
  PipelineEvents,
  PipelineStageStats,
  PipelineStats,
} from './pipeline/pipeline.js';
export type {
  PipelineOptions,
  SinkOptions,
  SourceOptions,
  StageOptions,
} from './pipeline/pipeline-options.js';
export { Poller, type PollerCloser, type PollItem, type PollResult } from './poller.js';
export {
  Proxy,
  type ProxyOptions,
  type ProxySideStatistics,
  type ProxyState,
  type ProxyStatistics,
  proxy,
} from './proxy.js';
export { Requester, type RequesterOptions, type RequesterStats, type RequestOptions } from './requester.js';
export type { ErrorReply } from './serve/error-reply.js';
export type {
  ServeOptions,
  Server,
  ServerCloseOptions,
  ServerCloseResult,
  ServerErrorInfo,
  ServerEvents,
  ServerStats,
} from './serve/server.js';
export {
  type BatchOptions,
  type CloseOptions,
  type ConnectOptions,
  type SendableMessage,
  type SendOptions,
  Socket,
  type WaitOptions,
} from './socket.js';
export type { CanonicalType, SocketTypeName } from './socket-types.js';
export {
  type CommonSocket,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  type ReceivingSocket,
  Reply,
  Request,
  Router,
  type SendingSocket,
  Stream,
  Subscriber,
  type SubscribingSocket,
  type TypedSocketClass,
  XPublisher,
  XSubscriber,
} from './sockets.js';
export { z85Decode, z85Encode } from './z85.js';
