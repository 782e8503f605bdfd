// A socket as one JavaScript thread sees it: an inbox, the outcome of its parked sends, and a place
// in an I/O loop.
//
//  1. Public functions lock the socket themselves unless their name ends in Locked.
//  2. After detach() nothing writes to the control block or to a chunk any more, so their memory
//  may go.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "event_loop.h"
#include "inbox.h"
#include "loop.h"
#include "socket.h"
#include "watch.h"

namespace zt {

// What became of a send.
enum SendCode : int {
  kSendDone = 0,
  kSendSettle = 1,  // done; call settle() at the end of the turn
  kSendFirstToken =
      16,  // from here on: it waits for room, and the number is the token its outcome comes with
};

// What becomes of parked messages.
enum ParkedCode : int {
  kParkedNone = 0,       // all were sent
  kParkedWatched = 1,    // the event loop calls once there is room
  kParkedUnwatched = 2,  // it cannot tell: an I/O loop has to send them
};

struct Completion {
  uint32_t token;  // 0: a receive
  int error;
};

class Attachment : public LoopWatch {
 public:
  static std::shared_ptr<Attachment> create(std::shared_ptr<Socket> socket, uint32_t token,
                                            uint32_t* control, bool owner);

  const uint32_t token;  // what the owner's doorbell calls this attachment
  const bool owner;

  Step service(Loop& loop) override;

  // Returns a SendCode, or -errno.
  int send(Frame* frames, size_t count, bool more, bool mayPark);
  // Sends a whole message, or parks it. `acceptance` is told once it is accepted, in whatever
  // thread that is then.
  int sendTelling(Frame* frames, size_t count, std::shared_ptr<Acceptance> acceptance);
  // Waits for a parked send. True: `error` is its outcome.
  bool waitSent(uint32_t sendToken, long milliseconds, int& error);
  bool cancelSend(uint32_t sendToken);
  // Sends what is parked; as long as there is no room for all of it, the owner's event loop watches
  // the socket and calls the attachment's token. A ParkedCode, or -ENOTSOCK.
  int sendOrWatch(const std::shared_ptr<EventLoop>& eventLoop);
  // `loop` sends what is parked, instead of the owner's event loop.
  void sendBy(const std::shared_ptr<Loop>& loop);
  void completeLocked(uint32_t sendToken, int error);
  std::vector<Completion> takeCompletions();

  PumpCode pump(int most, uint32_t& published, int& error, size_t& neededBytes);
  PumpCode waitReceive(int most, long milliseconds, uint32_t& published, int& error,
                       size_t& neededBytes);
  // As pump(), for a thread that is about to wait: when nothing is there, its own event loop
  // watches the socket and calls the attachment's token. `waits`: somebody does already, so that a
  // socket that must send first is no error. kPumpElsewhere if an I/O loop receives, or has to.
  PumpCode pumpOrWatch(const std::shared_ptr<EventLoop>& eventLoop, int most, bool waits,
                       uint32_t& published, int& error, size_t& neededBytes);
  // `loop` receives once the owner's thread has not come to look for kWaitSliceMs.
  void standBy(const std::shared_ptr<Loop>& loop);
  bool lookAfter() override;
  // Who receives ahead: the loop (active), or nobody.
  void setActive(bool active, const std::shared_ptr<Loop>& loop);
  void kick();           // the loop looks after this attachment again
  void ensureWatched();  // as kick(), unless the loop is waiting for input already
  // Whether a message was taken from libzmq that is not published yet: libzmq's events do not tell
  // of it.
  bool stashedLocked() const { return inbox_.stashedLocked(); }
  // Takes that message back; no frames if there is none.
  std::vector<Frame> takeStashedLocked();
  void addChunk(std::shared_ptr<Chunk> chunk);
  // A chunk from the I/O worker, kept until the owner's thread comes for it with adopt(). It is
  // filled only once it is on its way there: any thread that receives may fill it, and the owner
  // reads it at once. False: nobody wants it any more.
  bool announce(const std::shared_ptr<Chunk>& chunk) override;
  void fillAnnounced() override;
  std::shared_ptr<Chunk> adopt(uint32_t chunkId);
  uint32_t chunkToken() const override { return token; }
  void failChunk() override;  // there is no memory: the receiver learns of it, the message stays
  bool recycle(const std::shared_ptr<Chunk>& chunk);
  void setLimits(uint32_t bytes, uint32_t messages);
  void settle();
  void detach();

 private:
  Attachment(std::shared_ptr<Socket> socket, uint32_t token, uint32_t* control, bool owner);
  int sendLocked(Frame* frames, size_t count, bool more, bool mayPark);
  int queueLocked(Frame* frames, size_t count, size_t next, bool more, bool mayPark);
  PumpCode pumpLocked(int most, uint32_t& published, int& error, size_t& neededBytes);
  bool waitBriefly(int most, PumpCode& code, uint32_t& published, int& error, size_t& neededBytes);
  Step end(State state, Loop& loop);
  bool watchLocked(std::shared_ptr<EventLoopWatch>& watch,
                   const std::shared_ptr<EventLoop>& eventLoop, int events);
  void tellLocked();
  void setActiveLocked(bool active);

  Inbox inbox_;  // this and the following: guarded by the socket's mutex
  std::unordered_map<uint32_t, std::shared_ptr<Chunk>> handedOver_;
  std::shared_ptr<Chunk> announced_;
  std::vector<Completion> completions_;
  uint32_t nextSendToken_ = kSendFirstToken;
  uint32_t unannounced_ = 0;  // messages published since the consumer was last told
  bool active_ = false;
  std::shared_ptr<EventLoopWatch> ownWatch_;   // of the owner's event loop, for messages
  std::shared_ptr<EventLoopWatch> roomWatch_;  // and for room
  bool sendsItself_ = false;                   // the owner's event loop looks after what is parked
  bool standBy_ = false;      // the owner's event loop waits; a loop looks after that
  bool lookedAfter_ = false;  // is in that loop's list
  uint32_t looks_ = 0;        // of the owner's thread
  uint32_t looksThen_ = 0;    // when the loop last looked after it
  bool detached_ = false;
  bool serving_ = false;
  WakeDescriptor* blocked_ = nullptr;  // of the owner's thread, while it waits for a send's outcome
};

}  // namespace zt
