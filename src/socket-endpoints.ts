/** The endpoints that a socket object binds and connects to. */
import type { Attachment } from './attachment.js';
import { checkEndpoint, hasBadPort, isInproc, NO_SUCH_DEVICE, shownEndpoint } from './endpoint.js';
import { errnoCode, errnoOf, notSupportedError, zmqError } from './errors.js';
import { native } from './native.js';
import { checkOptionAccess, encodeOption, findSocketOption } from './option-codec.js';
import { readOption } from './socket-options.js';
import { checkZapDomain } from './socket-setup.js';

/** What EADDRINUSE means to a connect that names its peer, ... */
const NAME_GIVEN = 'a peer of this socket has, or had, that routing id';
/** ... and to one whose peer takes the name that was set as an option. */
const NAME_SET = 'a peer of this socket has, or had, the routing id that connectRoutingId gives the next one';

export class Endpoints {
  /** What was bound here with wildcards or an interface's name: as it was given, by its resolved endpoint. */
  private readonly bound = new Map<string, string>();

  constructor(private readonly attachment: Attachment) {}

  /** @returns the endpoint with wildcards filled in */
  bind(endpoint: string): string {
    this.call(native.socketBind, endpoint, 'bind to');
    const resolved = (readOption(this.attachment, 'lastEndpoint') as string | null) ?? endpoint;
    if (resolved !== endpoint) this.bound.set(resolved, endpoint);
    return resolved;
  }

  /** @param routingId what the peer is called here */
  connect(endpoint: string, routingId: string | Uint8Array | undefined): void {
    if (routingId === undefined) {
      this.call(native.socketConnect, endpoint, 'connect to', NAME_SET);
      return;
    }
    const bytes = this.nameOf(endpoint, routingId);
    this.call((slot) => native.socketConnect(slot, endpoint, bytes), endpoint, 'connect to', NAME_GIVEN);
  }

  /** @param endpoint as `bind` returned it, or as it was given: of several, the one bound last */
  unbind(endpoint: string): void {
    const unbind = (slot: number, address: string): number => {
      const errno = native.socketUnbind(slot, address);
      if (errno === 0) this.bound.delete(address);
      return errno;
    };
    this.call(
      (slot) => {
        const errno = unbind(slot, endpoint);
        if (errnoCode(errno) !== 'ENOENT') return errno;
        // libzmq knows it by its resolved name only.
        const last = [...this.bound].findLast(([, given]) => given === endpoint);
        return last === undefined ? errno : unbind(slot, last[0]);
      },
      endpoint,
      'unbind from',
    );
  }

  disconnect(endpoint: string): void {
    this.call(native.socketDisconnect, endpoint, 'disconnect from');
  }

  /** @returns the routing id that the PEER socket has here */
  connectPeer(endpoint: string): number {
    let routingId = 0;
    this.call(
      (slot, address) => {
        routingId = native.socketConnectPeer(slot, address);
        return Math.max(0, -routingId);
      },
      endpoint,
      'connect to',
    );
    return routingId;
  }

  /** What the peer is to be called, in bytes. @throws as `Socket.connect` */
  private nameOf(endpoint: string, routingId: string | Uint8Array): Uint8Array {
    const { attachment } = this;
    const entry = findSocketOption('connectRoutingId');
    checkOptionAccess(entry, 'w', attachment.type.name);
    checkEndpoint(endpoint);
    const bytes = encodeOption(entry, routingId)!;
    if (!isInproc(endpoint) && readOption(attachment, 'immediate') === true) {
      throw notSupportedError('connect with a routingId is not supported while immediate is set');
    }
    return bytes;
  }

  /**
   * @param call gets the socket's slot and the endpoint, returns an errno or 0
   * @param inUse what EADDRINUSE means
   */
  private call(
    call: (slot: number, endpoint: string) => number,
    endpoint: string,
    what: string,
    inUse?: string,
  ): void {
    checkEndpoint(endpoint);
    const { attachment } = this;
    if (attachment.ended !== undefined) throw attachment.ended;
    const failed = `Cannot ${what} ${shownEndpoint(endpoint)}`;
    if (hasBadPort(endpoint)) {
      throw zmqError(errnoOf('EINVAL'), failed, 'a port is 0 to 65535, or *', endpoint);
    }
    checkZapDomain((name) => readOption(attachment, name));
    // To read an option may be to learn that another thread has closed the socket: then its slot is given back.
    if (attachment.ended !== undefined) throw attachment.ended;
    const errno = call(attachment.slot, endpoint);
    if (errnoCode(errno) === 'ENODEV') throw zmqError(errno, failed, NO_SUCH_DEVICE, endpoint);
    if (errnoCode(errno) === 'EADDRINUSE' && inUse !== undefined)
      throw zmqError(errno, failed, inUse, endpoint);
    if (errno !== 0) throw attachment.failure(errno, failed, endpoint);
  }
}
