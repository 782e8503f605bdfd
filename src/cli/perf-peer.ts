/** The other process of `perf`: sends when it is told to, and returns what it gets. */
import type { Socket } from '../index.js';
import { CommandError, checkingInput } from './outcome.js';
import { type Control, controlMessage, controlOf } from './perf-protocol.js';
import type { Session } from './session.js';

/** A client that takes nothing for so long has gone, in milliseconds. */
const PATIENCE = 5000;
/** Sends between two looks at the clock. */
const SENDS_PER_LOOK = 64;
const LARGEST = 2 ** 30;

/** Serves one client after the other until the command ends. */
export async function servePerf(session: Session, endpoint: string): Promise<void> {
  const { Socket } = await session.load();
  const socket = session.own(checkingInput(() => new Socket('PAIR', { linger: 0, sendTimeout: PATIENCE })));
  session.signal.addEventListener('abort', () => socket.close());
  const bound = checkingInput(() => socket.bind(endpoint));
  await session.write(`listening on ${bound}\n`);
  while (!session.interrupted) {
    const frames = await socket.receive();
    const control = controlOf(frames);
    try {
      if (control === undefined) await socket.send(frames);
      else await obey(session, socket, control);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      session.note(`a client took nothing for ${PATIENCE} ms; waiting for the next one`);
    }
  }
}

async function obey(session: Session, socket: Socket, control: Control): Promise<void> {
  switch (control.kind) {
    case 'hello': {
      const { version } = await session.load();
      await socket.send(controlMessage({ kind: 'ready', nonce: control.nonce, version }));
      return;
    }
    case 'send': {
      const count = await sendFor(session, socket, control.size, control.seconds);
      await socket.send(controlMessage({ kind: 'sent', count }));
      return;
    }
    default:
      throw new CommandError(`a client said '${control.kind}', which is no request`);
  }
}

async function sendFor(session: Session, socket: Socket, size: number, seconds: number): Promise<number> {
  if (!(size >= 0 && size <= LARGEST && seconds > 0))
    throw new CommandError('a client asked for what cannot be');
  const payload = Buffer.alloc(size, 0x2a);
  const until = performance.now() + seconds * 1000;
  let count = 0;
  while (performance.now() < until && !session.interrupted) {
    for (let n = 0; n < SENDS_PER_LOOK; n += 1) await socket.send(payload);
    count += SENDS_PER_LOOK;
  }
  return count;
}
