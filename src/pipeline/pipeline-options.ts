/** Options of `pipeline`, checked. */
import { ArgumentError, argumentError } from '../errors.js';
import {
  type CheckedHandlerOptions,
  checkEndpoints,
  checkHandlerOptions,
  checkSocketOptions,
  HANDLER_OPTION_NAMES,
  type HandlerOptions,
} from '../lanes/host-options.js';
import { type CheckedMetricsOptions, checkMetrics, type MetricsOptions } from '../lanes/metrics.js';
import {
  BODY_AFTER_ROUTING_ID,
  BODY_AT_START,
  type NativeRoute,
  nativeRoute,
  type Route,
} from '../lanes/route.js';
import type { SocketOptions } from '../option-types.js';
import { checkFlag, checkNames } from '../pending.js';

/** Where messages come from. */
export interface SourceOptions {
  /** The type of its socket. */
  readonly type: 'PULL' | 'SUB' | 'DEALER' | 'ROUTER';
  /** Endpoints to listen on. */
  readonly bind?: string | readonly string[] | undefined;
  /**
   * Endpoints to connect to; the socket then starts from {@link connectionDefaults}, but for `tcpMaxRetransmitTimeout`.
   */
  readonly connect?: string | readonly string[] | undefined;
  /** SUB: the topics, everything unless told. */
  readonly subscribe?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** High-water marks, CURVE keys, `context`, ... */
  readonly socketOptions?: SocketOptions | undefined;
}

/** Where results go. */
export interface SinkOptions {
  /** The type of its socket. */
  readonly type: 'PUSH' | 'PUB' | 'DEALER';
  /** What {@link toSink} calls it. */
  readonly name?: string | undefined;
  /** Endpoints to listen on. */
  readonly bind?: string | readonly string[] | undefined;
  /**
   * Endpoints to connect to; the socket then starts from {@link connectionDefaults}, but for
   * `tcpMaxRetransmitTimeout`.
   */
  readonly connect?: string | readonly string[] | undefined;
  /** High-water marks, CURVE keys, `context`, ... */
  readonly socketOptions?: SocketOptions | undefined;
}

/** A stage: a handler in threads of its own. */
export interface StageOptions extends HandlerOptions {
  /** How messages are spread over the stage's threads; `'least-loaded'` unless told. */
  readonly route?: Route | undefined;
}

/** Options of {@link pipeline}: those of its only stage, or `stages`. */
export interface PipelineOptions extends Omit<StageOptions, 'handler'> {
  /** The only stage's handler. */
  readonly handler?: StageOptions['handler'] | undefined;
  /** One source or several. */
  readonly source: SourceOptions | readonly SourceOptions[];
  /** One sink, or several; results are dropped without one. Every sink gets every message, but for {@link toSink}. */
  readonly sink?: SinkOptions | readonly SinkOptions[] | undefined;
  /**
   * The name of the sink that gets the messages that no handler is done with: whose handler failed or took too long, or
   * whose thread died more often than `retries` allows; as the stage got them, and nothing but these and what
   * {@link toSink} sends there. Without it they are dropped; either way they are reported as errors.
   */
  readonly deadLetterSink?: string | undefined;
  /** Several stages, one after another, with lanes in between and no socket. */
  readonly stages?: readonly StageOptions[] | undefined;
  /** Whether results leave in the order in which what they came from was received; not unless told. */
  readonly ordered?: boolean | undefined;
  /** Metrics for Prometheus, none unless told. */
  readonly metrics?: MetricsOptions | undefined;
}

export interface CheckedStage {
  readonly handling: CheckedHandlerOptions;
  readonly route: NativeRoute;
}

export interface CheckedPipeline {
  readonly sources: readonly (SourceOptions & Endpoints)[];
  readonly sinks: readonly (SinkOptions & Endpoints)[];
  /** Its index among the sinks, -1 for none. */
  readonly deadLetterSink: number;
  readonly stages: readonly CheckedStage[];
  readonly ordered: boolean;
  readonly metrics: CheckedMetricsOptions | undefined;
}

export interface Endpoints {
  readonly bind: readonly string[];
  readonly connect: readonly string[];
}

const SOURCE_TYPES = ['PULL', 'SUB', 'DEALER', 'ROUTER'];
const SINK_TYPES = ['PUSH', 'PUB', 'DEALER'];
const STAGE_NAMES = [...HANDLER_OPTION_NAMES, 'route'] as const satisfies readonly (keyof StageOptions)[];
const PIPELINE_NAMES = [
  'source',
  'sink',
  'deadLetterSink',
  'stages',
  'ordered',
  'metrics',
] as const satisfies readonly (keyof PipelineOptions)[];
const END_NAMES = ['type', 'bind', 'connect', 'socketOptions'];

