// The memory layout shared with JavaScript. src/layout.ts states the same; test/layout.test.ts
// holds the two against each other. Every word is 32 bits wide; offsets below are in words unless
// they say bytes.
//
// Chunk (one SharedArrayBuffer; a message always lies whole within one chunk):
//
//   0        64                                                            size
//   +--------+---------------+---------------+ - - - - - +--------+--------+
//   | header | frame 0       | frame 1       |   free    | desc 1 | desc 0 |
//   +--------+---------------+---------------+ - - - - - +--------+--------+
//              payload grows ->                           <- descriptors grow
//
//   A frame starts on a multiple of 8 and occupies at least 8 bytes. A descriptor is two words:
//   [payload offset in bytes | kFrameMore, payload size in bytes].
#pragma once

#include <cstddef>
#include <cstdint>

namespace zt {

// Chunk header. Writer: the producer (whoever holds the socket's mutex). Reader: the consuming
// JavaScript thread.
enum ChunkWord : uint32_t {
  kChunkPublished = 0,  // frames a consumer may read; release store, pairs with Atomics.load
  kChunkNext =
      1,  // 0, or the id of the chunk that follows (this one is then complete); release store
};
constexpr size_t kChunkHeaderBytes = 64;
constexpr size_t kDescriptorBytes = 8;
constexpr size_t kFrameAlign = 8;
constexpr uint32_t kFrameMore = 1;
constexpr size_t kFirstChunkBytes = 16 * 1024;
constexpr size_t kChunkGrowth = 4;
constexpr size_t kFullChunkBytes = 256 * 1024;
constexpr size_t kLargestChunkBytes = 0xFFFFF000u;

// Control block, one per attachment (a socket as one JavaScript thread sees it). Three groups, each
// on cache lines of its own: written by the producer, by the consumer, by both.
enum ControlWord : uint32_t {
  kCtlFirstChunk = 0,         // producer: id of the first chunk; release, pairs with Atomics.load
  kCtlPublishedMessages = 1,  // producer: messages published so far, wraps; release
  kCtlState = 2,              // producer: a State below; release
  kCtlLimit = 3,  // producer: messages it lets queue up; read by the consumer to pace its reports
  kCtlPublishedBytes = 4,  // producer: their cost so far, wraps
  kCtlLimitBytes = 5,      // producer: the bytes it lets queue up
  kCtlOutcomes = 6,  // producer: 1 while outcomes of sends or failed receives wait to be taken
  kCtlConsumedMessages = 16,  // consumer: messages taken so far, wraps
  kCtlConsumedBytes = 17,     // consumer: their cost in bytes, wraps
  kCtlDemand = 18,  // consumer: how many messages it waits for (honoured by demand-driven sockets)
  kCtlWaiting =
      32,  // consumer sets 1 and re-checks; producer exchanges 0 after publishing and rings. The
           // loop that takes over from a busy event loop sets it, too, before it receives
  kCtlPaused = 33,  // producer sets 1 and re-checks; consumer exchanges 0 and resumes it
  kCtlWords = 48,
};
// Lanes have a control block with more in it: a lane's consumer is a handler thread, for which
// "consumed" means settled. Behind kLaneWords lie the replies that the thread keeps, and one slot
// per message that the lane may hold:
//
//   kLaneReplies                      kLaneSlots      kLaneSlots + kSlotWords
//   +---------+---------+ - - - - - - +---------------+---------------+ - - -
//   | reply 0 | reply 1 |    free     | number, state,| slot 1        |
//   |         |         |             | begun at, -   |               |
//   +---------+---------+ - - - - - - +---------------+---------------+ - - -
//
// A reply: the words below, the sizes of its frames in bytes, their bytes one after the other, and
// up to three bytes so that the next begins with a word.
enum LaneWord : uint32_t {
  kLaneSequence = 48,  // bumped by the loop before its JavaScript notifies, and by the host; the
                       // handler thread's Atomics.waitAsync waits on it
  kLaneOrder = 49,     // host: an Order below; pairs with the handler thread's Atomics.load
  kLaneReports = 50,   // host: how many of the thread's reports it has seen, wraps
  kLaneLow = 51,       // loop sets it, to one more than as many messages as it wants to be called
                       // at, and re-checks kLaneTaken; consumer exchanges 0 and calls it
  kLaneTicks = 52,     // 1 while a loop looks after the replies that the thread keeps; whoever sets
                       // it has a loop do so, which sets 0 and re-checks kLaneKept
  kLaneTaken = 64,     // consumer: messages begun so far, wraps; release, pairs with rescue()
  kLaneFailed = 65,    // consumer: messages whose handler failed, wraps
  kLaneTimedOut = 66,  // consumer: of these, by timeout
  kLaneSent = 67,      // consumer: messages that its outlet sent
  kLaneDropped = 68,   // consumer: messages that its outlet could not send
  kLaneRunning = 69,   // consumer: handlers that run
  kLaneKept = 70,      // consumer: words of replies that are complete; release, pairs with whoever
                       // sends them, who holds the socket's mutex. 0 again once the thread knows
                       // what became of them
  kLaneWords = 80,
};
constexpr uint32_t kReplyWords = 4096;
constexpr uint32_t kLaneReplies = kLaneWords;
constexpr uint32_t kLaneSlots = kLaneReplies + kReplyWords;
enum ReplyWord : uint32_t {
  kReplySlot = 0,     // where its message's slot begins
  kReplyFrames = 1,   // how many it has
  kReplyOutcome = 2,  // written by whoever sends it: 0 or errno
  kReplySizes = 3,    // of its frames
};
enum SlotWord : uint32_t {
  kSlotNumber = 0,   // which message of the lane
  kSlotState = 1,    // a SlotState; the consumer stores it last, release, pairs with rescue()
  kSlotBegunAt = 2,  // milliseconds of the steady clock, wraps
  kSlotWords = 4,
};
enum SlotState : uint32_t {
  kSlotFree = 0,
  kSlotRunning = 1,     // its handler runs
  kSlotDelivering = 2,  // its result is on its way out: it may or may not have left
  kSlotStreaming = 3,   // its handler runs, and results that it yielded may have left
  kSlotWaiting = 4,     // its result has not left: the thread keeps it, until its peer has room
};
enum Order : uint32_t { kOrderRun = 0, kOrderAbort = 1, kOrderStop = 2 };

// Before the frames of a message in a lane stands a frame of ours:
//
//   0        4        8          12          16             24         28       32
//   +--------+--------+----------+-----------+--------------+----------+--------+
//   | ticket | source | attempts | body index| received at  | key hash | -      |
//   +--------+--------+----------+-----------+--------------+----------+--------+
//                                             (f64, ms of the steady clock)
constexpr size_t kHeaderBytes = 32;
constexpr uint32_t kNoSource = 0xFFFFFFFFu;

enum State : uint32_t { kStateOpen = 0, kStateClosed = 1, kStateTerminated = 2 };

// A message's cost against the byte limit: its frames' padded payloads plus their descriptors.

// Doorbell, one per JavaScript thread.
enum BellWord : uint32_t {
  kBellSequence = 0,  // bumped by the ringing loop before its JavaScript notifies;
                      // Atomics.waitAsync waits on it
  kBellSleeping =
      1,  // consumer sets 1 and re-checks kBellReady; the loop exchanges 0 and then must notify
  kBellReady = 2,  // 1 while the ready list is not empty; written under the bell's mutex
  kBellWords = 16,
};

// What loopRun() tells the I/O worker's JavaScript.
enum LoopCode : uint32_t {
  kLoopTick = 0,       // nothing to do: let the event loop turn, then call again
  kLoopNotify = 1,     // Atomics.notify the doorbell if report[0] is 1, and the lanes whose ids
                       // follow their number in report[1]
  kLoopNeedChunk = 2,  // report[0] attachment, or lane with kLaneToken added, report[1] bytes:
                       // allocate, hand over, call again
  kLoopStop = 3,       // leave
};

// Result of one pump of an inbox.
enum PumpCode : uint32_t {
  kPumpEmpty = 0,      // libzmq has no more
  kPumpBurst = 1,      // the burst is used up, there may be more
  kPumpLimit = 2,      // the consumer must take some first
  kPumpNeedChunk = 3,  // a chunk is needed; size in neededBytes
  kPumpError = 4,      // errno in error
  kPumpSatisfied = 5,  // demand-driven and nobody asks
  kPumpElsewhere = 6,  // an I/O loop receives: ask it
};

constexpr uint32_t kLaneToken = 0x20000000;
// Of a group that refused a message: this and its id.
constexpr uint32_t kGroupToken = 0x60000000;
constexpr uint32_t kReportWords = 66;

constexpr int kBurst = 64;  // messages per lock
constexpr uint32_t kAnnounceAfter =
    512;  // messages published before a waiting consumer is woken all the same
constexpr long kWaitSliceMs = 250;  // no native wait is longer
constexpr int kTickMs = 5;          // between two looks at the replies that threads keep
constexpr int kBriefWaitMs = 2;     // waits inside libzmq, with the socket's mutex held
constexpr size_t kZeroCopyBytes = 16 * 1024;

}  // namespace zt
