/** socket.peers: counters of a socket's connections. */
import { describe, expect, it } from 'vitest';
import { type PeerCounts, Pull, Push, Socket, SocketClosedError, type SocketEventType } from 'zeromq-threads';

import { turn, within } from './bounded.js';
import { ofTest } from './linked.js';
import { endpoints } from './peers/index.js';

/** The counts once they say what is wanted. */
async function countsOf(
  socket: Pick<Socket, 'peers'>,
  enough: (counts: PeerCounts) => boolean,
): Promise<PeerCounts> {
  let stop = false;
  const found = (async () => {
    while (!stop && !enough(socket.peers)) await turn();
    return socket.peers;
  })();
  try {
    return await within('the counts are there', found);
  } catch (error) {
    throw new Error(`counts so far: ${JSON.stringify(socket.peers)}`, { cause: error });
  } finally {
    stop = true;
  }
}

describe('socket.peers', () => {
  it('counts connections on both sides as they come and go', async () => {
    const pull = ofTest(new Pull());
    const push = ofTest(new Push());
    expect(pull.peers).toEqual({
      open: 0,
      accepted: 0,
      connected: 0,
      handshakes: 0,
      disconnected: 0,
      retries: 0,
      acceptErrors: 0,
      handshakesFailed: 0,
      handshakeFailures: {},
    });
    expect(push.peers.open).toBe(0);
    push.connect(pull.bind(endpoints.tcp()));
    const accepted = await countsOf(pull, ({ handshakes }) => handshakes === 1);
    expect(accepted).toMatchObject({ open: 1, accepted: 1, connected: 0, disconnected: 0 });
    const connected = await countsOf(push, ({ handshakes }) => handshakes === 1);
    expect(connected).toMatchObject({ open: 1, accepted: 0, connected: 1 });
    push.close();
    const gone = await countsOf(pull, ({ disconnected }) => disconnected === 1);
    expect(gone).toMatchObject({ open: 0, accepted: 1, handshakes: 1, handshakesFailed: 0 });
  });

  it('counts failed handshakes by reason', async () => {
    const server = ofTest(new Pull({ plainServer: true }));
    const client = ofTest(new Push({ reconnectInterval: -1 }));
    expect(server.peers.handshakesFailed).toBe(0);
    client.connect(server.bind(endpoints.tcp()));
    const { handshakeFailures, handshakesFailed, handshakes } = await countsOf(
      server,
      (counts) => counts.handshakesFailed > 0,
    );
    expect(handshakes).toBe(0);
    expect(handshakeFailures).toEqual({ ZMTP_MECHANISM_MISMATCH: handshakesFailed });
  });

  it('leaves the events to a loop that begins later, and ends it with the socket', async () => {
    const pull = ofTest(new Pull());
    expect(pull.peers.accepted).toBe(0);
    const seen: SocketEventType[] = [];
    const loop = (async () => {
      for await (const { type } of pull.events) {
        seen.push(type);
        if (type === 'handshake') setImmediate(() => pull.close());
      }
    })();
    ofTest(new Push()).connect(pull.bind(endpoints.tcp()));
    await within('the loop ends', loop);
    expect(seen).toEqual(['bind', 'accept', 'handshake', 'end']);
  });

  it('can be asked while a loop or listeners read the events', async () => {
    const looped = ofTest(new Pull());
    const listened = ofTest(new Pull());
    const heard = new Promise<void>((resolve) => void listened.events.once('handshake', () => resolve()));
    const loop = (async () => {
      for await (const { type } of looped.events) if (type === 'handshake') break;
    })();
    const push = ofTest(new Push());
    push.connect(looped.bind(endpoints.tcp()));
    push.connect(listened.bind(endpoints.tcp()));
    await within('the loop saw the handshake', loop);
    await within('the listener heard of the handshake', heard);
    for (const socket of [looped, listened]) {
      expect(socket.peers).toMatchObject({ open: 1, accepted: 1, handshakes: 1 });
    }
  });

  it('is refused where the socket is closed, or was attached to', () => {
    const pull = ofTest(new Pull());
    const attached = ofTest(Socket.attach(pull.share()));
    expect(() => attached.peers).toThrow(expect.objectContaining({ code: 'ENOTSUP' }));
    pull.close();
    expect(() => pull.peers).toThrow(SocketClosedError);
  });
});