/** @throws {@link ArgumentError} */
export function checkPipelineOptions(options: PipelineOptions): CheckedPipeline {
  if (typeof options !== 'object' || options === null) throw argumentError('options', 'an object', options);
  checkNames('options', options, [...PIPELINE_NAMES, ...STAGE_NAMES]);
  const sources = listOf('source', options.source).map((source, index, all) =>
    checkEnd(all.length === 1 ? 'source' : `source[${index}]`, source, SOURCE_TYPES, 'subscribe'),
  );
  if (sources.length === 0) throw argumentError('source', 'at least one source', options.source);
  const routers = sources.filter(({ type }) => type === 'ROUTER').length;
  if (routers > 0 && routers < sources.length) {
    throw new ArgumentError('source: expected ROUTER sources only or none, got some of either kind');
  }
  const sinks =
    options.sink === undefined
      ? []
      : listOf('sink', options.sink).map((sink, index, all) =>
          checkEnd(all.length === 1 ? 'sink' : `sink[${index}]`, sink, SINK_TYPES, 'name'),
        );
  const names = new Set<string>();
  for (const { name } of sinks) {
    if (name === undefined) continue;
    if (typeof name !== 'string') throw argumentError('sink.name', 'a string', name);
    if (names.has(name)) throw new ArgumentError(`sink.name: expected different names, got '${name}' twice`);
    names.add(name);
  }
  const { deadLetterSink } = options;
  if (deadLetterSink !== undefined && !names.has(deadLetterSink)) {
    throw argumentError('deadLetterSink', 'the name of a sink', deadLetterSink);
  }
  const bodyAt = routers > 0 ? BODY_AFTER_ROUTING_ID : BODY_AT_START;
  return {
    sources,
    sinks,
    deadLetterSink:
      deadLetterSink === undefined ? -1 : sinks.findIndex(({ name }) => name === deadLetterSink),
    stages: stagesOf(options).map((stage, index) => checkStage(stage, index === 0 ? bodyAt : BODY_AT_START)),
    ordered: checkFlag('ordered', options.ordered),
    metrics: checkMetrics(options.metrics, 'pipeline'),
  };
}

function stagesOf(options: PipelineOptions): readonly StageOptions[] {
  const { stages } = options;
  if (stages === undefined) return [options as StageOptions];
  if (!Array.isArray(stages) || stages.length === 0) {
    throw argumentError('stages', 'an array of at least one stage', stages);
  }
  const both = STAGE_NAMES.find((name) => options[name] !== undefined);
  if (both !== undefined) {
    throw new ArgumentError(`${both}: expected 'stages' or a handler of its own, got both`);
  }
  for (const [index, stage] of stages.entries()) {
    if (typeof stage !== 'object' || stage === null)
      throw argumentError(`stages[${index}]`, 'an object', stage);
    checkNames(`stages[${index}]`, stage, STAGE_NAMES);
  }
  return stages;
}

function checkStage(stage: StageOptions, bodyAt: number): CheckedStage {
  const { route = 'least-loaded' } = stage;
  if (bodyAt !== BODY_AFTER_ROUTING_ID && typeof route === 'object' && route?.key === 'peer') {
    throw new ArgumentError("route.key: 'peer' is known of messages from ROUTER sources only");
  }
  return {
    handling: checkHandlerOptions(stage, typeof route === 'object'),
    route: nativeRoute(route, bodyAt),
  };
}

function listOf<Value>(name: string, value: Value | readonly Value[]): readonly Value[] {
  if (typeof value !== 'object' || value === null) {
    throw argumentError(name, 'an object with a type, or an array of them', value);
  }
  return Array.isArray(value) ? value : [value as Value];
}

function checkEnd<End extends SourceOptions | SinkOptions>(
  name: string,
  end: End,
  types: readonly string[],
  ownOption: string,
): End & Endpoints {
  if (typeof end !== 'object' || end === null) throw argumentError(name, 'an object with a type', end);
  checkNames(name, end, [...END_NAMES, ownOption]);
  if (!types.includes(end.type)) throw argumentError(`${name}.type`, `one of ${types.join(', ')}`, end.type);
  const bind = checkEndpoints(`${name}.bind`, end.bind);
  const connect = checkEndpoints(`${name}.connect`, end.connect);
  if (bind.length + connect.length === 0) {
    throw new ArgumentError(`${name}: expected 'bind' or 'connect', got neither`);
  }
  if ('subscribe' in end && end.subscribe !== undefined && end.type !== 'SUB') {
    throw new ArgumentError(`${name}.subscribe: expected a SUB source, got ${end.type}`);
  }
  if ('subscribe' in end) checkTopics(`${name}.subscribe`, end.subscribe);
  checkSocketOptions(`${name}.socketOptions`, end.socketOptions);
  return { ...end, bind, connect };
}

function checkTopics(name: string, topics: SourceOptions['subscribe']): void {
  const list: readonly unknown[] = Array.isArray(topics) ? topics : [topics ?? ''];
  if (list.length === 0 || !list.every((topic) => typeof topic === 'string' || topic instanceof Uint8Array)) {
    throw argumentError(name, 'a topic (a string or bytes) or several in an array', topics);
  }
}
