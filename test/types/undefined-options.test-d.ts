/**
 * Checked by tsc, never run: an option may be undefined, which is as good as left out. That is what a program has that
 * passes on options of its own: `{ timeout: options.timeout }`. Compiled with exactOptionalPropertyTypes, as strict
 * projects are.
 */
import type {
  Acceptance,
  AddressOptions,
  AuthenticatorOptions,
  BatchOptions,
  CloseOptions,
  ConnectOptions,
  ContextCloseOptions,
  ContextOptions,
  CurveKeyFileOptions,
  CurveOptions,
  MetricsOptions,
  PipelineCloseOptions,
  PipelineOptions,
  PlainOptions,
  PollItem,
  ProxyOptions,
  RequesterOptions,
  RequestOptions,
  SendOptions,
  ServeOptions,
  ServerCloseOptions,
  SinkOptions,
  SocketOptions,
  SourceOptions,
  StageOptions,
  WaitOptions,
} from '../../src/index.js';

/** The names of properties that may be left out, and not be undefined. */
type Exact<Options> = {
  [Name in keyof Options]-?: Record<never, never> extends Pick<Options, Name>
    ? Record<Name, undefined> extends Pick<Options, Name>
      ? never
      : Name
    : never;
}[keyof Options];

/** Of each member of a union. */
type ExactOf<Options> = Options extends unknown ? Exact<Options> : never;

function none<Names extends never>(_?: Names): void {}

none<ExactOf<WaitOptions>>();
none<ExactOf<SendOptions>>();
none<ExactOf<BatchOptions>>();
none<ExactOf<CloseOptions>>();
none<ExactOf<ConnectOptions>>();
none<ExactOf<SocketOptions>>();
none<ExactOf<SocketOptions<'ROUTER'>>>();
none<ExactOf<ContextOptions>>();
none<ExactOf<ContextCloseOptions>>();
none<ExactOf<PollItem>>();
none<ExactOf<ProxyOptions>>();
none<ExactOf<RequesterOptions>>();
none<ExactOf<RequestOptions>>();
none<ExactOf<AuthenticatorOptions>>();
none<ExactOf<AddressOptions>>();
none<ExactOf<PlainOptions>>();
none<ExactOf<CurveOptions>>();
none<ExactOf<Acceptance>>();
none<ExactOf<CurveKeyFileOptions>>();
none<ExactOf<ServeOptions>>();
none<ExactOf<ServerCloseOptions>>();
none<ExactOf<PipelineOptions>>();
none<ExactOf<PipelineCloseOptions>>();
none<ExactOf<SourceOptions>>();
none<ExactOf<SinkOptions>>();
none<ExactOf<StageOptions>>();
none<ExactOf<MetricsOptions>>();

// What the check itself is worth.
// @ts-expect-error
none<ExactOf<{ timeout?: number }>>();
