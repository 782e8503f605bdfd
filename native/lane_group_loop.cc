// What the loop does for a lane group: it receives messages, and places each in a lane.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "lane_group.h"
#include "loop.h"
#include "socket.h"

namespace zt {

namespace {

constexpr size_t kMostPending = kBurst;  // received, and waiting for a lane of their own
constexpr size_t kMostSpareFrames = 2 * kBurst;
constexpr uint32_t kPlenty = 32;  // messages that a thread has not begun

}  // namespace

// As far as that can be said before the message is known. What a lane holds is in flight also while
// its thread is dead, until it is rescued.
bool LaneGroup::roomLocked(size_t kept) {
  size_t inFlight = kept;
  for (int look = 0; look < 2; ++look) {
    inFlight = kept;
    for (const auto& lane : lanes_) {
      if (!lane) continue;
      if (look > 0) lane->inboxLocked().refreshLocked();
      inFlight += lane->inboxLocked().loadLocked();
    }
    if (inFlight < mostInFlight_) break;
  }
  if (inFlight >= mostInFlight_) return false;
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return lane && lane->takesLocked() && lane->inboxLocked().roomLocked();
  });
}

// The lane that the message goes to, or null if it has to wait.
Lane* LaneGroup::chooseLocked(LaneMessage& message) {
  const uint32_t count = static_cast<uint32_t>(lanes_.size());
  if (route_.policy == RoutePolicy::kKey) {
    const uint32_t index = message.header.key % count;
    Lane* lane = lanes_[index].get();
    if (blocked_[index]) return nullptr;
    if (lane == nullptr || !lane->takesLocked() || !lane->inboxLocked().roomLocked()) {
      blocked_[index] = true;  // for those behind it, too: they stay in order
      return nullptr;
    }
    return lane;
  }
  Lane* best = nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = (nextLane_ + i) % count;
    Lane* lane = lanes_[index].get();
    if (lane == nullptr || !lane->takesLocked() || !lane->inboxLocked().roomLocked()) continue;
    if (best != nullptr && lane->inboxLocked().loadLocked() >= best->inboxLocked().loadLocked())
      continue;
    best = lane;
    if (route_.policy == RoutePolicy::kRoundRobin) break;
  }
  return best;
}

bool LaneGroup::placeLocked(LaneMessage& message) {
  Lane* lane = chooseLocked(message);
  if (lane == nullptr) return false;
  Inbox& inbox = lane->inboxLocked();
  if (!inbox.offerLocked(&message.header, kHeaderBytes, message.frames.data(),
                         message.frames.size(), message.copied ? &message.origin : nullptr)) {
    blocked_[lane->index] = true;
    if (!needy_) {
      needy_ = lanes_[lane->index];
      neededBytes_ = inbox.neededBytes();
      neededBy_ = message.header.ticket;
    }
    return false;
  }
  nextLane_ = (lane->index + 1) % static_cast<uint32_t>(lanes_.size());
  message.frames.clear();
  if (spareFrames_.size() < kMostSpareFrames) spareFrames_.push_back(std::move(message.frames));
  return true;
}

