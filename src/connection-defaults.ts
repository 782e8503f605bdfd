/** What finds peers that are gone, where this package connects on its own account. */

/**
 * Socket options for connections over a network, which `Requester`, and `serve` and `pipeline` where they connect,
 * start from, and which are worth giving to a broker's sockets. Each can be overridden.
 *
 * | option | value | because |
 * |---|---|---|
 * | `heartbeatInterval` | 1000 | a peer that vanished without a word is noticed |
 * | `heartbeatTimeout` | 3000 | ... after that many milliseconds of silence |
 * | `connectTimeout` | 2000 | the operating system alone tries for minutes, at ever longer intervals |
 * | `reconnectInterval` | 100 | the first attempt to come back is soon |
 * | `reconnectMaxInterval` | 2000 | later ones are rarer |
 *
 * ```ts
 * const backend = new Dealer({ ...connectionDefaults, sendHighWaterMark: 20 });
 * ```
 */
export const connectionDefaults = Object.freeze({
  heartbeatInterval: 1000,
  heartbeatTimeout: 3000,
  connectTimeout: 2000,
  reconnectInterval: 100,
  reconnectMaxInterval: 2000,
});
