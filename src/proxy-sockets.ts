/**
 * Which sockets a proxy can join.
 */
import { ArgumentError } from './errors.js';
import { socketTypeOf } from './socket-types.js';
import type { CommonSocket } from './sockets.js';

/** Frontend to backend, and back: bits, as the addon takes them. */
const FORWARD = 1;
const BACKWARD = 2;

const CAPTURE_TYPES = ['PUB', 'PUSH', 'PAIR', 'DEALER'];

/**
 * The ways that messages can go between two sockets, as bits.
 *
 * @throws {@link ArgumentError} if there is none, or if what one receives has to reach the other and cannot
 */
export function waysBetween(frontend: CommonSocket, backend: CommonSocket): number {
  const [front, back] = [socketTypeOf(frontend.type), socketTypeOf(backend.type)];
  // A reply would have to know its request's routing id, and what was received before the proxy has lost its group.
  if (front.tag !== undefined || back.tag !== undefined || front.frames !== back.frames) {
    throw new ArgumentError(
      `frontend and backend: expected types that have the same frames, and no routing ids or groups beside them; ` +
        `got ${front.name} and ${back.name}`,
    );
  }
  const forward = front.canReceive && back.canSend;
  // One socket gets back what it received: there is one way only.
  const backward = frontend !== backend && back.canReceive && front.canSend;
  if (!forward && !backward) {
    throw new ArgumentError(
      `frontend and backend: expected types between which messages can go, such as ROUTER and DEALER, XSUB and XPUB, ` +
        `or PULL and PUSH; got ${front.name} and ${back.name}`,
    );
  }
  // An XPUB receives subscriptions, without a limit, and a SUB cannot pass them on.
  for (const [one, other] of [
    [front, back],
    [back, front],
  ]) {
    if (one!.name === 'XPUB' && !other!.canSend) {
      throw new ArgumentError(
        `frontend and backend: expected a socket that passes on the subscriptions of the XPUB, such as XSUB; ` +
          `got ${other!.name} (to publish what it receives, use PUB)`,
      );
    }
  }
  return (forward ? FORWARD : 0) | (backward ? BACKWARD : 0);
}

/** @throws {@link ArgumentError} for a type that cannot capture, and for one of the other two sockets */
export function checkCapture(capture: CommonSocket, frontend: CommonSocket, backend: CommonSocket): void {
  if (!CAPTURE_TYPES.includes(capture.type)) {
    throw new ArgumentError(
      `options.capture: expected a ${CAPTURE_TYPES.join(', ').replace(/, (\w+)$/, ' or $1')} socket, got ${capture.type}`,
    );
  }
  if (capture === frontend || capture === backend) {
    throw new ArgumentError('options.capture: expected a socket of its own, got the frontend or the backend');
  }
}
