/**
 * What an Authenticator and its thread tell each other, and the counters that they share.
 */
import type { AuthenticatorEvent } from './authenticator-events.js';
import type { ZapReply } from './zap-message.js';

/** Where a domain's PLAIN users come from; `ask` is the application's function. */
export type PlainSource =
  | { readonly kind: 'passwords'; readonly entries: readonly (readonly [name: string, password: string])[] }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'ask' };

/** Where a domain's CURVE keys, in Z85, come from. */
export type CurveSource =
  | { readonly kind: 'keys'; readonly keys: readonly string[] }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'ask' };

/** What the thread is told. It reads this before it decides anything. */
export type ToThread =
  | {
      readonly type: 'addresses';
      readonly domain: string;
      readonly list: 'allow' | 'deny';
      readonly entries: readonly string[];
    }
  | { readonly type: 'plain'; readonly domain: string; readonly source: PlainSource }
  | { readonly type: 'curve'; readonly domain: string; readonly source: CurveSource }
  | { readonly type: 'answer'; readonly id: number; readonly reply: ZapReply }
  /** Somebody wants events. */
  | { readonly type: 'report' };

/** What the application's function is asked. */
export type Question = {
  /** The domain whose function it is. */
  readonly configured: string;
  readonly domain: string;
  readonly address: string;
  readonly routingId: Uint8Array;
} & (
  | { readonly mechanism: 'PLAIN'; readonly username: string; readonly password: string }
  | { readonly mechanism: 'CURVE'; readonly publicKey: string }
);

/** What the thread tells. */
export type FromThread =
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** The question's time is over. */
  | { readonly type: 'late'; readonly id: number }
  | { readonly type: 'event'; readonly event: AuthenticatorEvent };

/** What the thread is started with. */
export interface ZapThreadData {
  /** The bound ROUTER. */
  readonly socket: unknown;
  readonly port: import('node:worker_threads').MessagePort;
  readonly counters: Int32Array;
  readonly callbackTimeout: number;
  readonly maxPending: number;
}

/*
 * The counters: 32-bit words that wrap around, in shared memory. The thread adds to all but EVENTS_TAKEN, which the
 * Authenticator adds to; each reads the other's at any time, and nothing else depends on them.
 */
export const COUNT_ACCEPTED = 0;
/** Status 400. */
export const COUNT_DENIED = 1;
/** Status 300. */
export const COUNT_DEFERRED = 2;
/** Status 500. */
export const COUNT_FAILED = 3;
/** Requests that were none; among those with status 400. */
export const COUNT_MALFORMED = 4;
/** Questions that are under way. */
export const COUNT_PENDING = 5;
export const COUNT_EVENTS_POSTED = 6;
export const COUNT_EVENTS_DROPPED = 7;
/** Pairs with EVENTS_POSTED: their difference is what waits to be read. */
export const COUNT_EVENTS_TAKEN = 8;
export const COUNTERS = 9;

/** Events that may wait to be read, in each place where they do. */
export const MOST_EVENTS = 1024;