// Places what waits, in order; with keys, what waits for one lane does not hold up the others.
void LaneGroup::flushLocked() {
  std::fill(blocked_.begin(), blocked_.end(), false);
  if (pending_.empty() || detached_) return;
  const bool byKey = route_.policy == RoutePolicy::kKey;
  if (!byKey) {
    while (!pending_.empty() && roomLocked(0) && placeLocked(pending_.front()))
      pending_.pop_front();
    return;
  }
  std::deque<LaneMessage> left;
  while (!pending_.empty()) {
    if (!roomLocked(left.size()) || !placeLocked(pending_.front()))
      left.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  pending_.swap(left);
}

void LaneGroup::publishLocked(Loop& loop) {
  for (const auto& lane : lanes_) {
    if (lane && lane->publishLocked()) loop.wakeLane(lane->id);
  }
}

// Every lane tells when it has room again. Store-flag, re-check: whoever settles a message sees the
// flag, or we see its count.
void LaneGroup::pauseLanesLocked() {
  for (const auto& lane : lanes_) {
    if (lane && lane->takesLocked()) lane->pauseLocked();
  }
  bool room = false;
  if (route_.policy == RoutePolicy::kKey && !pending_.empty()) {
    size_t kept = 0;
    for (const LaneMessage& message : pending_) {
      const auto& lane = lanes_[message.header.key % lanes_.size()];
      room = lane && lane->takesLocked() && lane->inboxLocked().roomLocked() && roomLocked(kept);
      if (room) break;
      ++kept;
    }
  } else {
    room = roomLocked(pending_.size());
  }
  if (room) fireFeedLocked();
}

// Whether every thread has so much to do that what comes may wait; then one of them calls.
bool LaneGroup::letSourcesWaitLocked() {
  for (const auto& lane : lanes_) {
    if (!lane || !lane->takesLocked() || lane->queuedLocked() < kPlenty) return false;
  }
  stocked_ = true;
  for (const auto& lane : lanes_)
    stocked_ = lane->awaitLowLocked(lane->queuedLocked() / 2) && stocked_;
  if (!stocked_) endWaitLocked();
  return stocked_;
}

void LaneGroup::endWaitLocked() {
  stocked_ = false;
  for (const auto& lane : lanes_) {
    if (lane && lane->takesLocked()) lane->awaitNothingLocked();
  }
}

void LaneGroup::wakePushersLocked(Loop& loop) {
  if (pushers_.empty() || pending_.size() > mostInFlight_ / 2) return;
  for (uint32_t id : pushers_) {
    // Not through its group: that would be the second one locked. Its memory is there while it is
    // open, which it is while it waits; a lane that is gone is told by nobody.
    auto lane = Lane::find(id);
    if (!lane) continue;
    wokenPushers_.push_back(std::move(lane));
    loop.wakeLane(id);
  }
  pushers_.clear();
}

LoopWatch::Step LaneGroup::receive(Socket& socket, uint32_t source, Loop& loop, int& want) {
  Guard guard(mutex);
  if (paused_ || detached_) return LoopWatch::Step::kGone;
  for (const auto& lane : lanes_) {
    if (lane && lane->takesLocked()) lane->inboxLocked().refreshLocked();
  }
  flushLocked();
  const double now = steadyMilliseconds();
  LoopWatch::Step step = LoopWatch::Step::kAgain;
  bool stall = false;
  Frame frame;
  for (int i = 0; i < kBurst; ++i) {
    const bool byKey = route_.policy == RoutePolicy::kKey;
    if (starved_ || (!pending_.empty() && (!byKey || pending_.size() >= kMostPending)) ||
        !roomLocked(pending_.size())) {
      stall = true;
      break;
    }
    int error = socket.receiveLocked(frame.raw());
    if (error == EAGAIN) {
      step = LoopWatch::Step::kArmed;
      want = ZMQ_POLLIN;
      break;
    }
    if (error != 0) {
      step = LoopWatch::Step::kGone;
      break;
    }
    LaneMessage message;
    if (!spareFrames_.empty()) {
      message.frames = std::move(spareFrames_.back());
      spareFrames_.pop_back();
    }
    bool more = true;
    while (more) {
      more = socket.moreLocked(frame.raw());
      message.frames.push_back(std::move(frame));
      frame = Frame();
      // The frames of a message arrive together. Should one fail, what came is a message that the
      // peer never finished.
      if (more && socket.receiveLocked(frame.raw()) != 0) {
        message.frames.clear();
        break;
      }
    }
    if (message.frames.empty()) continue;
    message.header.ticket = nextTicket_++;
    message.header.source = source;
    message.header.receivedAt = now;
    message.header.body = route_.bodyOf(message.frames.data(), message.frames.size());
    if (refuseLargeLocked(message)) continue;
    if (route_.policy == RoutePolicy::kKey) {
      message.header.key =
          route_.keyOf(message.frames.data(), message.frames.size(), message.header.body);
    }
    if (!placeLocked(message)) pending_.push_back(std::move(message));
  }
  publishLocked(loop);
  if (stall) {
    step = LoopWatch::Step::kIdle;
    stalled_ = true;
  }
  if (needy_) {
    fireFeedLocked();
  } else if (stall || !pending_.empty()) {
    pauseLanesLocked();
  } else if (step == LoopWatch::Step::kArmed && letSourcesWaitLocked()) {
    want = 0;
    step = LoopWatch::Step::kIdle;
  }
  return step;
}

LoopWatch::Step LaneGroup::feed(Loop& loop) {
  std::vector<std::shared_ptr<LaneWatch>> waiting;
  LoopWatch::Step step = LoopWatch::Step::kIdle;
  std::vector<std::shared_ptr<Lane>> woken;
  {
    Guard guard(mutex);
    if (detached_) return LoopWatch::Step::kGone;
    needy_.reset();
    starved_ = false;
    for (const auto& lane : lanes_) {
      if (lane && lane->takesLocked()) lane->inboxLocked().refreshLocked();
    }
    flushLocked();
    publishLocked(loop);
    wakePushersLocked(loop);
    woken.swap(wokenPushers_);
    const bool byKey = route_.policy == RoutePolicy::kKey;
    if (stalled_ && !needy_ && (pending_.empty() || (byKey && pending_.size() < kMostPending)) &&
        roomLocked(pending_.size())) {
      stalled_ = false;
      waiting = sources_;
    }
    if (stocked_) {
      endWaitLocked();
      waiting = sources_;
    }
    if (needy_) {
      loop.neededBytes = neededBytes_;
      step = LoopWatch::Step::kNeedChunk;
    } else if (!pending_.empty() || stalled_) {
      pauseLanesLocked();
    }
  }
  for (auto& lane : woken) lane->ringPusher();
  // Without the lock: a socket comes first.
  for (auto& source : waiting) source->fireSource();
  return step;
}

uint32_t LaneGroup::needyLane() {
  Guard guard(mutex);
  return needy_ ? needy_->id : 0;
}

bool LaneGroup::announce(const std::shared_ptr<Chunk>& chunk) {
  Guard guard(mutex);
  return needy_ && needy_->announceLocked(chunk);
}

void LaneGroup::fillAnnounced() {
  {
    Guard guard(mutex);
    if (!needy_) return;
    needy_->fillAnnouncedLocked();
    needy_.reset();
  }
  kick();
}

// Whether the threads have something that there may be memory for others after: then who settles it
// calls, or who rescues it. Nothing else is received meanwhile, so that this comes to an end.
bool LaneGroup::awaitMemoryLocked() {
  // Store-flag, re-check, as in pauseLanesLocked().
  for (const auto& lane : lanes_) {
    if (lane && lane->takesLocked()) lane->pauseLocked();
  }
  starved_ = std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    if (!lane) return false;
    lane->inboxLocked().refreshLocked();
    return lane->inboxLocked().loadLocked() > 0;
  });
  return starved_;
}

void LaneGroup::failChunk() {
  {
    Guard guard(mutex);
    const bool needed = std::exchange(needy_, nullptr) != nullptr;  // else its thread is gone
    if (detached_ || (needed && awaitMemoryLocked())) return;
    const auto message = std::find_if(pending_.begin(), pending_.end(), [this](const auto& entry) {
      return entry.header.ticket == neededBy_;
    });
    if (needed && message != pending_.end()) {
      refuseLocked(*message, ENOMEM, neededBytes_);
      pending_.erase(message);
    }
  }
  kick();
}

void LaneGroup::fireFeedLocked() {
  feed_->fireFeed(false);
}

}  // namespace zt
