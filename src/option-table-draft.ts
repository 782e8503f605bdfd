import type { SocketOptionSpec } from './option-entry.js';

const INT = { type: 'int', access: 'rw', sockets: 'all', draft: true } as const;
const BYTES = { type: 'int', access: 'rw', sockets: 'all', unit: 'bytes', draft: true } as const;
const SEGMENTS = { type: 'int', access: 'rw', sockets: 'all', unit: 'segments', draft: true } as const;
const FLAG = { type: 'bool', access: 'rw', sockets: 'all', default: false, draft: true } as const;
const SET_FLAG = { type: 'bool', access: 'w', default: false, draft: true } as const;
const SET_TEXT = { type: 'string', access: 'w', sockets: 'all', draft: true } as const;
const SOCKS = {
  type: 'string',
  access: 'rw',
  sockets: 'all',
  since: '4.3',
  min: 0,
  default: null,
  nullable: true,
  draft: true,
} as const;
const EVENT_MESSAGE = {
  type: 'binary',
  access: 'w',
  min: 0,
  max: Infinity,
  default: null,
  nullable: true,
  draft: true,
} as const;

/**
 * The socket options of libzmq's draft interface, in the order of their numbers. A libzmq that was built
 * without drafts knows none, or some, of them. See {@link SocketOptionSpec}.
 */
