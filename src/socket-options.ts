/**
 * Reading and setting the options of a socket, in one of the threads that have it.
 *
 * Some options this side acts on, not libzmq alone: each thread keeps its own value of those, from when it attached.
 */
import type { Attachment } from './attachment.js';
import { LONGEST_ENDPOINT } from './endpoint.js';
import { errnoCode, errnoOf, notSupportedError, zmqError } from './errors.js';
import { native } from './native.js';
import {
  checkOptionAccess,
  decodeOption,
  encodeOption,
  findSocketOption,
  type OptionValue,
  optionApplies,
  optionId,
  optionReadSize,
} from './option-codec.js';
import type { OptionEntry } from './option-entry.js';

/** As `Socket.getOption`. */
export function readOption(attachment: Attachment, name: string): OptionValue {
  const entry = findSocketOption(name);
  checkOptionAccess(entry, 'r', attachment.type.name);
  if (attachment.ended !== undefined) throw attachment.ended;
  let bytes = native.socketGetOption(attachment.slot, entry.id, optionReadSize(entry));
  // inproc names have any length.
  if (bytes === -errnoOf('EINVAL') && entry.type === 'string') {
    bytes = native.socketGetOption(attachment.slot, entry.id, LONGEST_ENDPOINT + 1);
  }
  if (typeof bytes === 'number') {
    throw failure(attachment, entry, -bytes, `Cannot read option '${entry.name}'`);
  }
  return decodeOption(entry, bytes);
}

/** As `Socket.setOption`. */
export function writeOption(attachment: Attachment, name: string, value: OptionValue): void {
  const entry = findSocketOption(name);
  checkOptionAccess(entry, 'w', attachment.type.name);
  if (value === null && readsNull(entry) && readOption(attachment, name) === null) return;
  const bytes = encodeOption(entry, value);
  if (attachment.ended !== undefined) throw attachment.ended;
  const errno = native.socketSetOption(attachment.slot, optionId(entry, value), bytes);
  if (errno !== 0) throw failure(attachment, entry, errno, `Cannot set option '${entry.name}'`);
  remember(attachment, entry.name, value);
}

/** Whether the option reads as null while it is unset, which libzmq cannot make it again. */
function readsNull({ access, default: unset, nullable }: OptionEntry): boolean {
  return access === 'rw' && unset === null && nullable !== true;
}

/** Begins with what the socket has at this moment, in a thread that attaches to it. */
export function adoptOptions(attachment: Attachment): void {
  for (const name of ['sendTimeout', 'receiveTimeout', 'receiveHighWaterMark']) {
    if (optionApplies(findSocketOption(name), attachment.type.name)) {
      remember(attachment, name, readOption(attachment, name));
    }
  }
}

function remember(attachment: Attachment, name: string, value: OptionValue): void {
  if (name === 'sendTimeout') attachment.sendTimeout = value as number;
  else if (name === 'receiveTimeout') attachment.receiveTimeout = value as number;
  else if (name === 'receiveHighWaterMark') attachment.limit(value as number);
  else if (name === 'manual' || name === 'manualLastValue') attachment.oneByOne = value === true;
}

function failure(attachment: Attachment, entry: OptionEntry, errno: number, what: string): Error {
  const error = attachment.failure(errno, what);
  // For libzmq an option that it was built without, or does not know yet, is an invalid argument like any other.
  if (errnoCode(errno) !== 'EINVAL') return error;
  const version = native.version();
  if (entry.draft === true && !native.has('draft')) {
    return notSupportedError(`${what}: libzmq ${version} was built without its draft API`);
  }
  return zmqError(errno, what, `libzmq ${version} does not take it here, or was built without it`);
}
