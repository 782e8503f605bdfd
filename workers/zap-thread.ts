/**
 * An Authenticator's thread: receives ZAP requests, decides, and answers.
 *
 * 1. What the Authenticator was told before a request was made is known before it is decided: the port is read empty
 *    first, without waiting for the event loop.
 * 2. Every request gets one answer, and nothing that it contains ends the thread. It ends when the socket is closed.
 * 3. Questions to the application have a time and a number that they may not exceed. Whatever else is asked meanwhile
 *    does not wait for them.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AuthenticatorEvent } from '../src/authenticator/authenticator-events.js';
import { Policy, UnreadableError } from '../src/authenticator/policy.js';
import {
  COUNT_ACCEPTED,
  COUNT_DEFERRED,
  COUNT_DENIED,
  COUNT_EVENTS_DROPPED,
  COUNT_EVENTS_POSTED,
  COUNT_EVENTS_TAKEN,
  COUNT_FAILED,
  COUNT_MALFORMED,
  COUNT_PENDING,
  type FromThread,
  MOST_EVENTS,
  type Question,
  type ToThread,
  type ZapThreadData,
} from '../src/authenticator/thread-messages.js';
import {
  isPropertyName,
  type ParsedRequest,
  parseZapRequest,
  textOf,
  type ZapReply,
  type ZapRequest,
  type ZapStatus,
  zapReplyFrames,
} from '../src/authenticator/zap-message.js';
import { ContextClosedError, SocketClosedError } from '../src/errors.js';
import type { Handle } from '../src/handles.js';
import type { Message } from '../src/message.js';
import { native } from '../src/native.js';
import { Socket } from '../src/socket.js';

/** Requests that are answered before the event loop, and with it the application's answers, gets a turn. */
const REQUESTS_PER_TURN = 256;

const COUNT_OF_STATUS: Readonly<Record<ZapStatus, number>> = {
  200: COUNT_ACCEPTED,
  300: COUNT_DEFERRED,
  400: COUNT_DENIED,
  500: COUNT_FAILED,
};

interface Asked {
  readonly parsed: ParsedRequest;
  readonly timer: NodeJS.Timeout;
}

const { socket: handle, port, counters, callbackTimeout, maxPending } = workerData as ZapThreadData;
const socket = attach();
const policy = new Policy();
const asked = new Map<number, Asked>();
let questions = 0;
let turn = 0;
let reporting = false;
/** What is wrong with the files, as it was told last. */
let trouble = '';

function hear(message: ToThread): void {
  switch (message.type) {
    case 'report':
      reporting = true;
      return;
    case 'answer':
      conclude(message.id, message.reply);
      return;
    default:
      policy.configure(message);
  }
}

function hearAll(): void {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) return;
    hear(received.message as ToThread);
  }
}

function tell(message: FromThread): void {
  port.postMessage(message);
}

/** Nobody may have time to read, so what waits to be read is limited. */
function report(event: AuthenticatorEvent): void {
  if (!reporting) return;
  const waiting = (counters[COUNT_EVENTS_POSTED]! - Atomics.load(counters, COUNT_EVENTS_TAKEN)) | 0;
  if (waiting >= MOST_EVENTS) {
    Atomics.add(counters, COUNT_EVENTS_DROPPED, 1);
    return;
  }
  Atomics.add(counters, COUNT_EVENTS_POSTED, 1);
  tell({ type: 'event', event });
}

function answer(frames: readonly Message[]): void {
  const parsed = parseZapRequest(frames);
  const { request, fault } = parsed;
  if (request === undefined) {
    Atomics.add(counters, COUNT_MALFORMED, 1);
    reply(parsed, { status: 400, text: fault });
    return;
  }
  try {
    const decision = policy.decide(request, turn);
    trouble = '';
    if ('reply' in decision) reply(parsed, decision.reply);
    else ask(parsed, decision.question);
  } catch (error) {
    complain(error as Error, request);
    const status = error instanceof UnreadableError ? 300 : 500;
    reply(parsed, { status, text: status === 300 ? 'Temporarily unavailable' : 'Internal error' });
  }
}

/** Once for each trouble, not once for each connection that meets it. */
function complain(error: Error, { domain, address, mechanism }: ZapRequest): void {
  if (trouble === error.message) return;
  trouble = error.message;
  report({ type: 'error', domain, address, mechanism, error });
}

function ask(parsed: ParsedRequest, question: Question): void {
  if (asked.size >= maxPending) {
    reply(parsed, { status: 300, text: 'Too many requests under way' });
    return;
  }
  questions += 1;
  const id = questions;
  const late = (): void => {
    tell({ type: 'late', id });
    conclude(id, { status: 300, text: 'Timeout' });
  };
  asked.set(id, { parsed, timer: setTimeout(late, callbackTimeout) });
  Atomics.store(counters, COUNT_PENDING, asked.size);
  tell({ type: 'ask', id, question });
}

/** Later answers than the first, which may be that the time is over, have no effect. */
function conclude(id: number, outcome: ZapReply): void {
  const entry = asked.get(id);
  if (entry === undefined) return;
  clearTimeout(entry.timer);
  asked.delete(id);
  Atomics.store(counters, COUNT_PENDING, asked.size);
  reply(entry.parsed, outcome);
}

function reply(parsed: ParsedRequest, given: ZapReply): void {
  const outcome = withKnownProperties(given);
  // Counted first: who sees that a connection is there finds it counted.
  Atomics.add(counters, COUNT_OF_STATUS[outcome.status], 1);
  // It never waits: libzmq's side of this connection has no high-water mark, and one that went away is no error.
  if (socket?.closed === false) socket.trySend(zapReplyFrames(parsed, outcome));
  report(eventOf(parsed.request, outcome));
}

/** Messages have a property if its name is known before the connection is there. Others would be lost in silence. */
function withKnownProperties(given: ZapReply): ZapReply {
  const { metadata } = given;
  if (metadata === undefined) return given;
  const known = Object.entries(metadata).filter(
    ([name, value]) => isPropertyName(name) && !value.includes('\0') && native.addPropertyName(name),
  );
  return { ...given, metadata: Object.fromEntries(known) };
}

function eventOf(
  request: ZapRequest | undefined,
  { status, text, userId = '' }: ZapReply,
): AuthenticatorEvent {
  const { domain = '', address = '', mechanism = '', credentials = [] } = request ?? {};
  const where = { domain, address, mechanism };
  if (status === 200) return { type: 'accepted', ...where, userId };
  const [name] = credentials;
  // Never a password.
  const username = mechanism === 'PLAIN' && name !== undefined ? textOf(name) : undefined;
  return { type: 'denied', ...where, status, reason: text, username };
}

/** Undefined if the Authenticator was closed before its thread was there. */
function attach(): Socket | undefined {
  try {
    return Socket.attach(handle as Handle<'socket'>);
  } catch (error) {
    if (error instanceof SocketClosedError || error instanceof ContextClosedError) return undefined;
    throw error;
  }
}

async function serve(socket: Socket): Promise<void> {
  for (;;) {
    const requests = [await socket.recvMultipart()];
    while (requests.length < REQUESTS_PER_TURN) {
      const next = socket.tryRecvMultipart();
      if (next === undefined) break;
      requests.push(next);
    }
    turn += 1;
    for (const frames of requests) {
      hearAll();
      answer(frames);
    }
  }
}

port.on('message', hear);
try {
  if (socket !== undefined) await serve(socket);
} catch (error) {
  if (socket?.closed === false) throw error;
} finally {
  for (const { timer } of asked.values()) clearTimeout(timer);
  port.close();
}
