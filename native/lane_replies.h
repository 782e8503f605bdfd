// The replies that a handler thread keeps, to send several of them under one lock: a lock, and a
// wake of libzmq's I/O thread, for each would cost more than the reply.
//
//  1. The handler thread writes them into its lane's control block (drawn in layout.h) and has them
//  sent soon. A loop looks after those that a long handler holds up, and what is left when the
//  thread ends is sent then.
//  2. Guarded by the mutex of the socket that they go through: whoever holds it may send. The
//  memory is there while the thread runs, and for others until the lane is detached.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace zt {

class Frame;
class Socket;

class LaneReplies {
 public:
  explicit LaneReplies(std::atomic<uint32_t>* control) : control_(control) {}

  // Sends what is there. A reply that found no room, or whose peer is gone, says so; it holds up no
  // other but those to the same peer.
  void sendLocked(Socket& socket);
  // How many did not leave. The thread looks at them now, and begins anew.
  uint32_t beginLocked();

  // Whether the thread keeps any; any thread.
  bool any() const;
  // Changes with every beginLocked().
  uint32_t batch() const { return batch_.load(std::memory_order_relaxed); }

 private:
  bool behindLocked(const uint32_t* reply) const;
  int sendOneLocked(Socket& socket, const uint32_t* reply);

  std::atomic<uint32_t>* const control_;
  uint32_t done_ = 0;           // words of replies whose outcome is known
  std::vector<uint32_t> full_;  // where those begin that found no room
  std::atomic<uint32_t> batch_{0};
};

}  // namespace zt
