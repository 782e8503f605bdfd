/**
 * serve() and pipeline(). What runs them is loaded when the first is started: it is half of the package and needs
 * Piscina, and who only uses sockets need not wait for it. Piscina is not made to be bundled.
 */
import { bundleError, IN_BUNDLE } from './package-root.js';
import type { Pipeline } from './pipeline/pipeline.js';
import type { PipelineOptions } from './pipeline/pipeline-options.js';
import type { ServeOptions, Server } from './serve/server.js';

/**
 * Starts a server: requests of REQ and DEALER peers are handled by a module's function, in several threads, and what
 * it returns goes back to whoever asked.
 *
 * ```ts
 * const server = await serve({
 *   bind: 'tcp://127.0.0.1:5555',
 *   handler: new URL('./handler.js', import.meta.url),
 *   threads: 4,
 * });
 * await server.close({ drain: true, timeout: 5000 });
 * ```
 *
 * @throws (rejects) {@link ArgumentError} for bad options, {@link HandlerError} if the handler cannot be loaded,
 *   {@link ZmqError} if the socket cannot be bound, {@link ContextClosedError} if its context is closed meanwhile
 */
export async function serve(options: ServeOptions): Promise<Server> {
  if (IN_BUNDLE) throw bundleError('serve() cannot run from a bundle');
  const { startServer } = await import('./serve/server.js');
  return startServer(options);
}

/**
 * Starts a pipeline: messages of the sources are handled by a module's function, in several threads, and what it
 * returns goes to the sinks.
 *
 * ```ts
 * const line = await pipeline({
 *   source: { type: 'PULL', bind: 'tcp://127.0.0.1:5556' },
 *   sink: { type: 'PUSH', connect: 'tcp://127.0.0.1:5557' },
 *   handler: new URL('./transform.js', import.meta.url),
 *   threads: 4,
 *   ordered: true,
 * });
 * ```
 *
 * @throws (rejects) {@link ArgumentError} for bad options, {@link HandlerError} if a handler cannot be loaded,
 *   {@link ZmqError} if a socket cannot be bound, {@link ContextClosedError} if its context is closed meanwhile
 */
export async function pipeline(options: PipelineOptions): Promise<Pipeline> {
  if (IN_BUNDLE) throw bundleError('pipeline() cannot run from a bundle');
  const { startPipeline } = await import('./pipeline/pipeline.js');
  return startPipeline(options);
}
