#include "lane.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "lane_group.h"
#include "socket.h"

namespace zt {

namespace {

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<Lane>> lanes;
  uint32_t nextId = 1;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

std::shared_ptr<Lane> Lane::create(std::shared_ptr<LaneGroup> group, uint32_t index,
                                   uint32_t* control, size_t words, uint32_t most,
                                   uint32_t mostBytes) {
  if (words < kLaneSlots + size_t{most} * kSlotWords) return nullptr;
  std::lock_guard<std::mutex> lock(directory().mutex);
  // Its token must differ from those of sockets and pollers.
  if (directory().nextId >= kLaneToken) directory().nextId = 1;
  const uint32_t id = directory().nextId++;
  auto lane = std::make_shared<Lane>(id, std::move(group), index, control, most);
  lane->inbox_.setLimits(mostBytes, most);
  lane->inbox_.traceLocked();
  directory().lanes[id] = lane;
  return lane;
}

std::shared_ptr<Lane> Lane::find(uint32_t id) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().lanes.find(id);
  return found == directory().lanes.end() ? nullptr : found->second.lock();
}

Lane::Lane(uint32_t id, std::shared_ptr<LaneGroup> group, uint32_t index, uint32_t* control,
           uint32_t slots)
    : id(id),
      index(index),
      slots(slots),
      group(std::move(group)),
      control_(reinterpret_cast<std::atomic<uint32_t>*>(control)),
      inbox_(control),
      replies_(control_) {}

Lane::~Lane() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().lanes.find(id);
  if (found != directory().lanes.end() && found->second.expired()) directory().lanes.erase(found);
}

void Lane::come(const void* consumer) {
  Guard guard(group->mutex);
  consumer_ = consumer;
}

void Lane::open() {
  {
    Guard guard(group->mutex);
    if (state_ != State::kStarting) return;
    state_ = State::kOpen;
  }
  group->kick();
}

void Lane::endOf(const void* consumer) {
  std::shared_ptr<Socket> socket;
  {
    Guard guard(group->mutex);
    if (consumer_ != consumer) return;
    socket = replySocket_;
  }
  if (socket) {
    // What does not leave stays with the message, which others answer.
    Guard guard(socket->mutex);
    sendRepliesLocked(*socket);
  }
  {
    Guard guard(group->mutex);
    if (!detached_) countSettledLocked();
    state_ = State::kGone;
    handedOver_.clear();
  }
  group->kick();
}

// The thread may have died before it counted what it was done with.
void Lane::countSettledLocked() {
  const uint32_t taken = wordLocked(kLaneTaken).load(std::memory_order_acquire);
  uint32_t unsettled = 0;
  for (const auto& [number, state] : unsettledLocked()) {
    if (static_cast<int32_t>(number - taken) < 0) ++unsettled;
  }
  wordLocked(kCtlConsumedMessages).store(taken - unsettled, std::memory_order_release);
}

std::unordered_map<uint32_t, SlotState> Lane::unsettledLocked() {
  std::unordered_map<uint32_t, SlotState> unsettled;
  for (uint32_t slot = 0; slot < slots; ++slot) {
    const uint32_t at = kLaneSlots + slot * kSlotWords;
    const uint32_t state = wordLocked(at + kSlotState).load(std::memory_order_acquire);
    if (state == kSlotFree) continue;
    unsettled[wordLocked(at + kSlotNumber).load(std::memory_order_relaxed)] =
        static_cast<SlotState>(state);
  }
  return unsettled;
}

void Lane::replyThrough(std::shared_ptr<Socket> socket) {
  Guard guard(group->mutex);
  replySocket_ = std::move(socket);
}

uint32_t Lane::sendReplies() {
  Socket& socket = *replySocket_;  // this thread set it
  Guard guard(socket.mutex);
  replies_.sendLocked(socket);
  socket.settleLocked();
  return replies_.beginLocked();
}

void Lane::keepReplies() {
  wordLocked(kLaneTicks).store(1, std::memory_order_seq_cst);
  group->lookAfterReplies();
}

// For others than the thread; with the socket's mutex held.
void Lane::sendRepliesLocked(Socket& socket) {
  {
    Guard guard(group->mutex);
    if (detached_) return;
    replies_.sendLocked(socket);
  }
  socket.settleLocked();
}

bool Lane::lookAfterReplies() {
  std::shared_ptr<Socket> socket;
  {
    Guard guard(group->mutex);
    if (detached_ || state_ == State::kGone || !replySocket_) return false;
    const bool any = replies_.any();
    const bool used = replies_.batch() != lookedAtBatch_;
    lookedAtBatch_ = replies_.batch();
    if (!any && !used) {
      // Store-flag, re-check: the thread counts what it keeps, and then looks at the flag.
      wordLocked(kLaneTicks).store(0, std::memory_order_seq_cst);
      if (!replies_.any()) return false;
      wordLocked(kLaneTicks).store(1, std::memory_order_relaxed);
    }
    if (!any || used) return true;
    socket = replySocket_;
  }
  // What is there was there at the last look.
  Guard guard(socket->mutex);
  sendRepliesLocked(*socket);
  return true;
}

