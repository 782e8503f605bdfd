/**
 * What an application's `verify` function said, as the reply to a connection.
 */
import { ArgumentError, argumentError } from '../errors.js';
import { native } from '../native.js';
import type { Verdict } from './authenticator-options.js';
import { isPropertyName, type ZapReply } from './zap-message.js';

const LONGEST_USER_ID = 255;
const LONGEST_VALUE = 64 * 1024;
const MOST_NAMES = 64;

/**
 * @param userId what the peer is called where the verdict names nobody
 * @throws {@link ArgumentError} for what is no verdict, and for names and values that messages cannot carry
 */
export function replyOf(verdict: Verdict, userId: string): ZapReply {
  if (verdict === undefined || verdict === null || verdict === false)
    return { status: 400, text: 'Not verified' };
  if (verdict === true) return { status: 200, text: 'OK', userId };
  if (typeof verdict !== 'object' || Array.isArray(verdict)) {
    throw argumentError('verify', 'it to return a boolean, or an object with userId and metadata', verdict);
  }
  const { userId: named = userId, metadata } = verdict;
  if (typeof named !== 'string' || Buffer.byteLength(named) > LONGEST_USER_ID || named.includes('\0')) {
    throw argumentError('verify: userId', `a string of at most ${LONGEST_USER_ID} bytes`, named);
  }
  return { status: 200, text: 'OK', userId: named, metadata: checkMetadata(metadata) };
}

function checkMetadata(metadata: unknown): Record<string, string> | undefined {
  if (metadata === undefined) return undefined;
  if (typeof metadata !== 'object' || metadata === null) {
    throw argumentError('verify: metadata', 'an object of names and texts', metadata);
  }
  const entries = Object.entries(metadata);
  for (const [name, value] of entries) {
    if (!isPropertyName(name)) {
      throw argumentError('verify: metadata', "names of letters, digits, '-', '_', '.' and '+'", name);
    }
    if (typeof value !== 'string' || value.length > LONGEST_VALUE || value.includes('\0')) {
      throw argumentError(
        `verify: metadata['${name}']`,
        `a string of at most ${LONGEST_VALUE} characters`,
        value,
      );
    }
    if (!native.addPropertyName(name)) {
      throw new ArgumentError(
        `verify: expected at most ${MOST_NAMES} different names of metadata in one process, got '${name}' besides`,
      );
    }
  }
  return Object.fromEntries(entries) as Record<string, string>;
}
