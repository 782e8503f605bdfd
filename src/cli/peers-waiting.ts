/** Waiting for peers before the first message: what has nobody to go to would wait, or be dropped. */
import type { Socket } from '../index.js';
import { CommandError, EXIT } from './outcome.js';
import type { Session } from './session.js';

/**
 * Begins to count the peers of a socket that is not bound or connected yet.
 *
 * @returns a function that waits for so many: connections whose handshake is done; subscriptions, if it is an XPUB
 */
export function countPeers(
  session: Session,
  socket: Socket,
  wanted: number,
  timeout: number,
): () => Promise<void> {
  if (wanted === 0) return async () => {};
  if (socket.type === 'XPUB') return () => subscriptions(session, socket, wanted, timeout);
  let here = 0;
  let look = (): void => {};
  socket.events.on('handshake', () => {
    here += 1;
    look();
  });
  socket.events.on('disconnect', () => {
    here = Math.max(0, here - 1);
  });
  return () =>
    new Promise((resolve, reject) => {
      // A listener of events keeps no process; this does.
      const timer = setTimeout(
        () => reject(late(here, wanted, 'peers')),
        timeout < 0 ? 2 ** 31 - 1 : timeout,
      );
      const end = (): void => {
        clearTimeout(timer);
        session.signal.removeEventListener('abort', stop);
      };
      const stop = (): void => {
        end();
        reject(session.signal.reason);
      };
      look = (): void => {
        if (here < wanted) return;
        end();
        resolve();
      };
      session.signal.addEventListener('abort', stop);
      if (session.signal.aborted) stop();
      else look();
    });
}

async function subscriptions(
  session: Session,
  socket: Socket,
  wanted: number,
  timeout: number,
): Promise<void> {
  const until = timeout < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeout;
  let here = 0;
  while (here < wanted) {
    const left = until === Number.POSITIVE_INFINITY ? -1 : Math.max(0, until - performance.now());
    let frame: Buffer | undefined;
    try {
      [frame] = await socket.receive({ timeout: left, signal: session.signal });
    } catch (error) {
      if ((error as { code?: string }).code === 'EAGAIN') throw late(here, wanted, 'subscriptions');
      throw error;
    }
    if (frame?.[0] === 1) here += 1;
    else if (frame?.[0] === 0) here -= 1;
  }
}

function late(here: number, wanted: number, what: string): CommandError {
  return new CommandError(`--timeout is over with ${here} of ${wanted} ${what} there`, EXIT.timeout);
}