bool Lane::gone() {
  Guard guard(group->mutex);
  return state_ == State::kGone || consumer_ == nullptr;
}

void Lane::kick() {
  group->kick();
}

void Lane::ringPusher() {
  Guard guard(group->mutex);
  if (detached_) return;
  wordLocked(kLaneSequence).fetch_add(1, std::memory_order_seq_cst);  // pairs with waitAsync
}

bool Lane::recycle(const std::shared_ptr<Chunk>& chunk, bool reusable) {
  Guard guard(group->mutex);
  inbox_.unlinkLocked(chunk.get());
  if (reusable && !detached_ && inbox_.recycleLocked(chunk)) return true;
  dropped_.push_back(chunk->id);
  return false;
}

std::shared_ptr<Chunk> Lane::adopt(uint32_t chunkId) {
  Guard guard(group->mutex);
  auto found = handedOver_.find(chunkId);
  if (found == handedOver_.end()) return nullptr;
  auto chunk = std::move(found->second);
  handedOver_.erase(found);
  return chunk;
}

std::vector<uint32_t> Lane::takeDropped() {
  Guard guard(group->mutex);
  return std::exchange(dropped_, {});
}

bool Lane::announceLocked(const std::shared_ptr<Chunk>& chunk) {
  if (detached_ || state_ == State::kGone) return false;
  handedOver_.emplace(chunk->id, chunk);
  announced_ = chunk;
  return true;
}

void Lane::fillAnnouncedLocked() {
  if (announced_ && !detached_) inbox_.addChunkLocked(std::move(announced_));
  announced_.reset();
}

bool Lane::publishLocked() {
  if (detached_ || inbox_.publishLocked() == 0) return false;
  // Store-flag, re-check: the thread sets it and looks at the inbox again, we do the reverse.
  if (inbox_.control(kCtlWaiting).exchange(0, std::memory_order_seq_cst) == 0) return false;
  wordLocked(kLaneSequence).fetch_add(1, std::memory_order_seq_cst);  // pairs with waitAsync
  return true;
}

void Lane::pauseLocked() {
  inbox_.control(kCtlPaused).store(1, std::memory_order_seq_cst);  // pairs with exchange
}

uint32_t Lane::queuedLocked() {
  return inbox_.offeredLocked() - wordLocked(kLaneTaken).load(std::memory_order_seq_cst);
}

bool Lane::awaitLowLocked(uint32_t low) {
  // Store-flag, re-check: the thread counts what it begins, and then looks at the flag.
  wordLocked(kLaneLow).store(low + 1, std::memory_order_seq_cst);  // pairs with exchange
  return queuedLocked() > low;
}

void Lane::rescueLocked(std::vector<RescuedMessage>& begun, std::vector<LaneMessage>& rest) {
  const uint32_t taken = wordLocked(kLaneTaken).load(std::memory_order_acquire);
  const auto unsettled = unsettledLocked();
  const auto& chain = inbox_.chainLocked();
  for (size_t link = 0; link < chain.size(); ++link) {
    Chunk& chunk = *chain[link].chunk;
    const uint32_t end =
        link + 1 < chain.size() ? chain[link + 1].firstMessage : inbox_.offeredLocked();
    const auto* descriptor = reinterpret_cast<const uint32_t*>(chunk.base + chunk.size) - 2;
    for (uint32_t number = chain[link].firstMessage; number != end; ++number) {
      LaneMessage message;
      std::memcpy(&message.header, chunk.base + (descriptor[0] & ~kFrameMore), kHeaderBytes);
      message.copied = true;
      const auto state = unsettled.find(number);
      const bool waiting = static_cast<int32_t>(number - taken) >= 0;
      const bool wanted = waiting || state != unsettled.end();
      bool more = (descriptor[0] & kFrameMore) != 0;
      bool first = true;
      for (descriptor -= 2; more; descriptor -= 2) {
        more = (descriptor[0] & kFrameMore) != 0;
        const uint32_t offset = descriptor[0] & ~kFrameMore;
        if (wanted) message.frames.emplace_back(chunk.base + offset, descriptor[1]);
        if (wanted && first) message.origin = chunk.originOf(offset);
        first = false;
      }
      if (state != unsettled.end()) {
        begun.push_back({std::move(message), state->second});
      } else if (waiting) {
        rest.push_back(std::move(message));
      }
    }
  }
}

}  // namespace zt
