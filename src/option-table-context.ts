import type { OptionSpec } from './option-entry.js';

const INT = { type: 'int', access: 'rw' } as const;
const SET_INT = { type: 'int', access: 'w', min: 0 } as const;
const READ_INT = { type: 'int', access: 'r' } as const;
const FLAG = { type: 'bool', access: 'rw' } as const;

/** The context options of libzmq. All are an `int` to it. See {@link OptionSpec}. */
export const CONTEXT_OPTIONS = {
  /**
   * How many threads do the network's input and output; 0 will do for inproc only. Set it before the first
   * socket.
   */
  ioThreads: {
    ...INT,
    zmq: 'ZMQ_IO_THREADS',
    id: 1,
    since: '3.2',
    min: 0,
    max: 256,
    unit: 'threads',
    default: 1,
  },
  /** How many sockets the context can have. */
  maxSockets: {
    ...INT,
    zmq: 'ZMQ_MAX_SOCKETS',
    id: 2,
    since: '3.2',
    min: 1,
    max: 65535,
    unit: 'sockets',
    default: 1023,
  },
  /** The greatest value that `maxSockets` can have. */
  maxSocketsLimit: {
    ...READ_INT,
    zmq: 'ZMQ_SOCKET_LIMIT',
    id: 3,
    since: '4.1',
    unit: 'sockets',
    default: 65535,
  },
  /** Scheduling priority of the I/O threads (not on Windows). Set it before the first socket. */
  threadPriority: { ...SET_INT, zmq: 'ZMQ_THREAD_PRIORITY', id: 3, since: '4.1', default: -1 },
  /**
   * Scheduling policy of the I/O threads, a number of sched.h (not on Windows). Set it before the first
   * socket. On Linux it is SCHED_BATCH (3) unless set, which favours throughput; 0 is the system's own.
   */
  threadSchedulingPolicy: { ...SET_INT, zmq: 'ZMQ_THREAD_SCHED_POLICY', id: 4, since: '4.1', default: -1 },
  /** Largest message that can be sent, in bytes. */
  maxMessageSize: {
    ...INT,
    zmq: 'ZMQ_MAX_MSGSZ',
    id: 5,
    since: '4.2',
    min: 0,
    unit: 'bytes',
    default: 2147483647,
  },
  /** Size of libzmq's message structure, in bytes. */
  messageStructSize: {
    ...READ_INT,
    zmq: 'ZMQ_MSG_T_SIZE',
    id: 6,
    since: '4.3',
    unit: 'bytes',
    default: 64,
    property: false,
  },
  /** Adds a CPU that the I/O threads may run on (Linux). Set it before the first socket. */
  threadAffinityCpuAdd: { ...SET_INT, zmq: 'ZMQ_THREAD_AFFINITY_CPU_ADD', id: 7, since: '4.3' },
  /** Removes a CPU that was added to those that the I/O threads may run on (Linux). */
  threadAffinityCpuRemove: { ...SET_INT, zmq: 'ZMQ_THREAD_AFFINITY_CPU_REMOVE', id: 8, since: '4.3' },
  /** A number that the names of the I/O threads start with (Linux). Set it before the first socket. */
  threadNamePrefix: { ...INT, zmq: 'ZMQ_THREAD_NAME_PREFIX', id: 9, since: '4.3', min: 0, default: 0 },
  /**
   * Whether libzmq decodes received messages in place; off saves memory where small messages are kept for
   * long.
   */
  zeroCopyReceive: { ...FLAG, zmq: 'ZMQ_ZERO_COPY_RECV', id: 10, since: '4.2', draft: true, default: true },
  /** Whether new sockets use IPv6 besides IPv4. */
  ipv6: { ...FLAG, zmq: 'ZMQ_IPV6', id: 42, since: '4.0', default: false },
  /** Whether sockets made from now on linger for ever, not at all when it is off. */
  blocky: { ...FLAG, zmq: 'ZMQ_BLOCKY', id: 70, since: '4.2', default: true },
} as const satisfies Record<string, OptionSpec>;
