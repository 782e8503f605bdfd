#include "loop.h"

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <utility>

#include "socket.h"
#include "waits.h"

namespace zt {

namespace {

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<Loop>> loops;
  uint32_t nextId = 1;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

void LoopWatch::fire() {
  if (loop_) loop_->enqueue(shared_from_this());
}

FairMutex& LoopWatch::mutex() {
  return socket_->mutex;
}

void LoopWatch::enqueueOn(const std::shared_ptr<Loop>& loop) {
  Guard guard(mutex());
  loop_ = loop;
  loop->enqueue(shared_from_this());
}

std::shared_ptr<Loop> Loop::create(std::shared_ptr<Bell> bell) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  const uint32_t id = directory().nextId++;
  std::shared_ptr<Loop> loop(new Loop(id, std::move(bell)));
  directory().loops.emplace(id, loop);
  return loop;
}

std::shared_ptr<Loop> Loop::find(uint32_t id) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().loops.find(id);
  return found == directory().loops.end() ? nullptr : found->second.lock();
}

void Loop::stopAll() {
  for (auto& loop : all()) loop->stop();
}

void Loop::interruptAll() {
  for (auto& loop : all()) loop->interrupt();
}

std::vector<std::shared_ptr<Loop>> Loop::all() {
  std::vector<std::shared_ptr<Loop>> loops;
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    for (auto& entry : directory().loops) {
      if (auto loop = entry.second.lock()) loops.push_back(std::move(loop));
    }
  }
  return loops;
}

Loop::Loop(uint32_t id, std::shared_ptr<Bell> bell) : id(id), bell_(std::move(bell)) {
  items_.push_back({nullptr, wake_.fd(), ZMQ_POLLIN, 0});
  polled_.push_back(nullptr);
}

Loop::~Loop() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  directory().loops.erase(id);
}

void Loop::enqueue(std::shared_ptr<LoopWatch> watch) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_ || watch->queued_) return;
  watch->queued_ = true;
  incoming_.push_back(std::move(watch));
  if (sleeping_) wake_.poke();
}

void Loop::lookAfter(const std::shared_ptr<LoopWatch>& watch) {
  std::lock_guard<std::mutex> lock(mutex_);
  lookedAfter_.push_back(watch);
}

void Loop::tick(const std::shared_ptr<LoopWatch>& watch) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  toTick_.push_back(watch);
  if (sleeping_) wake_.poke();
}

void Loop::post(uint32_t token) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  tokens_.push_back(token);
  if (sleeping_) wake_.poke();
}

void Loop::stop() {
  std::vector<std::shared_ptr<LoopWatch>> dropped;
  std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  // Destroyed after the lock: the last reference to a message may be among them, and to release
  // that may want to post.
  dropped.swap(incoming_);
  toTick_.clear();
  for (auto& watch : dropped) watch->queued_ = false;
  wake_.poke();
}

void Loop::interrupt() {
  std::lock_guard<std::mutex> lock(mutex_);
  interrupted_ = true;
  wake_.poke();
}

// Takes over what other threads handed in.
bool Loop::collect() {
  std::vector<std::shared_ptr<LoopWatch>> incoming;
  std::vector<uint32_t> tokens;
  std::vector<std::shared_ptr<LoopWatch>> toTick;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return false;
    incoming.swap(incoming_);
    tokens.swap(tokens_);
    toTick.swap(toTick_);
    for (auto& watch : incoming) watch->queued_ = false;
  }
  for (auto& watch : toTick) {
    if (ticked_.empty()) tickAt_ = Clock::now() + std::chrono::milliseconds(kTickMs);
    if (std::find(ticked_.begin(), ticked_.end(), watch) == ticked_.end())
      ticked_.push_back(std::move(watch));
  }
  for (auto& watch : incoming) {
    if (watch->ready_) continue;
    watch->ready_ = true;
    ready_.push_back(std::move(watch));
  }
  for (uint32_t token : tokens) ring(token);
  return true;
}

// Waits for descriptors. False when there is nothing more to do in this call of run().
bool Loop::block(Clock::time_point until) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (interrupted_) {
      interrupted_ = false;
      return false;
    }
    if (stopped_ || !incoming_.empty() || !tokens_.empty() || !toTick_.empty()) return true;
    sleeping_ = true;
  }
  const auto end = ticked_.empty() ? until : std::min(until, tickAt_);
  // Rounded up: run() looks after sockets when it is called at `until`, not just before.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  int count =
      left <= 0 ? 0
                : zmq_poll(items_.data(), static_cast<int>(items_.size()), static_cast<long>(left));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    sleeping_ = false;
  }
  if (count < 0 && zmq_errno() != EINTR) {
    // A descriptor went away under us: serve all, which finds out whose.
    for (size_t i = 1; i < polled_.size(); ++i) {
      if (polled_[i]->ready_) continue;
      polled_[i]->ready_ = true;
      ready_.push_back(polled_[i]);
    }
    return true;
  }
  if (count == 0) {
    if (end < until) return true;  // to tick
    recheckTouched();
    return !ready_.empty() && Clock::now() < until;
  }
  if (items_[0].revents != 0) wake_.drain();
  for (size_t i = 1; i < items_.size(); ++i) {
    if (items_[i].revents == 0 || polled_[i]->ready_) continue;
    polled_[i]->ready_ = true;
    ready_.push_back(polled_[i]);
  }
  return true;
}

