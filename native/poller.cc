#include "poller.h"

#include <unordered_map>

#include "waits.h"

namespace zt {

namespace {

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<Poller>> pollers;
  uint32_t nextId = 1;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

PollWatch::PollWatch(std::shared_ptr<Socket> socket, int events, uint32_t token)
    : LoopWatch(std::move(socket)), events(events), token_(token) {}

LoopWatch::Step PollWatch::service(Loop& loop) {
  PoliteGuard guard(socket_->mutex);
  armed = false;
  if (retired_) return Step::kGone;
  int error = 0;
  const int now = socket_->readinessLocked(error);
  if (now < 0 || (now & events) != 0 || socket_->claimedLocked()) {
    loop.ring(token_);
    socket_->settleLocked(this);
    return Step::kIdle;
  }
  behindOutbox = (events & ZMQ_POLLOUT) != 0 && !socket_->outboxEmptyLocked();
  mask = behindOutbox ? events & ~ZMQ_POLLOUT : events;
  armed = mask != 0;
  socket_->settleLocked(this);
  return armed ? Step::kArmed : Step::kIdle;
}

void PollWatch::arm(const std::shared_ptr<Loop>& loop) {
  {
    Guard guard(socket_->mutex);
    if (armed || retired_) return;
  }
  enqueueOn(loop);
}

void PollWatch::retire() {
  Guard guard(socket_->mutex);
  retired_ = true;
  armed = false;
  socket_->unwatchLocked(this);
  leaveLoopLocked();
}

std::shared_ptr<Poller> Poller::create(const std::vector<Item>& items, uint32_t token) {
  std::shared_ptr<Poller> poller;
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    const uint32_t id = directory().nextId++;
    poller.reset(new Poller(id, items, token));
    directory().pollers.emplace(id, poller);
  }
  for (auto& watch : poller->watches_) {
    Guard guard(watch->socket()->mutex);
    watch->socket()->watchLocked(watch);
  }
  return poller;
}

std::shared_ptr<Poller> Poller::find(uint32_t id) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().pollers.find(id);
  return found == directory().pollers.end() ? nullptr : found->second.lock();
}

Poller::Poller(uint32_t id, const std::vector<Item>& items, uint32_t token)
    : id(id), token_(token), items_(items) {
  for (const Item& item : items_) {
    watches_.push_back(std::make_shared<PollWatch>(item.socket, item.events, token));
  }
}

Poller::~Poller() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  directory().pollers.erase(id);
}

void Poller::arm(const std::shared_ptr<Loop>& loop) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    loop_ = loop;
  }
  for (auto& watch : watches_) watch->arm(loop);
}

Poller::Wait Poller::wait(long milliseconds) {
  WakeDescriptor& wake = threadWake();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return Wait::kClosed;
    inside_ = &wake;
  }
  std::vector<std::shared_ptr<ThreadWatch>> watches;
  std::vector<NativeFd> fds;
  bool look = false;
  for (const Item& item : items_) {
    Guard guard(item.socket->mutex);
    int error = 0;
    const int now = item.socket->readinessLocked(error);
    look = now < 0 || (now & item.events) != 0 || item.socket->claimedLocked();
    if (!look) {
      auto watch = std::make_shared<ThreadWatch>(wake);
      watch->behindOutbox = (item.events & ZMQ_POLLOUT) != 0 && !item.socket->outboxEmptyLocked();
      watch->mask = watch->behindOutbox ? item.events & ~ZMQ_POLLOUT : item.events;
      watch->armed = true;
      item.socket->watchLocked(watch);
      watches.push_back(std::move(watch));
      fds.push_back(item.socket->fdLocked());
    }
    item.socket->settleLocked(look ? nullptr : watches.back().get());
    if (look) break;
  }
  if (!look) waitForDescriptors(wake, fds, milliseconds);
  for (size_t i = 0; i < watches.size(); ++i) {
    Guard guard(items_[i].socket->mutex);
    if (!watches[i]->armed) look = true;
    items_[i].socket->unwatchLocked(watches[i].get());
    int error = 0;
    const int now = items_[i].socket->readinessLocked(error);
    if (now < 0 || (now & items_[i].events) != 0) look = true;
    items_[i].socket->settleLocked();
  }
  std::lock_guard<std::mutex> lock(mutex_);
  inside_ = nullptr;
  left_.notify_all();
  if (closed_) return Wait::kClosed;
  return look ? Wait::kLook : Wait::kTimeout;
}

bool Poller::close() {
  std::shared_ptr<Loop> loop;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    if (closed_) {
      left_.wait(lock, [this] { return retired_; });  // for whoever closes it right now
      return false;
    }
    closed_ = true;
    loop = std::move(loop_);
    if (inside_ != nullptr) inside_->poke();
    left_.wait(lock, [this] { return inside_ == nullptr; });
  }
  for (auto& watch : watches_) watch->retire();
  if (loop) loop->post(token_);
  std::lock_guard<std::mutex> lock(mutex_);
  retired_ = true;
  left_.notify_all();
  return true;
}

bool Poller::closed() {
  std::lock_guard<std::mutex> lock(mutex_);
  return closed_;
}

}  // namespace zt
