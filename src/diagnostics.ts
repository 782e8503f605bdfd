/**
 * What happens inside, on `node:diagnostics_channel`: for monitoring tools, at no cost while nobody listens.
 *
 * | channel | published when | message |
 * |---|---|---|
 * | `zeromq-threads:request:retry` | a Requester asks again | `{ requester, attempts, timeout }` |
 * | `zeromq-threads:request:failed` | a Requester gives up | `{ requester, error, attempts }` |
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
} satisfies Record<string, Channel>;