// A send may have swallowed an edge and its thread may not have come to settle it.
void Loop::recheckTouched() {
  for (size_t i = 1; i < polled_.size(); ++i) {
    if (polled_[i]->ready_ || !polled_[i]->socket_->touched.load(std::memory_order_relaxed))
      continue;
    polled_[i]->ready_ = true;
    ready_.push_back(polled_[i]);
  }
}

void Loop::recheckLookedAfter() {
  std::vector<std::weak_ptr<LoopWatch>> watches;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    watches.swap(lookedAfter_);
  }
  std::vector<std::weak_ptr<LoopWatch>> kept;
  for (auto& entry : watches) {
    const auto watch = entry.lock();
    if (watch && watch->lookAfter()) kept.push_back(std::move(entry));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  lookedAfter_.insert(lookedAfter_.end(), kept.begin(), kept.end());
}

void Loop::tickAll() {
  ticked_.erase(std::remove_if(ticked_.begin(), ticked_.end(),
                               [](const auto& watch) { return !watch->tick(); }),
                ticked_.end());
  tickAt_ = Clock::now() + std::chrono::milliseconds(kTickMs);
}

void Loop::setPolled(const std::shared_ptr<LoopWatch>& watch, bool polled) {
  if (polled == (watch->slot_ >= 0)) return;
  if (polled) {
    Guard guard(watch->socket_->mutex);
    watch->slot_ = static_cast<int>(items_.size());
    items_.push_back({nullptr, watch->socket_->fdLocked(), ZMQ_POLLIN, 0});
    polled_.push_back(watch);
    return;
  }
  const size_t slot = static_cast<size_t>(watch->slot_);
  watch->slot_ = -1;
  if (slot + 1 < items_.size()) {
    items_[slot] = items_.back();
    polled_[slot] = std::move(polled_.back());
    polled_[slot]->slot_ = static_cast<int>(slot);
  }
  items_.pop_back();
  polled_.pop_back();
}

void Loop::serve(std::shared_ptr<LoopWatch> watch) {
  watch->ready_ = false;
  const LoopWatch::Step step = watch->service(*this);
  setPolled(watch, step == LoopWatch::Step::kArmed);
  if (step == LoopWatch::Step::kAgain) {
    watch->ready_ = true;
    ready_.push_back(std::move(watch));
  } else if (step == LoopWatch::Step::kNeedChunk) {
    needy_ = std::move(watch);
  }
}

size_t Loop::takeWakes(bool& bell, uint32_t* lanes, size_t most) {
  bell = std::exchange(mustNotify_, false);
  const size_t count = std::min(most, laneWakes_.size());
  std::copy_n(laneWakes_.begin(), count, lanes);
  laneWakes_.erase(laneWakes_.begin(), laneWakes_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

LoopCode Loop::run() {
  const auto now = Clock::now();
  const auto until = now + std::chrono::milliseconds(kWaitSliceMs);
  if (now >= recheckAt_) {
    // block() does so, too, but only when nothing at all happened for a whole call.
    recheckTouched();
    recheckLookedAfter();
    recheckAt_ = until;
  }
  for (;;) {
    if (!collect()) {
      ready_.clear();
      items_.resize(1);
      polled_.resize(1);
      ticked_.clear();
      needy_.reset();
      return kLoopStop;
    }
    if (!ticked_.empty() && Clock::now() >= tickAt_) tickAll();
    if (ready_.empty() && !mustNotify_ && laneWakes_.empty() && !block(until)) return kLoopTick;
    round_.swap(ready_);
    for (size_t i = 0; i < round_.size(); ++i) {
      serve(std::move(round_[i]));
      if (needy_) {
        ready_.insert(ready_.end(), round_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                      round_.end());
        break;
      }
    }
    round_.clear();
    if (mustNotify_ || !laneWakes_.empty()) {
      if (needy_) {
        needy_->enqueueOn(shared_from_this());  // it asks again
        needy_ = nullptr;
      }
      return kLoopNotify;
    }
    if (needy_) return kLoopNeedChunk;
    if (Clock::now() >= until) return kLoopTick;
  }
}

}  // namespace zt
