/**
 * What happens inside, on `node:diagnostics_channel`: for monitoring tools, at no cost while nobody listens.
 *
 * | channel | published when | message |
 * |---|---|---|
 * | `zeromq-threads:request:retry` | a Requester asks again | `{ requester, attempts, timeout }` |
 * | `zeromq-threads:request:failed` | a Requester gives up | `{ requester, error, attempts }` |
 * | `zeromq-threads:handler:failed` | a handler threw, rejected or took too long | `{ label, thread, error, message }` |
 * | `zeromq-threads:handler:dropped` | a result could not be sent | `{ label, thread, error, message }` |
 * | `zeromq-threads:handler:lost` | a thread died while it ran a message | `{ label, thread, error, message, outcome }` |
 * | `zeromq-threads:handler:refused` | a message came that no thread can get | `{ label, error, message }` |
 * | `zeromq-threads:handler:thread` | a handler thread starts, dies, or its circuit opens | `{ label, type, thread, error, wait }` |
 *
 * `label` is `'serve'`, `'pipeline'` or `'pipeline stage 1'`. A handler's `message` is
 * `{ ticket, source, attempts, envelope, frames }`, the last two lists of Uint8Arrays.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * subscribe('zeromq-threads:request:retry', ({ attempts }) => log.warn(`no answer, attempt ${attempts}`));
 * ```
 */
import { type Channel, channel } from 'node:diagnostics_channel';

export const diagnostics = {
  requestRetry: channel('zeromq-threads:request:retry'),
  requestFailed: channel('zeromq-threads:request:failed'),
  handlerFailed: channel('zeromq-threads:handler:failed'),
  handlerDropped: channel('zeromq-threads:handler:dropped'),
  handlerLost: channel('zeromq-threads:handler:lost'),
  handlerRefused: channel('zeromq-threads:handler:refused'),
  handlerThread: channel('zeromq-threads:handler:thread'),
} satisfies Record<string, Channel>;
