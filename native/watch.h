// Somebody who waits for a socket: the I/O loop on behalf of an attachment or a poller, or a thread
// in a blocking call.
//
// ZMQ_FD is edge-triggered, and any call on the socket may swallow the edge. Hence the rule that
// makes a wait safe (all under the socket's mutex):
//  1. A waiter arms its watch and, still under the mutex, checks that what it waits for has not
//  come yet.
//  2. Only then does it block on the descriptor.
//  3. Whoever used the socket calls Socket::settle(), which re-reads ZMQ_EVENTS if a watch is
//  armed, and fires
//     those whose event is there. Sends may delay that to the end of the turn (Socket::touched).
//  4. Where ZMQ_POLLOUT does not tell (Socket::pollOutTellsLocked()) it is no event. A look at the
//  events may swallow what announces room, and nothing shows that but a send: an attempt to send
//  that does not look (Look::kNo) is the last thing before the wait.
//  5. What libzmq does not announce is announced by whoever brings it about: the outcome of a
//  blocked thread's send (Attachment::completeLocked()), and that the outbox is empty or has
//  another front (Socket::outboxEmptiedLocked(), withdrawnLocked()).
#pragma once

#include <cstdint>
#include <memory>

#include "fair_mutex.h"

namespace zt {

class Chunk;
class Loop;
class Socket;

class Watch {
 public:
  virtual ~Watch() = default;
  // Called under the socket's mutex, after `armed` was cleared. Must not block nor lock a socket.
  virtual void fire() = 0;

  int mask = 0;        // ZMQ_POLLIN | ZMQ_POLLOUT; guarded by the socket's mutex
  bool armed = false;  // guarded by the socket's mutex
  // Waits for room that there is only once the outbox is empty; guarded by the socket's mutex.
  bool behindOutbox = false;
};

// A watch that a loop serves.
class LoopWatch : public Watch, public std::enable_shared_from_this<LoopWatch> {
 public:
  enum class Step {
    kAgain,      // more to do at once
    kArmed,      // keep its descriptor in the poll set
    kIdle,       // nothing to wait for
    kNeedChunk,  // the loop's JavaScript must hand over a chunk of loop.neededBytes
    kGone,       // forget it
  };

  explicit LoopWatch(std::shared_ptr<Socket> socket) : socket_(std::move(socket)) {}
  virtual Step service(Loop& loop) = 0;  // on the loop's thread
  void fire() override;

  // After kNeedChunk: for whom, and what then happens with the chunk, in this order. (See
  // Attachment.)
  virtual uint32_t chunkToken() const { return 0; }
  virtual bool announce(const std::shared_ptr<Chunk>& /*chunk*/) { return false; }
  virtual void fillAnnounced() {}
  virtual void failChunk() {}

  // For a watch that the loop looks after: called every kWaitSliceMs. False: it need not any more.
  virtual bool lookAfter() { return false; }

  // For a watch that the loop ticks: called every kTickMs. False: it need not any more.
  virtual bool tick() { return false; }

  // Makes `loop` serve this watch from now on, and now. Any thread.
  void enqueueOn(const std::shared_ptr<Loop>& loop);
  // Its loop forgets it. With its mutex held.
  void leaveLoopLocked() {
    fire();
    loop_.reset();  // the loop holds its watches: together they would never go
  }
  // Whom fire() tells from now on; with its mutex held.
  void assignLocked(const std::shared_ptr<Loop>& loop) { loop_ = loop; }
  const std::shared_ptr<Socket>& socket() const { return socket_; }

 protected:
  // What guards this watch: the socket's mutex, unless it has none.
  virtual FairMutex& mutex();
  std::shared_ptr<Socket> socket_;

 private:
  friend class Loop;
  std::shared_ptr<Loop> loop_;  // guarded by mutex()
  bool queued_ = false;         // guarded by the loop's mutex
  bool ready_ = false;          // loop thread only: is in its ready list
  int slot_ = -1;               // loop thread only: index in the poll set
};

}  // namespace zt
