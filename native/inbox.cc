#include "inbox.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sanitizer.h"
#include "socket.h"

namespace zt {

namespace {

constexpr size_t kMostSpareChunks = 8;  // what the byte limit lets be under way, and some
constexpr size_t kMostSpareBytes = 64 * 1024 * 1024;

}  // namespace

void Inbox::setLimits(uint32_t bytes, uint32_t messages) {
  maxBytes_ = bytes;
  maxMessages_ = messages;
  control(kCtlLimit).store(messages, std::memory_order_release);
  control(kCtlLimitBytes).store(bytes, std::memory_order_release);
}

bool Inbox::emptyLocked() {
  return messages_ == control(kCtlConsumedMessages).load(std::memory_order_acquire);
}

bool Inbox::full() {
  const uint32_t queued = messages_ - control(kCtlConsumedMessages).load(std::memory_order_acquire);
  if (queued == 0) return false;
  const uint32_t bytes = bytes_ - control(kCtlConsumedBytes).load(std::memory_order_acquire);
  return queued >= maxMessages_ || bytes >= maxBytes_;
}

bool Inbox::belowHalfLocked() {
  const uint32_t queued = messages_ - control(kCtlConsumedMessages).load(std::memory_order_seq_cst);
  const uint32_t bytes = bytes_ - control(kCtlConsumedBytes).load(std::memory_order_seq_cst);
  return queued == 0 || (queued <= maxMessages_ / 2 && bytes <= maxBytes_ / 2);
}

// Makes sure that the current chunk takes a message of that size; switches chunks if it has to.
bool Inbox::roomFor(size_t payload, size_t frames) {
  const size_t need = payload + frames * kDescriptorBytes;
  if (current_) {
    const size_t end = current_->size - frames_ * kDescriptorBytes;
    if (position_ + need <= end) return true;
  }
  const size_t whole = chunkBytesFor(payload, frames);
  auto best = spare_.end();
  for (auto chunk = spare_.begin(); chunk != spare_.end(); ++chunk) {
    if ((*chunk)->size < whole) continue;
    // A huge chunk is kept for huge messages: a small one would hold on to all of it.
    if ((*chunk)->size > kFullChunkBytes && (*chunk)->size / 4 > whole) continue;
    if (best == spare_.end() || (*chunk)->size < (*best)->size) best = chunk;
  }
  if (best == spare_.end()) {
    neededBytes_ = need > nextSize_ / 2 ? (whole + 4095) & ~size_t{4095} : nextSize_;
    return false;
  }
  std::shared_ptr<Chunk> next = std::move(*best);
  spare_.erase(best);
  next->reset();
  if (current_) {
    publish();
    current_->word(kChunkNext)
        .store(next->id, std::memory_order_release);  // pairs with Atomics.load
  } else {
    control(kCtlFirstChunk).store(next->id, std::memory_order_release);  // pairs with Atomics.load
  }
  current_ = std::move(next);
  if (traced_) chain_.push_back({current_, messages_});
  position_ = kChunkHeaderBytes;
  frames_ = 0;
  chunkOrigin_ = nullptr;
  if (current_->size >= nextSize_) nextSize_ = std::min(nextSize_ * kChunkGrowth, kFullChunkBytes);
  return true;
}

void Inbox::place(zmq_msg_t* message, bool more, const std::shared_ptr<const Metadata>& origin) {
  if (origin.get() != chunkOrigin_) {
    chunkOrigin_ = origin.get();
    current_->addOrigin(static_cast<uint32_t>(position_), origin);
  }
  ZT_BACK_FROM_LIBZMQ(zmq_msg_data(message));
  placeBytes(zmq_msg_data(message), zmq_msg_size(message), more);
}

void Inbox::placeBytes(const void* data, size_t size, bool more) {
  if (size > 0) std::memcpy(current_->base + position_, data, size);
  ZT_SHOWN_TO_JAVASCRIPT(current_->base + position_);
  ++frames_;
  uint32_t* descriptor = reinterpret_cast<uint32_t*>(current_->base + current_->size) - 2 * frames_;
  descriptor[0] = static_cast<uint32_t>(position_) | (more ? kFrameMore : 0);
  descriptor[1] = static_cast<uint32_t>(size);
  position_ += padded(size);
  bytes_ += static_cast<uint32_t>(padded(size) + kDescriptorBytes);
}

bool Inbox::placeStash() {
  if (!roomFor(stashPayload_, stash_.size())) return false;
  for (size_t i = 0; i < stash_.size(); ++i) {
    zmq_msg_t* message = stash_[i].raw();
    const auto& own = origins_.of(message);  // frames that were taken back have none
    place(message, i + 1 < stash_.size(), own || !stashCopied_ ? own : stashOrigin_);
  }
  dropStash();
  ++messages_;
  return true;
}

std::vector<Frame> Inbox::takeStashedLocked() {
  if (!stashed_) return {};
  auto frames = std::exchange(stash_, {});
  dropStash();
  return frames;
}

// Frames that were placed, and not published, go back into the stash.
void Inbox::takeBack(size_t position, uint32_t frames, uint32_t bytes) {
  stashCopied_ = frames_ > frames;
  const auto* end = reinterpret_cast<const uint32_t*>(current_->base + current_->size);
  for (uint32_t i = frames; i < frames_; ++i) {
    const uint32_t* descriptor = end - size_t{2} * (i + 1);
    const size_t size = descriptor[1];
    stash_.emplace_back(current_->base + (descriptor[0] & ~kFrameMore), size);
    stashPayload_ += padded(size);
  }
  position_ = position;
  frames_ = frames;
  bytes_ = bytes;
}

// Receives one whole message, into the current chunk if it fits, else into the stash.
// `frame` is only a place to receive into; libzmq closes what was in it.
Inbox::Receive Inbox::receiveOne(Socket& socket, Frame& frame) {
  error_ = briefly_ ? socket.receiveBrieflyLocked(frame.raw()) : socket.receiveLocked(frame.raw());
  if (error_ == EAGAIN) return Receive::kEmpty;
  if (error_ != 0) return Receive::kError;
  const size_t position = position_;
  const uint32_t frames = frames_;
  const uint32_t bytes = bytes_;
  const std::shared_ptr<const Metadata>* origin = nullptr;
  bool more = true;
  bool placing = true;
  while (more) {
    more = socket.moreLocked(frame.raw());
    if (placing && !fits(frame.size())) {
      placing = false;
      if (frames_ != frames) {
        stashOrigin_ = *origin;
        takeBack(position, frames, bytes);
      }
    }
    if (placing) {
      // Of every frame: a ROUTER's first, the routing id, may come without.
      origin = &origins_.of(frame.raw());
      place(frame.raw(), more, *origin);
    } else {
      stashPayload_ += padded(frame.size());
      stash_.push_back(std::move(frame));
      frame = Frame();
    }
    if (!more) break;
    // The frames of a message arrive together, so this does not wait. Should it fail, what came is
    // a message that the peer never finished.
    error_ = socket.receiveLocked(frame.raw());
    if (error_ != 0) {
      position_ = position;
      frames_ = frames;
      bytes_ = bytes;
      dropStash();
      return error_ == EAGAIN ? Receive::kEmpty : Receive::kError;
    }
  }
  if (placing) {
    ++messages_;
    return Receive::kOne;
  }
  if (chunkBytesFor(stashPayload_, stash_.size()) > kLargestChunkBytes) {
    dropStash();
    error_ = EMSGSIZE;
    return Receive::kError;
  }
  stashed_ = true;
  return placeStash() ? Receive::kOne : Receive::kNoRoom;
}

void Inbox::dropStash() {
  stashed_ = false;
  stash_.clear();
  stashPayload_ = 0;
  stashCopied_ = false;
}

void Inbox::publish() {
  if (!current_) return;
  current_->word(kChunkPublished)
      .store(frames_, std::memory_order_release);  // pairs with Atomics.load
}

size_t Inbox::paddedOf(size_t headerSize, const Frame* frames, size_t count) {
  size_t payload = padded(headerSize);
  for (size_t i = 0; i < count; ++i) payload += padded(frames[i].size());
  return payload;
}

size_t Inbox::chunkBytesOf(size_t headerSize, const Frame* frames, size_t count) {
  return chunkBytesFor(paddedOf(headerSize, frames, count), count + 1);
}

bool Inbox::offerLocked(const void* header, size_t headerSize, Frame* frames, size_t count,
                        const std::shared_ptr<const Metadata>* origin) {
  if (!roomFor(paddedOf(headerSize, frames, count), count + 1)) return false;
  placeBytes(header, headerSize, count > 0);
  for (size_t i = 0; i < count; ++i) {
    place(frames[i].raw(), i + 1 < count,
          origin != nullptr ? *origin : origins_.of(frames[i].raw()));
  }
  ++messages_;
  return true;
}

uint32_t Inbox::publishLocked() {
  const uint32_t count = messages_ - announced_;
  if (count > 0) announceMessages();
  return count;
}

void Inbox::announceMessages() {
  announced_ = messages_;
  publish();
  control(kCtlPublishedBytes).store(bytes_, std::memory_order_release);
  control(kCtlPublishedMessages)
      .store(messages_, std::memory_order_seq_cst);  // pairs with Atomics.load
}

void Inbox::refreshLocked() {
  seenMessages_ = control(kCtlConsumedMessages).load(std::memory_order_acquire);
  seenBytes_ = control(kCtlConsumedBytes).load(std::memory_order_acquire);
}

bool Inbox::roomLocked() {
  for (int look = 0; look < 2; ++look) {
    const uint32_t queued = messages_ - seenMessages_;
    // A message larger than the limit may come when nothing else is here.
    if (queued == 0 || (queued < maxMessages_ && bytes_ - seenBytes_ < maxBytes_)) return true;
    if (look == 0) refreshLocked();
  }
  return false;
}

void Inbox::unlinkLocked(const Chunk* chunk) {
  for (auto link = chain_.begin(); link != chain_.end(); ++link) {
    if (link->chunk.get() != chunk) continue;
    chain_.erase(link);
    return;
  }
}

PumpCode Inbox::pumpLocked(Socket& socket, int most, uint32_t& published) {
  const uint32_t before = messages_;
  PumpCode code = kPumpBurst;
  int i = 0;
  if (stashed_) {
    if (!placeStash()) {
      published = 0;
      return kPumpNeedChunk;
    }
    ++i;  // one of `most`: on a shared socket the next is for whoever asks for it
  }
  Frame frame;
  for (; i < most; ++i) {
    if (demandDriven_) {
      const uint32_t queued =
          messages_ - control(kCtlConsumedMessages).load(std::memory_order_acquire);
      if (queued >= control(kCtlDemand).load(std::memory_order_acquire)) {
        code = kPumpSatisfied;
        break;
      }
    }
    if (full()) {
      if (!ahead_) {
        code = kPumpLimit;
        break;
      }
      // Store-flag, re-check: the consumer that takes the last message sees the flag, or we see its
      // count.
      control(kCtlPaused).store(1, std::memory_order_seq_cst);
      if (!belowHalfLocked()) {
        code = kPumpLimit;
        break;
      }
      control(kCtlPaused).store(0, std::memory_order_seq_cst);
    }
    const Receive received = receiveOne(socket, frame);
    if (received == Receive::kOne) continue;
    code = received == Receive::kEmpty    ? kPumpEmpty
           : received == Receive::kNoRoom ? kPumpNeedChunk
                                          : kPumpError;
    break;
  }
  published = messages_ - before;
  if (published > 0) announceMessages();
  return code;
}

void Inbox::addChunkLocked(std::shared_ptr<Chunk> chunk) {
  spare_.push_back(std::move(chunk));
}

bool Inbox::recycleLocked(const std::shared_ptr<Chunk>& chunk) {
  if (chunk == current_ || spare_.size() >= kMostSpareChunks) return false;
  size_t bytes = chunk->size;
  for (const auto& entry : spare_) {
    if (entry == chunk) return true;
    bytes += entry->size;
  }
  if (bytes > kMostSpareBytes && !spare_.empty()) return false;
  // Chunks from before the inbox grew are not worth switching to.
  if (chunk->size < nextSize_ / 2) return false;
  spare_.push_back(chunk);
  return true;
}

}  // namespace zt
