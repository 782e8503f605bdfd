/** Making and deriving CURVE keys. */
import { curveKeyBytes } from './curve-key.js';
import { ArgumentError, argumentError, notSupportedError, zmqError } from './errors.js';
import { native } from './native.js';
import { z85Encode } from './z85.js';

/** A CURVE key pair, each key as 40 characters of Z85. */
export interface CurveKeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/**
 * A new key pair for the CURVE mechanism.
 *
 * ```ts
 * const { publicKey, secretKey } = curveKeyPair();
 * const server = new Router({ curveServer: true, curvePublicKey: publicKey, curveSecretKey: secretKey });
 * ```
 *
 * @throws {@link ZmqError} `'ENOTSUP'` where libzmq has no CURVE (`capability.curve`)
 */
export function curveKeyPair(): CurveKeyPair {
  const pair = native.curveKeyPair();
  if (typeof pair === 'number') throw curveError(pair, 'Cannot make a CURVE key pair');
  return { publicKey: pair[0], secretKey: pair[1] };
}

/**
 * The public key that belongs to a secret one.
 *
 * ```ts
 * const publicKey = curvePublicKey(await readFile('server.secret', 'latin1'));
 * ```
 *
 * @param secretKey 40 characters of Z85, or 32 bytes
 * @throws {@link ArgumentError} for anything else, {@link ZmqError} as {@link curveKeyPair}
 */
export function curvePublicKey(secretKey: string | Uint8Array): string {
  const expected = 'a CURVE key: 40 characters of Z85, or 32 bytes';
  let text: string | undefined;
  if (secretKey instanceof Uint8Array && secretKey.length === 32) text = z85Encode(secretKey);
  else if (typeof secretKey === 'string' && curveKeyBytes(secretKey) !== undefined) text = secretKey;
  // Not what came: it may be a secret that is nearly right.
  if (text === undefined) {
    if (typeof secretKey !== 'string') throw argumentError('secretKey', expected, secretKey);
    throw new ArgumentError(
      `secretKey: expected ${expected}, got ${secretKey.length} characters that are none`,
    );
  }
  const key = native.curvePublicKey(text);
  if (typeof key === 'number') throw curveError(key, 'Cannot derive a CURVE public key');
  return key;
}

function curveError(errno: number, what: string): Error {
  const error = zmqError(errno, what, 'this libzmq was built without CURVE');
  return error.code === 'ENOTSUP' ? notSupportedError(`${what}: this libzmq was built without CURVE`) : error;
}
