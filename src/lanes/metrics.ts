/**
 * Metrics of servers and pipelines for Prometheus, by the package prom-client, which is loaded only when somebody wants
 * them.
 *
 * Several servers and pipelines may share a registry; each is told from the others by its label `name`. Nothing is
 * counted twice: a scrape reads what `stats()` reads.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ArgumentError, argumentError } from '../errors.js';
import { checkNames } from '../pending.js';
import type { LaneStats, Percentiles } from './lane-stats.js';

/** A `Registry` of prom-client. */
export interface MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

/** Metrics of a server or pipeline for Prometheus. They need the package `prom-client`. */
export interface MetricsOptions {
  /** Has an HTTP server in this thread answer `GET /metrics` on this port; 0 for any that is free. */
  port?: number | undefined;
  /** Where that server listens; `'127.0.0.1'` unless told. */
  host?: string | undefined;
  /** The registry that the metrics join, `register` of prom-client for instance; one of their own unless told. */
  register?: MetricsRegistry | undefined;
  /** The label `name` of the metrics; `'serve'` or `'pipeline'` unless told. */
  name?: string | undefined;
}

export interface CheckedMetricsOptions {
  readonly port: number | undefined;
  readonly host: string;
  readonly register: MetricsRegistry | undefined;
  readonly name: string;
}

/** What a scrape reads: the threads of each stage. */
export type ReadStages = () => readonly (readonly LaneStats[])[];

type Labels = Record<string, string | number>;
/** What is used of prom-client, whose types are there only where it is installed. */
interface Metric {
  reset(): void;
  inc(labels: Labels, value: number): void;
}
type MetricClass = new (options: {
  name: string;
  help: string;
  labelNames: string[];
  registers: MetricsRegistry[];
  collect(this: Metric): void;
}) => Metric;
interface PromClient {
  Counter: MetricClass;
  Gauge: MetricClass;
  Registry: new () => MetricsRegistry;
}

interface Source {
  readonly name: string;
  readonly read: ReadStages;
}

const PREFIX = 'zeromq_threads_';
const COUNTERS = {
  handled: 'Messages done with, well or not',
  failed: 'Messages whose handler threw, rejected or took too long',
  timedOut: 'Messages whose handler took too long',
  sent: 'Replies and results sent',
  dropped: 'Replies and results that could not be sent',
  deaths: 'Handler threads that died',
  retried: 'Messages tried again because their thread died',
  lost: 'Messages not tried again whose thread died',
} as const;
const GAUGES = {
  queued: 'Messages in the thread’s lane that are not begun',
  inProgress: 'Messages that are begun and not done with',
} as const;
const TIMES = {
  latency: 'From the receipt of a message until it was done with',
  service: 'In the handler',
} as const;
const QUANTILES = { 0.5: 'p50', 0.9: 'p90', 0.99: 'p99', 0.999: 'p999' } as const;

/** @throws {@link ArgumentError} */
export function checkMetrics(
  options: MetricsOptions | undefined,
  name: string,
): CheckedMetricsOptions | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw argumentError('metrics', 'an object', options);
  checkNames('metrics', options, ['port', 'host', 'register', 'name']);
  const { port, host = '127.0.0.1', register } = options;
  if (port === undefined && register === undefined) {
    throw new ArgumentError("metrics: expected 'port' or 'register', got neither");
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw argumentError('metrics.port', 'an integer from 0 to 65535', port);
  }
  for (const [key, value] of Object.entries({ host, name: options.name ?? name })) {
    if (typeof value !== 'string') throw argumentError(`metrics.${key}`, 'a string', value);
  }
  if (register !== undefined && typeof register?.getSingleMetric !== 'function') {
    throw argumentError('metrics.register', 'a Registry of prom-client', register);
  }
  return { port, host, register, name: options.name ?? name };
}

/** The metrics of one server or pipeline. */
export class Metrics {
  /** Where the HTTP server answers. */
  readonly url: string | undefined;

