/**
 * The memory layout shared with the addon. native/layout.h states the same and draws it; a test holds the two
 * against each other. Words are 32 bits wide.
 */

/** Word indexes and sizes of a chunk. The addon writes all of them, this side reads. */
export const CHUNK_PUBLISHED = 0;
export const CHUNK_NEXT = 1;
export const CHUNK_HEADER_BYTES = 64;
export const DESCRIPTOR_BYTES = 8;
export const FRAME_ALIGN = 8;
export const FRAME_MORE = 1;
export const FIRST_CHUNK_BYTES = 16 * 1024;
export const FULL_CHUNK_BYTES = 256 * 1024;
export const LARGEST_CHUNK_BYTES = 0xfffff000;

/** Words of a control block: written by the producer (the addon), ... */
export const CTL_FIRST_CHUNK = 0;
export const CTL_PUBLISHED_MESSAGES = 1;
export const CTL_STATE = 2;
export const CTL_LIMIT = 3;
export const CTL_PUBLISHED_BYTES = 4;
export const CTL_LIMIT_BYTES = 5;
export const CTL_OUTCOMES = 6;
/** ... by the consumer (this thread), ... */
export const CTL_CONSUMED_MESSAGES = 16;
export const CTL_CONSUMED_BYTES = 17;
export const CTL_DEMAND = 18;
/** ... and by both: one side sets, the other exchanges. */
export const CTL_WAITING = 32;
export const CTL_PAUSED = 33;
export const CTL_WORDS = 48;

/** Words of a lane's control block beyond these: written by the loop, ... */
export const LANE_SEQUENCE = 48;
/** ... by the loop, and taken by the handler thread, ... */
export const LANE_LOW = 51;
/** ... by the addon on behalf of either, ... */
export const LANE_TICKS = 52;
/** ... by the host, ... */
export const LANE_ORDER = 49;
export const LANE_REPORTS = 50;
/** ... and by the handler thread. */
export const LANE_TAKEN = 64;
export const LANE_FAILED = 65;
export const LANE_TIMED_OUT = 66;
export const LANE_SENT = 67;
export const LANE_DROPPED = 68;
export const LANE_RUNNING = 69;
export const LANE_KEPT = 70;
export const LANE_WORDS = 80;

/** The replies that a handler thread keeps, and the words of each; the addon writes their outcome. */
export const LANE_REPLIES = LANE_WORDS;
export const REPLY_WORDS = 4096;
export const REPLY_SLOT = 0;
export const REPLY_FRAMES = 1;
export const REPLY_OUTCOME = 2;
export const REPLY_SIZES = 3;

/** Where the slots begin: as many as messages a lane may hold. */
export const LANE_SLOTS = LANE_REPLIES + REPLY_WORDS;
/** Words of a slot: what the handler thread has begun. */
export const SLOT_NUMBER = 0;
export const SLOT_STATE = 1;
export const SLOT_BEGUN_AT = 2;
export const SLOT_WORDS = 4;
export const SLOT_STATE_FREE = 0;
export const SLOT_STATE_RUNNING = 1;
export const SLOT_STATE_DELIVERING = 2;
export const SLOT_STATE_STREAMING = 3;
export const SLOT_STATE_WAITING = 4;

/** What the host tells a handler thread. */
export const ORDER_RUN = 0;
export const ORDER_ABORT = 1;
export const ORDER_STOP = 2;

/** The frame that stands before a message's frames in a lane. */
export const HEADER_BYTES = 32;
export const NO_SOURCE = 0xffffffff;

export const STATE_OPEN = 0;
export const STATE_CLOSED = 1;
export const STATE_TERMINATED = 2;

/** Words of a doorbell. */
export const BELL_SEQUENCE = 0;
export const BELL_SLEEPING = 1;
export const BELL_READY = 2;
export const BELL_WORDS = 16;

// Words of an event loop's turns; shared with nobody but its own thread.
export const TURNS_LONG = 0;
export const TURNS_OWN = 1;
export const TURN_WORDS = 2;

/** What `loopRun` returns. */
export const LOOP_TICK = 0;
export const LOOP_NOTIFY = 1;
export const LOOP_NEED_CHUNK = 2;
export const LOOP_STOP = 3;

/** What `pump` and `waitReceive` return. */
export const PUMP_EMPTY = 0;
export const PUMP_BURST = 1;
export const PUMP_LIMIT = 2;
export const PUMP_NEED_CHUNK = 3;
export const PUMP_ERROR = 4;
export const PUMP_SATISFIED = 5;
export const PUMP_ELSEWHERE = 6;

/**
 * What the send functions return. Negative numbers are errno values; from SEND_FIRST_TOKEN on, the message waits and
 * the number is the token that its outcome comes with.
 */
export const SEND_DONE = 0;
export const SEND_SETTLE = 1;
export const SEND_FIRST_TOKEN = 16;

/** What `sendOrWatch` returns: none is parked any more, the event loop watches, or an I/O worker has to. (Negative: -errno.) */
export const PARKED_NONE = 0;
export const PARKED_WATCHED = 1;
export const PARKED_UNWATCHED = 2;

/** What `loopRun` calls a lane: its id and this. */
export const LANE_TOKEN = 0x20000000;
/** Room for what `loopRun` reports. */
export const REPORT_WORDS = 66;

/** Messages received under one lock. */
export const BURST = 64;
/** No native wait is longer, in milliseconds. */
export const WAIT_SLICE_MS = 250;
/** Shared memory of this size and up is sent without a copy, in bytes. */
export const ZERO_COPY_BYTES = 16 * 1024;

/** Doorbell tokens: sockets' slots come first, then pollers' slots from here on, ... */
export const POLLER_TOKEN = 0x40000000;
/** ... and the ids of lane groups from here on, ... */
export const GROUP_TOKEN = 0x60000000;
/** ... and this one says that libzmq is done with memory it sent from. */
export const FREED_TOKEN = 0x7fffffff;
