import type { SocketOptionSpec } from './option-entry.js';

const INT = { type: 'int', access: 'rw', sockets: 'all' } as const;
const MS = { type: 'int', access: 'rw', sockets: 'all', unit: 'ms' } as const;
const BYTES = { type: 'int', access: 'rw', sockets: 'all', unit: 'bytes' } as const;
const FLAG = { type: 'bool', access: 'rw', sockets: 'all', default: false } as const;
const SET_FLAG = { type: 'bool', access: 'w', default: false } as const;
const TEXT = { type: 'string', access: 'rw', sockets: 'all', default: null } as const;
const KEY = { type: 'z85key', access: 'rw', sockets: 'all', default: null } as const;
const VMCI = { type: 'uint64', access: 'rw', sockets: 'all', since: '4.2', unit: 'bytes' } as const;
const INTERNAL = { access: 'r', sockets: 'all', property: false } as const;
const FILTER = { access: 'w', sockets: 'all', nullable: true, deprecated: 'ZAP authentication' } as const;
const PREFIX = {
  type: 'binary',
  access: 'w',
  sockets: ['SUB', 'XPUB'],
  since: '2.0',
  min: 0,
  max: Infinity,
  property: false,
} as const;
const NAME_TYPE = {
  type: 'choice',
  access: 'rw',
  sockets: 'all',
  since: '4.3',
  default: 'hostBased',
  values: ['hostBased', 'userName', 'krb5Principal'],
} as const;

// What these two name is what SOCKET_TYPES says of the types; a test compares them.
const SENDERS = [
  'PAIR',
  'PUB',
  'REQ',
  'REP',
  'DEALER',
  'ROUTER',
  'PUSH',
  'XPUB',
  'XSUB',
  'STREAM',
  'SERVER',
  'CLIENT',
  'RADIO',
  'SCATTER',
  'DGRAM',
  'PEER',
  'CHANNEL',
] as const;
const RECEIVERS = [
  'PAIR',
  'SUB',
  'REQ',
  'REP',
  'DEALER',
  'ROUTER',
  'PULL',
  'XPUB',
  'XSUB',
  'STREAM',
  'SERVER',
  'CLIENT',
  'DISH',
  'GATHER',
  'DGRAM',
  'PEER',
  'CHANNEL',
] as const;
const SEND = { type: 'int', access: 'rw', sockets: SENDERS } as const;
const RECEIVE = { type: 'int', access: 'rw', sockets: RECEIVERS } as const;

/**
 * The socket options of libzmq's stable interface, in the order of their numbers. See {@link
 * SocketOptionSpec}.
 */
