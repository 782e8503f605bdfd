/** What finds peers that are gone, where this package connects on its own account. */

/**
 * Socket options for connections over a network, which `Requester`, and `serve` and `pipeline` where they connect,
 * start from, and which are worth giving to a broker's sockets. Each can be overridden.
 *
 * | option | value | because |
 * |---|---|---|
 * | `tcpKeepalive` | 1 | a peer that vanished without a word is noticed while nothing is sent |
 * | `tcpKeepaliveIdle`, `tcpKeepaliveInterval`, `tcpKeepaliveCount` | 1, 1, 3 | ... after four seconds of silence |
 * | `tcpMaxRetransmitTimeout` | 4000 | the same for what is sent and not acknowledged; `pipeline` leaves it out |
 * | `connectTimeout` | 2000 | the operating system alone tries for minutes, at ever longer intervals |
 * | `reconnectInterval` | 100 | the first attempt to come back is soon |
 * | `reconnectMaxInterval` | 2000 | later ones are rarer |
 *
 * There are no heartbeats among them: with `heartbeatInterval`, libzmq ends connections to peers that are busy, and can
 * abort the process.
 *
 * ```ts
 * const backend = new Dealer({ ...connectionDefaults, sendHighWaterMark: 20 });
 * ```
 */
export const connectionDefaults = Object.freeze({
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 1,
  tcpKeepaliveInterval: 1,
  tcpKeepaliveCount: 3,
  tcpMaxRetransmitTimeout: 4000,
  connectTimeout: 2000,
  reconnectInterval: 100,
  reconnectMaxInterval: 2000,
});

/** @internal `given`, and `defaults` for what it has not, or has as undefined. */
export function withDefaults<Defaults extends object, Given extends object>(
  defaults: Defaults,
  given: Given | undefined,
): Defaults & Given {
  const told = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(told) } as Defaults & Given;
}
