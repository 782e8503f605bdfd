// The inbox: received messages on their way to one JavaScript thread.
//
//  1. Guarded by the socket's mutex. Whoever holds it is the producer: the I/O loop, or the
//  consuming thread
//     itself in a blocking or non-blocking receive.
//  2. Published messages are read by the consuming thread without any lock, through the words in
//  layout.h.
//  3. A message lies within one chunk. Its frames are placed as they are received, unpublished; if
//  one of them has no room they are taken back, and the message waits in the stash until it has a
//  chunk that takes it whole.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "chunk.h"
#include "frame.h"
#include "layout.h"
#include "origin.h"

namespace zt {

class Socket;

class Inbox {
 public:
  explicit Inbox(uint32_t* control) : control_(reinterpret_cast<std::atomic<uint32_t>*>(control)) {}

  std::atomic<uint32_t>& control(ControlWord word) { return control_[word]; }
  void setLimits(uint32_t bytes, uint32_t messages);
  void setDemandDriven(bool on) { demandDriven_ = on; }
  // Whether the consumer is somebody else, who must be told that it was full.
  void setAhead(bool on) { ahead_ = on; }
  // Whether libzmq may wait for the next message.
  void setBriefly(bool on) { briefly_ = on; }

  // Whether messages have routing ids or groups.
  void setTagged(bool on) { origins_.setTagged(on); }

  // Receives up to `most` messages and publishes them. `published` says how many came.
  PumpCode pumpLocked(Socket& socket, int most, uint32_t& published);
  size_t neededBytes() const { return neededBytes_; }  // after kPumpNeedChunk
  int error() const { return error_; }                 // after kPumpError

  // For whoever received a message elsewhere (a lane). The header is a frame of ours before the
  // others. False if it needs a chunk first; the frames are left as they are.
  bool offerLocked(const void* header, size_t headerSize, Frame* frames, size_t count,
                   const std::shared_ptr<const Metadata>* origin);
  // How large a chunk has to be to take such a message; no chunk is larger than kLargestChunkBytes.
  static size_t chunkBytesOf(size_t headerSize, const Frame* frames, size_t count);
  uint32_t publishLocked();  // what was offered; how many messages that is
  // Whether another message may be offered, and how many are here, both by what was last known of
  // the consumer; a look at it is taken only when that says "no", or by refreshLocked().
  bool roomLocked();
  uint32_t loadLocked() const { return messages_ - seenMessages_; }
  void refreshLocked();
  uint32_t offeredLocked() const { return messages_; }

  // The chunks that hold messages the consumer has not reported done with, if it is traced.
  struct Link {
    std::shared_ptr<Chunk> chunk;
    uint32_t firstMessage;
  };
  void traceLocked() { traced_ = true; }
  const std::deque<Link>& chainLocked() const { return chain_; }
  void unlinkLocked(const Chunk* chunk);

  void addChunkLocked(std::shared_ptr<Chunk> chunk);
  bool recycleLocked(const std::shared_ptr<Chunk>& chunk);  // false: no use for it
  bool stashedLocked() const { return stashed_; }           // a message waits for a chunk
  // Takes it back; no frames if there is none.
  std::vector<Frame> takeStashedLocked();
  bool emptyLocked();  // nothing published that is not consumed
  bool belowHalfLocked();

 private:
  enum class Receive { kOne, kEmpty, kError, kNoRoom };
  Receive receiveOne(Socket& socket, Frame& frame);
  bool roomFor(size_t payload, size_t frames);
  void place(zmq_msg_t* message, bool more, const std::shared_ptr<const Metadata>& origin);
  void placeBytes(const void* data, size_t size, bool more);
  bool placeStash();
  void dropStash();
  void takeBack(size_t position, uint32_t frames, uint32_t bytes);
  bool fits(size_t payload) const {
    return current_ && position_ + padded(payload) + kDescriptorBytes <=
                           current_->size - frames_ * kDescriptorBytes;
  }
  static size_t padded(size_t payload) {
    return payload == 0 ? kFrameAlign : (payload + kFrameAlign - 1) & ~(kFrameAlign - 1);
  }
  static size_t paddedOf(size_t headerSize, const Frame* frames, size_t count);
  static size_t chunkBytesFor(size_t payload, size_t frames) {
    return payload + frames * kDescriptorBytes + kChunkHeaderBytes;
  }
  void publish();
  void announceMessages();
  bool full();

  std::atomic<uint32_t>* control_;
  std::shared_ptr<Chunk> current_;
  std::vector<std::shared_ptr<Chunk>> spare_;
  size_t position_ = 0;  // next free byte in current_
  uint32_t frames_ = 0;  // frames placed in current_
  size_t nextSize_ = kFirstChunkBytes;
  size_t neededBytes_ = 0;
  int error_ = 0;

  std::vector<Frame> stash_;  // one whole message that has no room yet, or is being received
  size_t stashPayload_ = 0;
  std::shared_ptr<const Metadata> stashOrigin_;  // of frames that were taken back
  bool stashCopied_ = false;                     // whether there are such
  bool stashed_ = false;

  uint32_t messages_ = 0;  // produced so far
  uint32_t bytes_ = 0;     // their cost so far
  uint32_t maxBytes_ = 1024 * 1024;
  uint32_t maxMessages_ = 1000;
  uint32_t announced_ = 0;     // of these, published
  uint32_t seenMessages_ = 0;  // consumed, when that was last looked at
  uint32_t seenBytes_ = 0;
  bool demandDriven_ = false;
  bool ahead_ = false;
  bool briefly_ = false;
  bool traced_ = false;
  std::deque<Link> chain_;

  OriginCache origins_;
  const Metadata* chunkOrigin_ = nullptr;
};

}  // namespace zt
