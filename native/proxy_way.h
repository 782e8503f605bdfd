// One way through a proxy: messages that come from one socket go to another.
//
//  1. A Way belongs to its proxy's thread, but for `taken` and `given`, which others may read.
//  2. It locks one socket at a time. `taken` is guarded by the mutex of the socket that messages
//  come from, `given` by that of the socket they go to: who knows that a message has arrived, and
//  locks, finds it counted.
//  3. What was taken and cannot be sent yet is in hand: kMostInHand messages, or kMostBytesInHand
//  and the message that exceeds it. Nothing is taken while the other side has no room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "frame.h"
#include "socket.h"

namespace zt {

constexpr size_t kMostInHand = 64;
constexpr size_t kMostBytesInHand = 1024 * 1024;

struct Tally {
  uint64_t messages = 0;
  uint64_t bytes = 0;
};

// Whole messages, in order.
class Hand {
 public:
  bool empty() const { return next_ == messages_.size(); }
  bool full() const {
    return messages_.size() - next_ >= kMostInHand || bytes_ >= kMostBytesInHand;
  }
  void beginMessage() { first_ = frames_.size(); }
  void add(Frame&& frame);
  void endMessage();
  void dropMessage();  // the one that was begun
  size_t newestBytes() const { return messages_.back().bytes; }
  // A copy of the newest message, which shares the bytes of large frames.
  void copyNewestTo(Hand& other);
  // Sends what it can. 0 when all is sent; EAGAIN when there is no room (also: not this socket's
  // turn to send); ENOTSOCK or ETERM. A message that nobody takes is dropped and counted.
  int sendLocked(Socket& socket, Tally& sent, uint64_t& undeliverable, Socket::Look look);
  // Leaves the rest to the socket, which sends it when it can.
  void leaveToLocked(Socket& socket);
  void clear();

 private:
  struct Extent {
    size_t first;
    size_t count;
    size_t bytes;
  };
  std::vector<Frame> frames_;
  std::vector<Extent> messages_;
  size_t next_ = 0;     // the message to be sent next
  size_t started_ = 0;  // frames of it that are sent
  size_t first_ = 0;    // of the message that was begun
  size_t bytes_ = 0;    // in messages that are not sent
};

// ENOTSOCK is ETERM for a socket that was closed along with its context.
int reasonLocked(const Socket& socket, int error);

class Way {
 public:
  // What it waits for when it cannot go on.
  enum class Need { kNothing, kInput, kRoom, kCaptureRoom, kEnd };

  Way(Socket& from, Socket& to) : from(from), to(to) {}
  Socket& from;
  Socket& to;
  Hand hand;
  Tally taken;
  Tally given;
  uint64_t undeliverable = 0;  // guarded like `given`

  // A message that was received before the proxy came.
  void preload(std::vector<Frame>&& message, Hand* capture);
  // Sends what is in hand, then takes more. True if anything moved. `capture` gets a copy of what
  // is taken and must be empty for that. Otherwise `need` tells what is missing; kEnd: `error`
  // says why `*gone` cannot be used any more.
  bool step(Hand* capture);
  Need need = Need::kNothing;
  int error = 0;
  Socket* gone = nullptr;

  // Sends what is in hand and looks whether there is room for more.
  bool giveLocked(Socket::Look look = Socket::Look::kForRoom);

 private:
  bool take(Hand* capture);
  void noteTaken(Hand* capture);
  bool end(Socket& socket, int reason);  // with its mutex held; false
};

}  // namespace zt