  private constructor(
    private readonly sources: Sources,
    private readonly source: Source,
    private readonly http: HttpServer | undefined,
    host: string,
  ) {
    if (http === undefined) return;
    const { port } = http.address() as AddressInfo;
    this.url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`;
  }

  /** @throws {@link ArgumentError} without prom-client; what `listen` fails with */
  static async start(options: CheckedMetricsOptions, read: ReadStages): Promise<Metrics> {
    const client = await promClient();
    const register = options.register ?? new client.Registry();
    const http = options.port === undefined ? undefined : await listen(register, options.port, options.host);
    const source = { name: options.name, read };
    return new Metrics(Sources.join(client, register, source), source, http, options.host);
  }

  close(): void {
    this.sources.leave(this.source);
    this.http?.close();
    this.http?.closeAllConnections();
  }
}

/** All that have their metrics in one registry. */
class Sources {
  static readonly #all = new WeakMap<MetricsRegistry, Sources>();
  readonly #sources = new Set<Source>();
  readonly #names: string[] = [];

  private constructor(
    private readonly client: PromClient,
    private readonly register: MetricsRegistry,
  ) {}

  static join(client: PromClient, register: MetricsRegistry, source: Source): Sources {
    let sources = Sources.#all.get(register);
    if (sources === undefined) {
      sources = new Sources(client, register);
      Sources.#all.set(register, sources);
    }
    // The registry may have been cleared meanwhile.
    if (register.getSingleMetric(`${PREFIX}handled_total`) === undefined) sources.#define();
    sources.#sources.add(source);
    return sources;
  }

  leave(source: Source): void {
    this.#sources.delete(source);
    if (this.#sources.size > 0) return;
    for (const name of this.#names.splice(0)) this.register.removeSingleMetric(name);
  }

  #define(): void {
    const { Counter, Gauge } = this.client;
    for (const key of keysOf(COUNTERS)) {
      this.#add(Counter, `${snake(key)}_total`, COUNTERS[key], [], (set, stats) => set({}, stats[key]));
    }
    for (const key of keysOf(GAUGES)) {
      this.#add(Gauge, snake(key), GAUGES[key], [], (set, stats) => set({}, stats[key]));
    }
    this.#add(Gauge, 'up', 'Whether the handler thread runs', [], (set, { state }) =>
      set({}, state === 'running' ? 1 : 0),
    );
    for (const key of keysOf(TIMES)) {
      this.#add(Gauge, `${key}_seconds`, TIMES[key], ['quantile'], (set, stats) => {
        const times: Percentiles = stats[key];
        if (times.count === 0) return;
        for (const [quantile, name] of Object.entries(QUANTILES)) set({ quantile }, times[name] / 1e6);
      });
    }
  }

  #add(
    Kind: MetricClass,
    ending: string,
    help: string,
    labels: string[],
    read: (set: (labels: Labels, value: number) => void, stats: LaneStats) => void,
  ): void {
    const name = PREFIX + ending;
    const sources = this.#sources;
    this.#names.push(name);
    new Kind({
      name,
      help,
      labelNames: ['name', 'stage', 'thread', ...labels],
      registers: [this.register],
      collect() {
        this.reset();
        for (const source of sources) {
          for (const [stage, threads] of source.read().entries()) {
            for (const stats of threads) {
              const own = { name: source.name, stage, thread: stats.thread };
              read((labels, value) => this.inc({ ...own, ...labels }, value), stats);
            }
          }
        }
      },
    });
  }
}

async function promClient(): Promise<PromClient> {
  const name: string = 'prom-client';
  try {
    return (await import(name)).default as PromClient;
  } catch (cause) {
    throw new ArgumentError(
      'metrics: expected the package prom-client to be installed (npm install prom-client)',
      {
        cause,
      },
    );
  }
}

async function listen(register: MetricsRegistry, port: number, host: string): Promise<HttpServer> {
  const server = createServer((request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end('metrics are at /metrics\n');
      return;
    }
    register.metrics().then(
      (text) => response.writeHead(200, { 'content-type': register.contentType }).end(text),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  // What is served keeps the process alive, not the look at it.
  server.unref();
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

function keysOf<Value extends object>(object: Value): (keyof Value)[] {
  return Object.keys(object) as (keyof Value)[];
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
