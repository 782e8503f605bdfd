// What an I/O loop serves for a lane group: its sockets and its feed.
#include "lane_group.h"
#include "loop.h"
#include "socket.h"

namespace zt {

LoopWatch::Step LaneWatch::service(Loop& loop) {
  PoliteGuard guard(socket_->mutex);
  armed = false;
  if (retired_ || socket_->closedLocked()) return Step::kGone;
  int want = 0;
  const Step step = group_->receive(*socket_, source_, loop, want);
  mask = want;
  armed = want != 0;
  socket_->settleLocked(this);
  return step;
}

void LaneWatch::fireSource() {
  Guard guard(socket_->mutex);
  if (!retired_) fire();
}

void LaneWatch::retire() {
  Guard guard(socket_->mutex);
  retired_ = true;
  armed = false;
  socket_->unwatchLocked(this);
  leaveLoopLocked();
  // What the loop was about to receive is for others, if there are any.
  socket_->settleLocked();
}

LoopWatch::Step LaneFeed::service(Loop& loop) {
  auto group = group_.lock();
  return group ? group->feed(loop) : Step::kGone;
}

bool LaneFeed::tick() {
  auto group = group_.lock();
  return group && group->tick();
}

void LaneFeed::fireFeed(bool leave) {
  Guard guard(mutex_);
  if (leave) {
    leaveLoopLocked();
  } else {
    fire();
  }
}

uint32_t LaneFeed::chunkToken() const {
  auto group = group_.lock();
  return kLaneToken + (group ? group->needyLane() : 0);
}

bool LaneFeed::announce(const std::shared_ptr<Chunk>& chunk) {
  auto group = group_.lock();
  return group && group->announce(chunk);
}

void LaneFeed::fillAnnounced() {
  if (auto group = group_.lock()) group->fillAnnounced();
}

void LaneFeed::failChunk() {
  if (auto group = group_.lock()) group->failChunk();
}

}  // namespace zt
