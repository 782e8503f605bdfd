/** Sockets for one test: closed when it ends, so that nothing of it is left to the next. */
import { onTestFinished } from 'vitest';

import type { CommonSocket } from 'zeromq-threads';

import { endpoints } from './peers/index.js';

/** Closes `socket` without linger when the test ends. @returns the socket */
export function ofTest<Kind extends Pick<CommonSocket, 'close'>>(socket: Kind): Kind {
  onTestFinished(() => socket.close({ linger: 0 }));
  return socket;
}

/** Binds one socket and connects the other to it. @returns both, and where */
export function linked<Bound extends CommonSocket, Connected extends CommonSocket>(
  bound: Bound,
  connected: Connected,
  endpoint: string = endpoints.tcp(),
): [bound: Bound, connected: Connected, endpoint: string] {
  ofTest(bound);
  ofTest(connected);
  const resolved = bound.bind(endpoint);
  connected.connect(resolved);
  return [bound, connected, resolved];
}