export const STABLE_SOCKET_OPTIONS = {
  /** Which I/O threads of the context handle new connections: a bit mask, 0 for any. */
  affinity: {
    zmq: 'ZMQ_AFFINITY',
    id: 4,
    type: 'uint64',
    access: 'rw',
    sockets: 'all',
    since: '2.0',
    default: 0,
  },
  /**
   * The name under which a ROUTER knows this socket: 1 to 255 bytes, not starting with a zero byte. Set it
   * before connecting. It is read back as a string, or as a Buffer when it is not UTF-8 text.
   */
  routingId: {
    zmq: 'ZMQ_ROUTING_ID',
    id: 5,
    type: 'binary',
    access: 'rw',
    sockets: ['REQ', 'REP', 'DEALER', 'ROUTER'],
    since: '2.0',
    default: null,
    aliases: ['identity'],
  },
  /**
   * Adds a message filter; `socket.subscribe()` is the way to do it. On an XPUB in manual mode, accepts one.
   */
  subscribe: { ...PREFIX, zmq: 'ZMQ_SUBSCRIBE', id: 6 },
  /** Removes a message filter; `socket.unsubscribe()` is the way to do it. */
  unsubscribe: { ...PREFIX, zmq: 'ZMQ_UNSUBSCRIBE', id: 7 },
  /** Greatest data rate of multicast transports, in kilobits per second. */
  rate: { ...INT, zmq: 'ZMQ_RATE', id: 8, since: '2.0', min: 1, unit: 'kbit/s', default: 100 },
  /** How long a receiver can be away from a multicast group before data is lost, in milliseconds. */
  recoveryInterval: { ...MS, zmq: 'ZMQ_RECOVERY_IVL', id: 9, since: '2.0', min: 0, default: 10000 },
  /** The kernel's transmit buffer in bytes; -1 leaves the system's default. */
  sendBufferSize: { ...SEND, zmq: 'ZMQ_SNDBUF', id: 11, since: '2.0', min: -1, unit: 'bytes', default: -1 },
  /** The kernel's receive buffer in bytes; -1 leaves the system's default. */
  receiveBufferSize: {
    ...RECEIVE,
    zmq: 'ZMQ_RCVBUF',
    id: 12,
    since: '2.0',
    min: -1,
    unit: 'bytes',
    default: -1,
  },
  /** Whether the frame that libzmq received last is followed by another; use `message.more`. */
  receiveMore: { ...INTERNAL, zmq: 'ZMQ_RCVMORE', id: 13, type: 'bool', since: '2.0' },
  /** The edge-triggered file descriptor of the socket. It belongs to the I/O worker: do not wait on it. */
  fd: { ...INTERNAL, zmq: 'ZMQ_FD', id: 14, type: 'fd', since: '2.1' },
  /**
   * libzmq's own readiness flags, 1 for readable and 2 for writable; use `socket.readable` and
   * `socket.writable`.
   */
  events: { ...INTERNAL, zmq: 'ZMQ_EVENTS', id: 15, type: 'int', since: '2.1' },
  /** libzmq's number for the socket's type; `socket.type` is its name. */
  type: { ...INTERNAL, zmq: 'ZMQ_TYPE', id: 16, type: 'int', since: '2.1' },
  /**
   * How long unsent messages are kept after the socket is closed, in milliseconds: 0 drops them at once, -1
   * keeps them until they are sent.
   */
  linger: { ...MS, zmq: 'ZMQ_LINGER', id: 17, since: '2.1', min: -1, default: -1, jsLevel: true },
  /**
   * Pause before a lost connection is made again, in milliseconds; -1 for never. With -1 or 0, libzmq 4.3.4 treats a lost
   * connection as with `immediate`: on sockets that receive, it can end the process.
   */
  reconnectInterval: { ...MS, zmq: 'ZMQ_RECONNECT_IVL', id: 18, since: '2.1', min: -1, default: 100 },
  /** How many incoming connections may wait to be accepted. */
  backlog: { ...INT, zmq: 'ZMQ_BACKLOG', id: 19, since: '2.1', min: 0, unit: 'connections', default: 100 },
  /**
   * Longest pause between two attempts to reconnect, in milliseconds, doubled up to here; 0 keeps it
   * constant.
   */
  reconnectMaxInterval: { ...MS, zmq: 'ZMQ_RECONNECT_IVL_MAX', id: 21, since: '2.1', min: 0, default: 0 },
  /**
   * Largest message accepted from a peer, in bytes: who sends a larger one is disconnected. -1 for no limit.
   */
  maxMessageSize: {
    zmq: 'ZMQ_MAXMSGSIZE',
    id: 22,
    type: 'int64',
    access: 'rw',
    sockets: 'all',
    since: '3.0',
    min: -1,
    unit: 'bytes',
    default: -1,
  },
  /** How many messages may be queued for one peer before sending waits, drops or fails; 0 for no limit. */
  sendHighWaterMark: {
    ...SEND,
    zmq: 'ZMQ_SNDHWM',
    id: 23,
    since: '3.0',
    min: 0,
    unit: 'messages',
    default: 1000,
  },
  /** How many messages from one peer may be queued before it has to wait; 0 for no limit. */
  receiveHighWaterMark: {
    ...RECEIVE,
    zmq: 'ZMQ_RCVHWM',
    id: 24,
    since: '3.0',
    min: 0,
    unit: 'messages',
    default: 1000,
  },
  /** How many network hops a multicast packet may make. */
  multicastHops: {
    ...SEND,
    zmq: 'ZMQ_MULTICAST_HOPS',
    id: 25,
    since: '3.0',
    min: 1,
    unit: 'hops',
    default: 1,
  },
  /**
   * How long a receive waits before it fails with TimeoutError, in milliseconds; -1 for ever, 0 not at all.
   */
  receiveTimeout: {
    ...RECEIVE,
    zmq: 'ZMQ_RCVTIMEO',
    id: 27,
    since: '2.2',
    min: -1,
    unit: 'ms',
    default: -1,
    jsLevel: true,
  },
  /** How long a send waits before it fails with TimeoutError, in milliseconds; -1 for ever, 0 not at all. */
  sendTimeout: {
    ...SEND,
    zmq: 'ZMQ_SNDTIMEO',
    id: 28,
    since: '2.2',
    min: -1,
    unit: 'ms',
    default: -1,
    jsLevel: true,
  },
  /** Whether IPv6 is off. */
  ipv4Only: {
    zmq: 'ZMQ_IPV4ONLY',
    id: 31,
    type: 'bool',
    access: 'rw',
    sockets: 'all',
    since: '3.1',
    default: true,
    deprecated: 'ipv6',
    property: false,
  },
  /** The endpoint bound or connected last, wildcards filled in; null before the first. */
  lastEndpoint: {
    zmq: 'ZMQ_LAST_ENDPOINT',
    id: 32,
    type: 'string',
    access: 'r',
    sockets: 'all',
    since: '3.2',
    default: null,
  },
  /**
   * Whether sending to an unknown peer fails (EHOSTUNREACH) and to a full one waits; otherwise both drop the
   * message.
   */
  mandatory: {
    ...SET_FLAG,
    zmq: 'ZMQ_ROUTER_MANDATORY',
    id: 33,
    sockets: ['ROUTER'],
    since: '3.2',
    aliases: ['fail_unroutable', 'router_behavior'],
  },
  /** TCP keep-alives: 1 on, 0 off, -1 for the system's default. */
  tcpKeepalive: { ...INT, zmq: 'ZMQ_TCP_KEEPALIVE', id: 34, since: '3.1', min: -1, max: 1, default: -1 },
  /** How many unanswered TCP keep-alives end a connection; -1 for the system's default. */
  tcpKeepaliveCount: { ...INT, zmq: 'ZMQ_TCP_KEEPALIVE_CNT', id: 35, since: '3.1', min: -1, default: -1 },
  /** Idle time before the first TCP keep-alive, in seconds; -1 for the system's default. */
  tcpKeepaliveIdle: {
    ...INT,
    zmq: 'ZMQ_TCP_KEEPALIVE_IDLE',
    id: 36,
    since: '3.1',
    min: -1,
    unit: 's',
    default: -1,
  },
  /** Time between two TCP keep-alives, in seconds; -1 for the system's default. */
  tcpKeepaliveInterval: {
    ...INT,
    zmq: 'ZMQ_TCP_KEEPALIVE_INTVL',
    id: 37,
    since: '3.1',
    min: -1,
    unit: 's',
    default: -1,
  },
  /** Adds an address or CIDR range from which TCP connections are accepted; null removes all. */
  tcpAcceptFilter: { ...FILTER, zmq: 'ZMQ_TCP_ACCEPT_FILTER', id: 38, type: 'string', since: '3.1' },
  /**
   * Whether messages are queued only for connections that are complete. For sockets that only send: when a connection
   * that this socket made is lost, libzmq (seen in 4.3.4) drops what came over it and is not received yet, and ends the
   * process (`Assertion failed: !_more`) if a message of several frames is half received at that moment. `Requester`
   * does without it.
   */
  immediate: { ...FLAG, zmq: 'ZMQ_IMMEDIATE', id: 39, since: '4.0', aliases: ['delay_attach_on_connect'] },
  /**
   * Which repeated subscription messages the socket receives: null for none, `'allSubs'` for repeated
   * subscribes, `'allSubsUnsubs'` for repeated unsubscribes too.
   */
  verbosity: {
    zmq: 'ZMQ_XPUB_VERBOSE, ZMQ_XPUB_VERBOSER',
    id: 40,
    type: 'choice',
    access: 'w',
    sockets: ['XPUB'],
    since: '4.2',
    default: null,
    values: [null, 'allSubs', 'allSubsUnsubs'],
    settings: [
      [40, 0],
      [40, 1],
      [78, 1],
    ],
  },
  /** Whether repeated subscribes are received; part of `verbosity`. */
  xpubVerbose: {
    ...SET_FLAG,
    zmq: 'ZMQ_XPUB_VERBOSE',
    id: 40,
    sockets: ['XPUB'],
    since: '3.2',
    property: false,
  },
  /** Whether a ROUTER speaks plain TCP. */
  raw: {
    ...SET_FLAG,
    zmq: 'ZMQ_ROUTER_RAW',
    id: 41,
    sockets: ['ROUTER'],
    since: '4.0',
    deprecated: 'a STREAM socket',
  },
  /** Whether IPv6 is used besides IPv4. */
  ipv6: { ...FLAG, zmq: 'ZMQ_IPV6', id: 42, since: '4.0' },
  /** The security mechanism that the other options chose: null, `'plain'`, `'curve'` or `'gssapi'`. */
  securityMechanism: {
    zmq: 'ZMQ_MECHANISM',
    id: 43,
    type: 'choice',
    access: 'r',
    sockets: 'all',
    since: '4.0',
    default: null,
    values: [null, 'plain', 'curve', 'gssapi'],
  },
  /** Whether this is the server side of PLAIN security. */
  plainServer: { ...FLAG, zmq: 'ZMQ_PLAIN_SERVER', id: 44, since: '4.0' },
  /** The user name for PLAIN security, which setting it selects; null deselects it. */
  plainUsername: { ...TEXT, zmq: 'ZMQ_PLAIN_USERNAME', id: 45, since: '4.0', nullable: true },
  /** The password for PLAIN security, which setting it selects; null deselects it. */
  plainPassword: { ...TEXT, zmq: 'ZMQ_PLAIN_PASSWORD', id: 46, since: '4.0', nullable: true, secret: true },
  /** Whether this is the server side of CURVE security. */
  curveServer: { ...FLAG, zmq: 'ZMQ_CURVE_SERVER', id: 47, since: '4.0' },
  /** This socket's public CURVE key; a client needs it. `curveKeyPair()` makes one. */
  curvePublicKey: { ...KEY, zmq: 'ZMQ_CURVE_PUBLICKEY', id: 48, since: '4.0' },
  /** This socket's secret CURVE key; client and server need it. `curveKeyPair()` makes one. */
  curveSecretKey: { ...KEY, zmq: 'ZMQ_CURVE_SECRETKEY', id: 49, since: '4.0', secret: true },
  /** The public CURVE key of the server that a client connects to. */
  curveServerKey: { ...KEY, zmq: 'ZMQ_CURVE_SERVERKEY', id: 50, since: '4.0' },
  /** Whether every new connection starts with an empty message, which tells a ROUTER of this socket. */
  probeRouter: {
    ...SET_FLAG,
    zmq: 'ZMQ_PROBE_ROUTER',
    id: 51,
    sockets: ['REQ', 'DEALER', 'ROUTER'],
    since: '4.0',
  },
  /** Whether requests carry a number, so that only the reply with the same number is taken. */
  correlate: { ...SET_FLAG, zmq: 'ZMQ_REQ_CORRELATE', id: 52, sockets: ['REQ'], since: '4.0' },
  /** Whether a new request may be sent before the last was answered. Set `correlate` with it. */
  relaxed: { ...SET_FLAG, zmq: 'ZMQ_REQ_RELAXED', id: 53, sockets: ['REQ'], since: '4.0' },
  /** Whether only the last message is kept, in either direction. Not for multipart messages. */
  conflate: {
    zmq: 'ZMQ_CONFLATE',
    id: 54,
    type: 'bool',
    access: 'rw',
    sockets: ['PUB', 'SUB', 'DEALER', 'PULL', 'PUSH', 'GATHER', 'SCATTER'],
    since: '4.0',
    default: false,
  },
  /** The domain under which connections are authenticated (ZAP). */
  zapDomain: { ...TEXT, zmq: 'ZMQ_ZAP_DOMAIN', id: 55, since: '4.0' },
  /** Whether a new peer takes over the routing id of an old one; otherwise it is turned away. */
  handover: { ...SET_FLAG, zmq: 'ZMQ_ROUTER_HANDOVER', id: 56, sockets: ['ROUTER'], since: '4.1' },
  /** The type-of-service field of IP packets. */
  typeOfService: { ...INT, zmq: 'ZMQ_TOS', id: 57, since: '4.1', min: 0, default: 0 },
  /** Adds a process id from which IPC connections are accepted; null removes all. */
  ipcFilterPid: { ...FILTER, zmq: 'ZMQ_IPC_FILTER_PID', id: 58, type: 'int', since: '4.1', min: 0 },
  /** Adds a user id from which IPC connections are accepted; null removes all. */
  ipcFilterUid: { ...FILTER, zmq: 'ZMQ_IPC_FILTER_UID', id: 59, type: 'int', since: '4.1', min: 0 },
  /** Adds a group id from which IPC connections are accepted; null removes all. */
  ipcFilterGid: { ...FILTER, zmq: 'ZMQ_IPC_FILTER_GID', id: 60, type: 'int', since: '4.1', min: 0 },
  /**
   * The routing id under which this socket knows the peer of the next `connect`, so that it can send at once. A socket gives
   * each id once, and none that a peer has.
   */
  connectRoutingId: {
    zmq: 'ZMQ_CONNECT_ROUTING_ID',
    id: 61,
    type: 'binary',
    access: 'w',
    sockets: ['ROUTER', 'STREAM'],
    since: '4.1',
    aliases: ['connect_rid'],
  },
  /** Whether this is the server side of GSSAPI security. */
  gssapiServer: { ...FLAG, zmq: 'ZMQ_GSSAPI_SERVER', id: 62, since: '4.1' },
  /** The principal whose GSSAPI credentials are used. */
  gssapiPrincipal: { ...TEXT, zmq: 'ZMQ_GSSAPI_PRINCIPAL', id: 63, since: '4.1' },
  /** The principal of the GSSAPI server that a client connects to. */
  gssapiServicePrincipal: { ...TEXT, zmq: 'ZMQ_GSSAPI_SERVICE_PRINCIPAL', id: 64, since: '4.1' },
  /** Whether GSSAPI connections are not encrypted. */
  gssapiPlainText: { ...FLAG, zmq: 'ZMQ_GSSAPI_PLAINTEXT', id: 65, since: '4.1' },
  /** How long the first exchange on a new connection may take, in milliseconds; 0 for no limit. */
  handshakeInterval: { ...MS, zmq: 'ZMQ_HANDSHAKE_IVL', id: 66, since: '4.1', min: 0, default: 30000 },
  /**
   * The SOCKS5 proxy, as `host:port`, through which TCP connections are made; null for none. libzmq 4.3.4 ends the process
   * when it closes a socket whose proxy cannot be reached.
   */
  socksProxy: { ...TEXT, zmq: 'ZMQ_SOCKS_PROXY', id: 68, since: '4.1', nullable: true },
  /**
   * Whether a send waits (or fails with EAGAIN) when a subscriber's queue is full; otherwise it drops the
   * message.
   */
  noDrop: { ...SET_FLAG, zmq: 'ZMQ_XPUB_NODROP', id: 69, sockets: ['PUB', 'XPUB'], since: '4.1' },
  /**
   * Whether the application decides about subscriptions: each one received is in force only once it is set.
   */
  manual: { ...SET_FLAG, zmq: 'ZMQ_XPUB_MANUAL', id: 71, sockets: ['XPUB'], since: '4.2' },
  /** A message that every new subscriber receives first, if it subscribed to it; null for none. */
  welcomeMessage: {
    zmq: 'ZMQ_XPUB_WELCOME_MSG',
    id: 72,
    type: 'binary',
    access: 'w',
    sockets: ['XPUB'],
    since: '4.2',
    min: 0,
    max: Infinity,
    default: null,
    nullable: true,
  },
  /** Whether an empty message is received when a peer connects or disconnects. */
  notify: {
    zmq: 'ZMQ_STREAM_NOTIFY',
    id: 73,
    type: 'bool',
    access: 'w',
    sockets: ['STREAM'],
    since: '4.2',
    default: true,
  },
  /** Whether subscribers get what does not match their subscriptions. Set it on both sides. */
  invertMatching: {
    zmq: 'ZMQ_INVERT_MATCHING',
    id: 74,
    type: 'bool',
    access: 'rw',
    sockets: ['PUB', 'SUB', 'XPUB'],
    since: '4.2',
    default: false,
  },
  /**
   * Time between two heartbeats, in milliseconds; 0 for none. Where the socket can come to its receive high-water mark,
   * libzmq (4.3.5 included) drops connections to peers that are well, and can abort the process: prefer `tcpKeepalive`.
   */
  heartbeatInterval: { ...MS, zmq: 'ZMQ_HEARTBEAT_IVL', id: 75, since: '4.2', min: 0, default: 0 },
  /**
   * How long the peer may hear nothing before it ends the connection, in milliseconds, rounded down to tenths
   * of a second.
   */
  heartbeatTimeToLive: {
    ...MS,
    zmq: 'ZMQ_HEARTBEAT_TTL',
    id: 76,
    since: '4.2',
    min: 0,
    max: 6553599,
    default: 0,
  },
  /**
   * How long to wait for any traffic after a heartbeat, in milliseconds; -1 when read for
   * `heartbeatInterval`.
   */
  heartbeatTimeout: { ...MS, zmq: 'ZMQ_HEARTBEAT_TIMEOUT', id: 77, since: '4.2', min: 0, default: -1 },
  /** Whether repeated subscribes and unsubscribes are received; part of `verbosity`. */
  xpubVerboser: {
    ...SET_FLAG,
    zmq: 'ZMQ_XPUB_VERBOSER',
    id: 78,
    sockets: ['XPUB'],
    since: '4.2',
    property: false,
  },
  /** How long making a TCP connection may take, in milliseconds; 0 for the system's default. */
  connectTimeout: { ...MS, zmq: 'ZMQ_CONNECT_TIMEOUT', id: 79, since: '4.2', min: 0, default: 0 },
  /** How long TCP repeats what is not acknowledged, in milliseconds; 0 for the system's default. */
  tcpMaxRetransmitTimeout: { ...MS, zmq: 'ZMQ_TCP_MAXRT', id: 80, since: '4.2', min: 0, default: 0 },
  /** Whether libzmq itself allows threads to share the socket; only draft types do. */
  threadSafe: {
    zmq: 'ZMQ_THREAD_SAFE',
    id: 81,
    type: 'bool',
    access: 'r',
    sockets: 'all',
    since: '4.2',
    default: false,
  },
  /** Largest multicast packet, in bytes. */
  multicastMaxTransportDataUnit: {
    ...BYTES,
    zmq: 'ZMQ_MULTICAST_MAXTPDU',
    id: 84,
    since: '4.2',
    min: 1,
    default: 1500,
  },
  /** Size of the VMCI buffer, in bytes. */
  vmciBufferSize: { ...VMCI, zmq: 'ZMQ_VMCI_BUFFER_SIZE', id: 85, default: 65546 },
  /** Least size of the VMCI buffer, in bytes. */
  vmciBufferMinSize: { ...VMCI, zmq: 'ZMQ_VMCI_BUFFER_MIN_SIZE', id: 86, default: 128 },
  /** Greatest size of the VMCI buffer, in bytes. */
  vmciBufferMaxSize: { ...VMCI, zmq: 'ZMQ_VMCI_BUFFER_MAX_SIZE', id: 87, default: 262144 },
  /** How long making a VMCI connection may take, in milliseconds; -1 for ever. */
  vmciConnectTimeout: { ...MS, zmq: 'ZMQ_VMCI_CONNECT_TIMEOUT', id: 88, since: '4.2', min: -1, default: -1 },
  /** A listening file descriptor that the next `bind` uses, as systemd hands them out; -1 for none. */
  useFd: { ...INT, zmq: 'ZMQ_USE_FD', id: 89, since: '4.2', min: -1, default: -1 },
  /** How `gssapiPrincipal` is to be read. */
  gssapiPrincipalNameType: { ...NAME_TYPE, zmq: 'ZMQ_GSSAPI_PRINCIPAL_NAMETYPE', id: 90 },
  /** How `gssapiServicePrincipal` is to be read. */
  gssapiServicePrincipalNameType: { ...NAME_TYPE, zmq: 'ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE', id: 91 },
  /** The network interface that the socket is bound to (Linux, needs CAP_NET_RAW); null for any. */
  interface: { ...TEXT, zmq: 'ZMQ_BINDTODEVICE', id: 92, since: '4.3', max: 16, nullable: true },
} as const satisfies Record<string, SocketOptionSpec>;
