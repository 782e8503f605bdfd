#include "lane_replies.h"

#include <cerrno>
#include <cstring>
#include <new>

#include "frame.h"
#include "layout.h"
#include "socket.h"

namespace zt {

namespace {

const uint8_t* bytesOf(const uint32_t* reply) {
  return reinterpret_cast<const uint8_t*>(reply + kReplySizes + reply[kReplyFrames]);
}

uint32_t wordsOf(const uint32_t* reply) {
  const uint32_t frames = reply[kReplyFrames];
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < frames; ++i) bytes += reply[kReplySizes + i];
  return kReplySizes + frames + (bytes + 3) / 4;
}

// The first frame says to whom it goes.
bool samePeer(const uint32_t* one, const uint32_t* other) {
  const uint32_t size = one[kReplySizes];
  return size == other[kReplySizes] && std::memcmp(bytesOf(one), bytesOf(other), size) == 0;
}

}  // namespace

bool LaneReplies::any() const {
  return control_[kLaneKept].load(std::memory_order_seq_cst) != 0;
}

void LaneReplies::sendLocked(Socket& socket) {
  const uint32_t kept = control_[kLaneKept].load(std::memory_order_acquire);
  auto* replies = reinterpret_cast<uint32_t*>(control_ + kLaneReplies);
  uint32_t sent = 0;
  while (done_ < kept) {
    uint32_t* reply = replies + done_;
    const int error = behindLocked(reply) ? EAGAIN : sendOneLocked(socket, reply);
    reply[kReplyOutcome] = static_cast<uint32_t>(error);
    if (error == 0) {
      ++sent;
      // Nobody answers it again, should the thread die before it knows.
      control_[reply[kReplySlot] + kSlotState].store(kSlotFree, std::memory_order_release);
    } else {
      full_.push_back(done_);
    }
    done_ += wordsOf(reply);
  }
  if (sent > 0) control_[kLaneSent].fetch_add(sent, std::memory_order_relaxed);
}

uint32_t LaneReplies::beginLocked() {
  const auto failed = static_cast<uint32_t>(full_.size());
  done_ = 0;
  full_.clear();
  control_[kLaneKept].store(0, std::memory_order_release);
  batch_.fetch_add(1, std::memory_order_relaxed);
  return failed;
}

// Whether one to the same peer could not be sent: replies to one peer stay in order.
bool LaneReplies::behindLocked(const uint32_t* reply) const {
  const auto* replies = reinterpret_cast<const uint32_t*>(control_ + kLaneReplies);
  for (uint32_t at : full_) {
    if (samePeer(replies + at, reply)) return true;
  }
  return false;
}

int LaneReplies::sendOneLocked(Socket& socket, const uint32_t* reply) {
  if (socket.claimedLocked()) return EBUSY;
  if (!socket.outboxEmptyLocked()) return EAGAIN;
  thread_local std::vector<Frame> frames;  // only its capacity outlives the call
  frames.clear();
  int error = 0;
  try {
    const uint8_t* bytes = bytesOf(reply);
    for (uint32_t i = 0; i < reply[kReplyFrames]; ++i) {
      const uint32_t size = reply[kReplySizes + i];
      frames.emplace_back(bytes, size);
      bytes += size;
    }
    size_t next = 0;
    error = socket.sendLocked(frames.data(), frames.size(), next, false);
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  }
  frames.clear();
  return error;
}

}  // namespace zt
