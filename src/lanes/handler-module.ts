/**
 * The module that a handler is in: found in the thread that names it, loaded in the threads that run it.
 */
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describeValue } from '../describe-value.js';
import { ArgumentError, argumentError, HandlerError } from '../errors.js';
import type { Handler } from './lane-consumer.js';

/** Where a handler is. */
export interface HandlerRef {
  readonly href: string;
  readonly exportName: string;
}

const HOOKS = ['setup', 'teardown', 'errorReply'] as const;
/** What a module may export besides handlers, to be called by us. */
export type Hooks = { [Name in (typeof HOOKS)[number]]?: (...what: unknown[]) => unknown };

const EXPECTED = "the URL or path of a module, such as new URL('./handler.js', import.meta.url)";

/**
 * Finds a handler's module.
 *
 * @param handler a URL, or a string: a `file:` URL, a path (from the working directory on), or a package's name. A
 *   `#name` at the end of a URL names the export
 * @param exportName the export's name, `default` unless told
 * @throws {@link ArgumentError} if there is no such module
 */
export function findHandler(handler: unknown, exportName: unknown): HandlerRef {
  if (typeof handler === 'function') {
    throw new ArgumentError(
      `handler: expected ${EXPECTED}, got a function; handlers run in other threads, which load them from a module`,
    );
  }
  if (exportName !== undefined && (typeof exportName !== 'string' || exportName === '')) {
    throw argumentError('export', 'the name of an export', exportName);
  }
  const url = urlOf(handler);
  const named = orRefuse(handler, () => decodeURIComponent(url.hash.slice(1)));
  url.hash = '';
  if (url.protocol === 'file:') {
    const path = orRefuse(handler, () => fileURLToPath(url));
    if (!existsSync(path)) throw new ArgumentError(`handler: expected ${EXPECTED}, but there is no ${path}`);
    if (!statSync(path).isFile())
      throw new ArgumentError(`handler: expected ${EXPECTED}, but ${path} is no file`);
  }
  return { href: url.href, exportName: exportName ?? (named === '' ? 'default' : named) };
}

/** What a URL that is malformed, or no file's, is refused with. */
function orRefuse<Value>(handler: unknown, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new ArgumentError(
      `${argumentError('handler', EXPECTED, handler).message}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function urlOf(handler: unknown): URL {
  if (handler instanceof URL) return new URL(handler.href);
  if (typeof handler !== 'string' || handler === '') throw argumentError('handler', EXPECTED, handler);
  if (/^(file|data|node):/.test(handler)) return orRefuse(handler, () => new URL(handler));
  if (/^\.{1,2}[/\\]/.test(handler) || isAbsolute(handler) || existsSync(handler)) {
    return pathToFileURL(resolve(handler));
  }
  try {
    return pathToFileURL(createRequire(process.cwd() + sep).resolve(handler));
  } catch {
    throw argumentError('handler', `${EXPECTED}, that is there`, handler);
  }
}

/**
 * Loads the handler.
 *
 * @returns it, and what else the module has for us
 * @throws {@link HandlerError} if it cannot be loaded, has no such function, or a hook that is none
 */
export async function loadHandler(ref: HandlerRef): Promise<{ handler: Handler; hooks: Hooks }> {
  let module: Record<string, unknown>;
  try {
    module = (await import(ref.href)) as Record<string, unknown>;
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new HandlerError(`The handler's module ${ref.href} cannot be loaded: ${reason}`, { cause });
  }
  const handler = exportOf(module, ref.exportName);
  if (typeof handler !== 'function') {
    const functions = Object.keys(module).filter((name) => typeof module[name] === 'function');
    throw new HandlerError(
      `The handler's module ${ref.href} has no function '${ref.exportName}' among its exports; ` +
        `it has ${functions.length === 0 ? 'no functions' : functions.join(', ')}`,
    );
  }
  const hooks: Hooks = {};
  for (const name of HOOKS) {
    const hook = exportOf(module, name);
    if (hook === undefined) continue;
    if (typeof hook !== 'function') {
      throw new HandlerError(
        `The handler's module ${ref.href} exports '${name}': expected a function, got ${describeValue(hook)}`,
      );
    }
    hooks[name] = hook as NonNullable<Hooks[typeof name]>;
  }
  return { handler: handler as Handler, hooks };
}

/** A CommonJS module's exports are properties of its default export. */
function exportOf(module: Record<string, unknown>, name: string): unknown {
  if (module[name] !== undefined && !(name === 'default' && typeof module.default === 'object'))
    return module[name];
  const inner = module.default;
  return typeof inner === 'object' && inner !== null
    ? (inner as Record<string, unknown>)[name]
    : module[name];
}
