/**
 * Requests and replies of ZAP 1.0 (ZeroMQ RFC 27), as libzmq sends and expects them on `inproc://zeromq.zap.01`.
 */

/** Where libzmq looks for a handler, in each context. */
export const ZAP_ENDPOINT = 'inproc://zeromq.zap.01';

const VERSION = '1.0';
/** Frames after the envelope and before the credentials. */
const FIXED_FRAMES = 6;
/** The longest name of a property, and the longest status text, in bytes. */
const LONGEST_SHORT = 255;
/** What ZMTP (RFC 23) allows as the name of a property. */
const PROPERTY_NAME = /^[A-Za-z0-9\-_.+]+$/;

/** What a connection is asked to prove itself with. */
export interface ZapRequest {
  readonly domain: string;
  /** As libzmq writes it: an IP address; for `ipc`, ids of the peer's process, or nothing. */
  readonly address: string;
  /** The routing id that the peer has set. */
  readonly routingId: Uint8Array;
  readonly mechanism: string;
  readonly credentials: readonly Uint8Array[];
}

/** ZAP's status codes: accepted, try again later, refused, error. */
export type ZapStatus = 200 | 300 | 400 | 500;

/** The answer to a request. */
export interface ZapReply {
  readonly status: ZapStatus;
  /** Why; libzmq hands on the number only. */
  readonly text: string;
  readonly userId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** What a request's frames hold. */
export interface ParsedRequest {
  /** Undefined for frames that are no request of this version. */
  readonly request: ZapRequest | undefined;
  /** What is wrong with it otherwise. */
  readonly fault: string;
  /** The frames that go before the reply. */
  readonly envelope: readonly Uint8Array[];
  readonly requestId: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** @param frames as a ROUTER receives them */
export function parseZapRequest(frames: readonly Uint8Array[]): ParsedRequest {
  const [peer = NOTHING, delimiter, ...body] = frames;
  const [version, requestId = NOTHING, domain, address, routingId, mechanism, ...credentials] = body;
  const parsed = { envelope: [peer, NOTHING], requestId };
  const malformed = (fault: string): ParsedRequest => ({ ...parsed, request: undefined, fault });
  if (delimiter?.length !== 0) return malformed('No delimiter');
  if (version !== undefined && textOf(version) !== VERSION) return malformed('Invalid version');
  if (body.length < FIXED_FRAMES) return malformed('Not enough frames');
  const request = {
    domain: textOf(domain!),
    address: textOf(address!),
    routingId: routingId!,
    mechanism: textOf(mechanism!),
    credentials,
  };
  return { ...parsed, request, fault: '' };
}

/** The frames of a reply, as a ROUTER sends them. */
export function zapReplyFrames(
  { envelope, requestId }: ParsedRequest,
  { status, text, userId = '', metadata = {} }: ZapReply,
): (Uint8Array | string)[] {
  const accepted = status === 200;
  return [
    ...envelope,
    VERSION,
    requestId,
    String(status),
    Buffer.from(text).subarray(0, LONGEST_SHORT),
    accepted ? userId : '',
    accepted ? encodeMetadata(metadata) : '',
  ];
}

/** Whether ZMTP has a way to write a property of that name. */
export function isPropertyName(name: string): boolean {
  return name.length <= LONGEST_SHORT && PROPERTY_NAME.test(name);
}

/** Properties as ZMTP writes them: each name after its length in one byte, each value after its length in four. */
function encodeMetadata(metadata: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(metadata).flatMap(([name, value]) => {
    const nameBytes = Buffer.from(name);
    const valueBytes = Buffer.from(value);
    const valueLength = Buffer.alloc(4);
    valueLength.writeUInt32BE(valueBytes.length);
    return [Buffer.of(nameBytes.length), nameBytes, valueLength, valueBytes];
  });
  return Buffer.concat(parts);
}

/** Frames are in shared memory, which a TextDecoder does not take. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