export const DRAFT_SOCKET_OPTIONS = {
  /** Whether authentication (ZAP) happens only when `zapDomain` is set, as RFC 27 has it. */
  zapEnforceDomain: { ...FLAG, zmq: 'ZMQ_ZAP_ENFORCE_DOMAIN', id: 93, since: '4.2' },
  /** Whether TCP over loopback takes Windows' fast path. */
  loopbackFastPath: { ...FLAG, zmq: 'ZMQ_LOOPBACK_FASTPATH', id: 94, since: '4.2' },
  /** Adds a property, as `X-name:value`, that peers can read of messages from this socket. */
  metadata: { ...SET_TEXT, zmq: 'ZMQ_METADATA', id: 95, since: '4.2', max: 4096 },
  /** Whether multicast data is delivered on the sending host too. */
  multicastLoop: {
    zmq: 'ZMQ_MULTICAST_LOOP',
    id: 96,
    type: 'bool',
    access: 'rw',
    sockets: ['RADIO'],
    since: '4.3',
    draft: true,
    default: true,
  },
  /** Whether an empty message is received when a peer connects (1), disconnects (2) or both (3). */
  routerNotify: {
    zmq: 'ZMQ_ROUTER_NOTIFY',
    id: 97,
    type: 'int',
    access: 'rw',
    sockets: ['ROUTER'],
    since: '4.3',
    draft: true,
    min: 0,
    max: 3,
    default: 0,
  },
  /** As `manual`, and the first message after a subscription goes to the last subscriber only. */
  manualLastValue: {
    ...SET_FLAG,
    zmq: 'ZMQ_XPUB_MANUAL_LAST_VALUE',
    id: 98,
    sockets: ['XPUB'],
    since: '4.3',
  },
  /** The user name for the SOCKS5 proxy, which selects basic authentication; null for none. */
  socksUsername: { ...SOCKS, zmq: 'ZMQ_SOCKS_USERNAME', id: 99 },
  /** The password for the SOCKS5 proxy; null for none. */
  socksPassword: { ...SOCKS, zmq: 'ZMQ_SOCKS_PASSWORD', id: 100, secret: true },
  /**
   * How many bytes are read from a connection at a time. Unless told, 16 for each message that the receive high-water
   * mark allows, or 64 on REQ, REP, DEALER and ROUTER sockets; 8192, as libzmq has it, to 65,536.
   */
  inBatchSize: { ...BYTES, zmq: 'ZMQ_IN_BATCH_SIZE', id: 101, since: '4.3', min: 1 },
  /** How many bytes are gathered for one write to a connection. libzmq's default is 8192. */
  outBatchSize: { ...BYTES, zmq: 'ZMQ_OUT_BATCH_SIZE', id: 102, since: '4.3', min: 1, default: 65536 },
  /** The private key for `wss://`, in PEM format. */
  wssKeyPem: { ...SET_TEXT, zmq: 'ZMQ_WSS_KEY_PEM', id: 103, since: '4.3', max: Infinity, secret: true },
  /** The certificate for `wss://`, in PEM format. */
  wssCertPem: { ...SET_TEXT, zmq: 'ZMQ_WSS_CERT_PEM', id: 104, since: '4.3', max: Infinity },
  /** The certificates that `wss://` trusts, in PEM format. */
  wssTrustPem: { ...SET_TEXT, zmq: 'ZMQ_WSS_TRUST_PEM', id: 105, since: '4.3', max: Infinity },
  /** The host name that the certificate of a `wss://` server must have. */
  wssHostname: { ...SET_TEXT, zmq: 'ZMQ_WSS_HOSTNAME', id: 106, since: '4.3' },
  /** Whether `wss://` trusts the certificates that the system trusts. */
  wssTrustSystem: { ...SET_FLAG, zmq: 'ZMQ_WSS_TRUST_SYSTEM', id: 107, sockets: 'all', since: '4.3' },
  /** Whether only the first frame of a message can subscribe, and the rest is data whatever it says. */
  onlyFirstSubscribe: {
    ...SET_FLAG,
    zmq: 'ZMQ_ONLY_FIRST_SUBSCRIBE',
    id: 108,
    sockets: ['XPUB', 'XSUB'],
    since: '4.3',
  },
  /**
   * What ends reconnecting: flags for a refused connection (1), a failed handshake (2) and a disconnect (4).
   */
  reconnectStop: { ...INT, zmq: 'ZMQ_RECONNECT_STOP', id: 109, since: '4.3', min: 0, max: 7, default: 0 },
  /** A message that every new peer receives first. */
  helloMessage: {
    ...EVENT_MESSAGE,
    zmq: 'ZMQ_HELLO_MSG',
    id: 110,
    sockets: ['DEALER', 'ROUTER', 'SERVER', 'CLIENT', 'PEER'],
    since: '4.3',
  },
  /** A message that this socket receives when a peer that it accepted has gone. */
  disconnectMessage: {
    ...EVENT_MESSAGE,
    zmq: 'ZMQ_DISCONNECT_MSG',
    id: 111,
    sockets: ['ROUTER', 'SERVER', 'PEER'],
    since: '4.3',
  },
  /** The priority of this socket's packets (SO_PRIORITY); above 6 it needs CAP_NET_ADMIN. */
  priority: { ...INT, zmq: 'ZMQ_PRIORITY', id: 112, since: '4.3', min: 0, default: 0 },
  /** How long the kernel polls the network device for data, in microseconds (SO_BUSY_POLL). */
  busyPoll: { ...INT, zmq: 'ZMQ_BUSY_POLL', id: 113, since: '4.3.5', min: 0, unit: 'us', default: 0 },
  /** A message that this socket receives when the peer that it connected to has gone. */
  hiccupMessage: {
    ...EVENT_MESSAGE,
    zmq: 'ZMQ_HICCUP_MSG',
    id: 114,
    sockets: ['DEALER', 'CLIENT', 'PEER'],
    since: '4.3.5',
  },
  /** Whether repeated unsubscribes are passed on to the publishers. */
  verboseUnsubscribe: {
    ...SET_FLAG,
    zmq: 'ZMQ_XSUB_VERBOSE_UNSUBSCRIBE',
    id: 115,
    sockets: ['XSUB'],
    since: '4.3.5',
  },
  /** How many topics are subscribed to. */
  topicsCount: {
    zmq: 'ZMQ_TOPICS_COUNT',
    id: 116,
    type: 'int',
    access: 'r',
    sockets: ['PUB', 'SUB', 'XPUB', 'XSUB'],
    since: '4.3.5',
    draft: true,
  },
  /** NORM: 0 for a fixed rate, 1 to 4 for kinds of congestion control. */
  normMode: { ...INT, zmq: 'ZMQ_NORM_MODE', id: 117, since: '4.3.5', min: 0, max: 4, default: 1 },
  /** NORM: whether a receiver asks the sender alone, not the group, for repeats. */
  normUnicastNack: { ...FLAG, zmq: 'ZMQ_NORM_UNICAST_NACK', id: 118, since: '4.3.5' },
  /** NORM: size of the buffers, in kibibytes. */
  normBufferSize: {
    ...INT,
    zmq: 'ZMQ_NORM_BUFFER_SIZE',
    id: 119,
    since: '4.3.5',
    min: 1,
    unit: 'KiB',
    default: 2048,
  },
  /** NORM: payload of one packet, in bytes. */
  normSegmentSize: { ...BYTES, zmq: 'ZMQ_NORM_SEGMENT_SIZE', id: 120, since: '4.3.5', min: 1, default: 1400 },
  /** NORM: how many segments make a block for error correction. */
  normBlockSize: {
    ...SEGMENTS,
    zmq: 'ZMQ_NORM_BLOCK_SIZE',
    id: 121,
    since: '4.3.5',
    min: 1,
    max: 255,
    default: 16,
  },
  /** NORM: how many parity segments each block can have. */
  normNumParity: {
    ...SEGMENTS,
    zmq: 'ZMQ_NORM_NUM_PARITY',
    id: 122,
    since: '4.3.5',
    min: 0,
    max: 254,
    default: 4,
  },
  /** NORM: how many parity segments are sent with each block unasked. */
  normNumAutoparity: {
    ...SEGMENTS,
    zmq: 'ZMQ_NORM_NUM_AUTOPARITY',
    id: 123,
    since: '4.3.5',
    min: 0,
    max: 254,
    default: 0,
  },
  /** NORM: whether new data goes before repeats. */
  normPush: { ...FLAG, zmq: 'ZMQ_NORM_PUSH', id: 124, since: '4.3.5' },
} as const satisfies Record<string, SocketOptionSpec>;
