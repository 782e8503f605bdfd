/**
 * Endpoints as applications write them: what can be said about one before libzmq sees it.
 */
import { ArgumentError, argumentError } from './errors.js';

/** In characters. libzmq has no limit for inproc names; the others are far shorter. */
export const LONGEST_ENDPOINT = 64 * 1024 - 1;
const LONGEST_SHOWN = 200;

/** What ENODEV means, which libzmq gives for host names, too. */
export const NO_SUCH_DEVICE =
  "expected an address of this machine (IPv6 ones with the option ipv6), an interface's name, or *";

/** @throws {@link ArgumentError} unless it is text that can be an endpoint */
export function checkEndpoint(endpoint: unknown): asserts endpoint is string {
  if (typeof endpoint !== 'string' || endpoint === '' || endpoint.includes('\0')) {
    throw argumentError('endpoint', "a string such as 'tcp://127.0.0.1:5555'", endpoint);
  }
  if (Buffer.byteLength(endpoint) > LONGEST_ENDPOINT) {
    throw new ArgumentError(
      `endpoint: expected at most ${LONGEST_ENDPOINT} bytes, got ${Buffer.byteLength(endpoint)}`,
    );
  }
}

/** Whether it is of this process: libzmq has no connection for it, and no events. */
export function isInproc(endpoint: string): boolean {
  return endpoint.startsWith('inproc:');
}

/** Whether a tcp port is out of range: libzmq would use what remains of it in 16 bits. */
export function hasBadPort(endpoint: string): boolean {
  const port = /^tcp:\/\/.*:([+-]?\d+)$/s.exec(endpoint)?.[1];
  return port !== undefined && !(Number(port) >= 0 && Number(port) <= 65535);
}

/** The endpoint as error messages show it. */
export function shownEndpoint(endpoint: string): string {
  return endpoint.length > LONGEST_SHOWN ? `${endpoint.slice(0, LONGEST_SHOWN)}...` : endpoint;
}
