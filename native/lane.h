// A lane: messages on their way to one handler thread.
//
//  1. Guarded by its group's mutex. The group's loop is the producer; the handler thread reads
//  published messages without any lock, through the words in layout.h.
//  2. The control block belongs to the host, which keeps it until the group is detached. Chunks
//  belong to the I/O worker and to the handler thread; the I/O worker keeps those in the chain, so
//  that a lane can be read when its thread is dead.
//  3. A lane serves one thread. The thread that replaces it gets another lane of the same index.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "inbox.h"
#include "lane_message.h"
#include "lane_replies.h"

namespace zt {

class LaneGroup;
class Loop;
class Socket;

class Lane {
 public:
  enum class State {
    kStarting,  // its thread has not come yet
    kOpen,      // takes messages
    kGone,      // its thread has ended
  };

  static std::shared_ptr<Lane> create(std::shared_ptr<LaneGroup> group, uint32_t index,
                                      uint32_t* control, size_t words, uint32_t most,
                                      uint32_t mostBytes);
  static std::shared_ptr<Lane> find(uint32_t id);
  Lane(uint32_t id, std::shared_ptr<LaneGroup> group, uint32_t index, uint32_t* control,
       uint32_t slots);
  ~Lane();

  const uint32_t id;
  const uint32_t index;
  const uint32_t slots;  // how many messages it may hold
  const std::shared_ptr<LaneGroup> group;

  // For the handler thread. These lock.
  void come(const void* consumer);  // which thread it is
  void open();                      // its thread takes messages from now on
  // If that is the thread that ends: it runs no more JavaScript.
  void endOf(const void* consumer);
  bool gone();  // no thread will touch it any more
  void kick();  // it has room again
  // The chunk's messages are settled. Whether it will be filled again.
  bool recycle(const std::shared_ptr<Chunk>& chunk, bool reusable);
  std::shared_ptr<Chunk> adopt(uint32_t chunkId);
  // The replies that the thread keeps go through that socket.
  void replyThrough(std::shared_ptr<Socket> socket);
  // Sends them. How many did not leave; what became of each stands with it.
  uint32_t sendReplies();
  void keepReplies();  // a loop looks after them from now on
  void ringPusher();   // there is room where it wants to push to; for a loop that wakes it then
  // For the loop: sends replies that the thread has kept since it last looked. Whether it has to
  // look again.
  bool lookAfterReplies();
  // For the I/O worker: chunks it need not keep any more.
  std::vector<uint32_t> takeDropped();

  // For the group, with its mutex held.
  Inbox& inboxLocked() { return inbox_; }
  State stateLocked() const { return state_; }
  bool takesLocked() const { return state_ == State::kOpen && !detached_; }
  bool announceLocked(const std::shared_ptr<Chunk>& chunk);
  void fillAnnouncedLocked();
  // Publishes; true if the thread sleeps and must be notified.
  bool publishLocked();
  void pauseLocked();  // the thread kicks when it has room
  // How many messages it has that its thread has not begun.
  uint32_t queuedLocked();
  // The thread kicks once it has no more than `low` of these. False if that is so already.
  bool awaitLowLocked(uint32_t low);
  void awaitNothingLocked() { wordLocked(kLaneLow).store(0, std::memory_order_relaxed); }
  // What the dead thread left: messages that it had begun, then those that it had not.
  void rescueLocked(std::vector<RescuedMessage>& begun, std::vector<LaneMessage>& rest);
  void detachLocked() { detached_ = true; }
  std::atomic<uint32_t>& wordLocked(uint32_t word) { return control_[word]; }

 private:
  void sendRepliesLocked(Socket& socket);
  void countSettledLocked();
  // How far the messages are that were begun and not settled, by their numbers.
  std::unordered_map<uint32_t, SlotState> unsettledLocked();

  std::atomic<uint32_t>* const control_;
  Inbox inbox_;
  State state_ = State::kStarting;
  const void* consumer_ = nullptr;
  bool detached_ = false;
  std::shared_ptr<Socket> replySocket_;
  LaneReplies replies_;         // guarded by the socket's mutex
  uint32_t lookedAtBatch_ = 0;  // the loop's thread only
  std::unordered_map<uint32_t, std::shared_ptr<Chunk>> handedOver_;
  std::shared_ptr<Chunk> announced_;
  std::vector<uint32_t> dropped_;
};

}  // namespace zt
