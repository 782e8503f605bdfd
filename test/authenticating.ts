/** Servers and clients for tests of who may connect. */
import { onTestFinished } from 'vitest';
import {
  Authenticator,
  type AuthenticatorEvent,
  type AuthenticatorOptions,
  Context,
  type CurveKeyPair,
  curveKeyPair,
  Pull,
  Push,
  type SocketOptions,
} from 'zeromq-threads';

import { within } from './bounded.js';
import { ofTest } from './linked.js';

export const SERVER_KEYS = curveKeyPair();

/** What a socket needs to be a server that lets in nobody who was not accepted. */
export const CURVE_SERVER = {
  curveServer: true,
  curvePublicKey: SERVER_KEYS.publicKey,
  curveSecretKey: SERVER_KEYS.secretKey,
  zapDomain: 'test',
  zapEnforceDomain: true,
  linger: 0,
} as const satisfies SocketOptions;

export const PLAIN_SERVER = {
  plainServer: true,
  zapDomain: 'test',
  zapEnforceDomain: true,
  linger: 0,
} as const;

export function curveClient({ publicKey, secretKey }: CurveKeyPair, serverKey = SERVER_KEYS.publicKey) {
  return {
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
    curveServerKey: serverKey,
    linger: 0,
  } as const;
}

/** A context with an Authenticator; both are closed when the test ends. */
export function authenticated(options: Omit<AuthenticatorOptions, 'context'> = {}): {
  context: Context;
  authenticator: Authenticator;
} {
  const context = new Context();
  const authenticator = new Authenticator(context, options);
  onTestFinished(async () => {
    await context.close();
    await within('the Authenticator closes', authenticator.close());
  });
  return { context, authenticator };
}

export function nextEvent<Type extends AuthenticatorEvent['type']>(
  authenticator: Authenticator,
  type: Type,
): Promise<Extract<AuthenticatorEvent, { type: Type }>> {
  const event = new Promise<Extract<AuthenticatorEvent, { type: Type }>>((resolve) => {
    authenticator.events.once(type, resolve as never);
  });
  return within(`the event '${type}'`, event);
}

/** Connects a client that sends a message. */
export function pushing(context: Context, endpoint: string, options: SocketOptions): Push {
  const push = ofTest(new Push({ ...options, context } as never));
  push.connect(endpoint);
  push.send('hello').catch(() => {}); // it may be closed before anybody lets it in
  return push;
}

/** A server that pulls, and where. */
export function pulling(
  context: Context,
  options: SocketOptions,
  endpoint = 'tcp://127.0.0.1:*',
): [Pull, string] {
  const pull = ofTest(new Pull({ ...options, context } as never));
  return [pull, pull.bind(endpoint)];
}

/** Whom the Authenticator lets in says so; whom it does not, too. The client is closed afterwards. */
export async function outcomeOf(
  authenticator: Authenticator,
  endpoint: string,
  options: SocketOptions,
): Promise<AuthenticatorEvent> {
  const decided = new Promise<AuthenticatorEvent>((resolve) => {
    const decide = (event: AuthenticatorEvent): void => {
      if (event.type === 'error') return;
      authenticator.events.off('event', decide);
      resolve(event);
    };
    authenticator.events.on('event', decide);
  });
  const push = new Push({ ...options, linger: 0 });
  try {
    push.connect(endpoint);
    return await within('the Authenticator decides', decided);
  } finally {
    push.close();
  }
}
