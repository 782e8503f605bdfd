/**
 * Who may connect to the sockets of this process: an answerer of ZAP requests (ZeroMQ RFC 27) for one user name and
 * password, or a list of CURVE keys. Without one libzmq lets in whoever knows the server's public key, and with PLAIN
 * everybody.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Message } from '../index.js';
import type { Session } from './session.js';

const ENDPOINT = 'inproc://zeromq.zap.01';

export interface Admission {
  /** For PLAIN. */
  readonly user?: { readonly name: string; readonly password: string };
  /** For CURVE: public keys as 32 bytes each; undefined admits all. */
  readonly keys?: readonly Uint8Array[];
}

/** Answers until the command ends. Call it before anything is bound. */
export async function admit(session: Session, admission: Admission): Promise<void> {
  const { Reply } = await session.load();
  const socket = session.own(new Reply({ linger: 0 }));
  socket.bind(ENDPOINT);
  void (async () => {
    for await (const request of socket) {
      const [version, id, , address, , mechanism, ...credentials] = request;
      const user = nameOf(admission, String(mechanism), credentials);
      if (user === undefined)
        session.note(`refused ${String(address)}, which does not have the right credentials`);
      const status = user === undefined ? ['400', 'No access'] : ['200', 'OK'];
      await socket.send([version!, id!, ...status, user ?? '', '']);
    }
  })().catch((error: unknown) => {
    if (!session.interrupted && !socket.closed) session.note(`ZAP: ${(error as Error).message}`);
  });
}

/** Whom the credentials prove; undefined if nobody who is admitted. */
function nameOf(
  { user, keys }: Admission,
  mechanism: string,
  credentials: readonly Message[],
): string | undefined {
  const [first, second] = credentials;
  if (mechanism === 'PLAIN' && user !== undefined && first !== undefined && second !== undefined) {
    return same(first, Buffer.from(user.name)) && same(second, Buffer.from(user.password))
      ? user.name
      : undefined;
  }
  if (
    mechanism === 'CURVE' &&
    first !== undefined &&
    (keys === undefined || keys.some((key) => same(first, key)))
  ) {
    return 'CURVE';
  }
  return undefined;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
