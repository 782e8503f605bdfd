#include "proxy.h"

#include <cerrno>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

namespace zt {

namespace {

struct Directory {
  std::mutex mutex;
  std::vector<std::weak_ptr<Proxy>> proxies;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

// Keeps a proxy known for as long as its thread runs.
void enlist(const std::shared_ptr<Proxy>& proxy) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto& list = directory().proxies;
  for (size_t i = list.size(); i > 0; --i) {
    if (list[i - 1].expired()) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i) - 1);
  }
  list.push_back(proxy);
}

}  // namespace

std::shared_ptr<Proxy> Proxy::create(const Setup& setup, End& failure) {
  std::shared_ptr<Proxy> proxy(new Proxy(setup));
  if (proxy->claim()) return proxy;
  failure = proxy->cause_;
  return nullptr;
}

Proxy::Proxy(const Setup& setup)
    : frontend_(setup.frontend),
      backend_(setup.backend),
      capture_(setup.capture),
      forward_(setup.forward) {
  for (const auto& socket : {frontend_, backend_, capture_}) {
    if (!socket || (!members_.empty() && members_.front().socket == socket)) continue;
    members_.push_back({socket, std::make_shared<ThreadWatch>(wake_), 0});
  }
  if (setup.forward) ways_.emplace_back(*frontend_, *backend_);
  if (setup.backward) ways_.emplace_back(*backend_, *frontend_);
}

Proxy::~Proxy() {
  if (!members_.empty()) letGo();  // it never ran
}

bool Proxy::claim() {
  for (size_t i = 0; i < members_.size(); ++i) {
    Socket& socket = *members_[i].socket;
    int error;
    {
      Guard guard(socket.mutex);
      error = socket.claimLocked();
      if (error == 0) socket.watchLocked(members_[i].watch);
    }
    if (error == 0) continue;
    finish(socket, error);
    members_.resize(i);
    return false;
  }
  return true;
}

bool Proxy::start(Messages&& fromFrontend, Messages&& fromBackend, std::function<void()> done) {
  Hand* capture = capture_ ? &captured_ : nullptr;
  for (auto& message : fromFrontend) {
    if (forward_) ways_.front().preload(std::move(message), capture);
  }
  for (auto& message : fromBackend) {
    if (!forward_ || ways_.size() > 1) ways_.back().preload(std::move(message), capture);
  }
  done_ = std::move(done);
  ended_ = false;
  enlist(shared_from_this());
  try {
    std::thread([self = shared_from_this()] { self->run(); }).detach();
  } catch (const std::system_error&) {
    letGo();
    ended_ = true;
    return false;
  }
  return true;
}

// Gives the sockets back, and to each what is in hand for it.
void Proxy::letGo() {
  for (Member& member : members_) {
    Socket& socket = *member.socket;
    Guard guard(socket.mutex);
    socket.unwatchLocked(member.watch.get());
    if (!socket.closedLocked()) {
      for (Way& way : ways_) {
        if (&way.to == &socket) way.hand.leaveToLocked(socket);
      }
      if (&socket == capture_.get()) captured_.leaveToLocked(socket);
      if (!socket.outboxEmptyLocked()) socket.drainInBackgroundLocked();
    }
    socket.unclaimLocked();
    socket.settleLocked();
  }
  members_.clear();
}

void Proxy::finish(const Socket& socket, int error) {
  if (cause_.error != 0) return;
  Place place = kFrontend;
  if (&socket == capture_.get()) {
    place = kCapture;
  } else if (&socket != frontend_.get()) {
    place = kBackend;
  }
  cause_ = {error, place};
}

void Proxy::run() {
  try {
    while (mayMove()) {
      if (moveAll()) continue;
      if (cause_.error != 0) break;
      wait(true);
      if (cause_.error != 0) break;
    }
  } catch (const std::bad_alloc&) {
    cause_ = {ENOMEM, kNowhere};
  }
  try {
    letGo();
  } catch (const std::exception&) {
    members_.clear();  // no memory: what was in hand is lost
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    end_ = cause_;
    ended_ = true;
    changed_.notify_all();
  }
  done_();
}

bool Proxy::mayMove() {
  for (;;) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (stopped_) return false;
      holding_ = paused_;
      if (!paused_) return true;
      changed_.notify_all();
    }
    wait(false);
    if (cause_.error != 0) return false;
  }
}

bool Proxy::moveAll() {
  bool moved = false;
  for (Way& way : ways_) {
    if (capture_ && giveCaptured()) moved = true;
    if (cause_.error != 0) return moved;
    if (way.step(capture_ ? &captured_ : nullptr)) moved = true;
    if (way.need == Way::Need::kEnd) {
      finish(*way.gone, way.error);
      return false;
    }
  }
  return moved;
}

bool Proxy::giveCaptured() {
  PoliteGuard guard(capture_->mutex);
  const bool moved = giveCapturedLocked();
  capture_->settleLocked();
  return moved;
}

bool Proxy::giveCapturedLocked(Socket::Look look) {
  const uint64_t before = capturedTally_.messages;
  const int error = capture_->closedLocked()
                        ? ENOTSOCK
                        : captured_.sendLocked(*capture_, capturedTally_, uncaptured_, look);
  if (error == ENOTSOCK || error == ETERM) finish(*capture_, reasonLocked(*capture_, error));
  return capturedTally_.messages != before;
}

// Arms the watch of a socket, and leaves what the thread waits for there in its mask. True if
// something can be done after all.
bool Proxy::armLocked(Member& member, bool moving) {
  Socket& socket = *member.socket;
  bool again = false;
  int mask = 0;
  const bool tells = socket.pollOutTellsLocked();
  for (Way& way : ways_) {
    if (!moving) break;
    if (way.need == Way::Need::kInput && &way.from == &socket) mask |= ZMQ_POLLIN;
    if (way.need == Way::Need::kRoom && &way.to == &socket) mask |= ZMQ_POLLOUT;
  }
  if (moving && &socket == capture_.get() && !captured_.empty()) mask |= ZMQ_POLLOUT;
  int error = 0;
  const int events = socket.eventsLocked(error);
  if (events < 0) {
    finish(socket, reasonLocked(socket, error));
  } else if ((events & (tells ? mask : mask & ~ZMQ_POLLOUT)) != 0) {
    again = true;
  }
  member.mask = mask;
  member.watch->mask = mask;
  member.watch->armed = mask != 0 && !again;
  socket.settleLocked(member.watch.get(), tells ? 0 : ZMQ_POLLOUT);
  // Its descriptor alone tells of room, and the looks above may have processed the command that
  // announced some: only a send shows that, after which nobody looks.
  if (!tells && (mask & ZMQ_POLLOUT) != 0 && giveUntoldLocked(socket)) again = true;
  return again;
}

// Sends, without a look at libzmq's commands. True if something moved or is different now.
bool Proxy::giveUntoldLocked(Socket& socket) {
  bool again = false;
  for (Way& way : ways_) {
    if (way.need != Way::Need::kRoom || &way.to != &socket) continue;
    if (way.giveLocked(Socket::Look::kNo) || way.need != Way::Need::kRoom) again = true;
    if (way.need == Way::Need::kEnd) finish(socket, way.error);
  }
  if (&socket == capture_.get() && !captured_.empty()) {
    if (giveCapturedLocked(Socket::Look::kNo)) again = true;
  }
  return again;
}

// Until something can be done, or somebody wants something of the thread.
void Proxy::wait(bool moving) {
  bool again = false;
  items_.assign(1, {nullptr, wake_.fd(), ZMQ_POLLIN, 0});
  for (Member& member : members_) {
    Guard guard(member.socket->mutex);
    again = armLocked(member, moving) || again;
    if (member.mask != 0) items_.push_back({nullptr, member.socket->fdLocked(), ZMQ_POLLIN, 0});
  }
  if (!again && cause_.error == 0) {
    zmq_poll(items_.data(), static_cast<int>(items_.size()), -1);
    if (items_[0].revents != 0) wake_.drain();
  }
  for (Member& member : members_) {
    Guard guard(member.socket->mutex);
    member.watch->armed = false;
  }
}

void Proxy::pause() {
  std::unique_lock<std::mutex> lock(mutex_);
  paused_ = true;
  wake_.poke();
  changed_.wait(lock, [this] { return holding_ || !paused_ || ended_; });
}

void Proxy::resume() {
  std::lock_guard<std::mutex> lock(mutex_);
  paused_ = holding_ = false;
  wake_.poke();
}

void Proxy::stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  wake_.poke();
}

void Proxy::join() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return ended_; });
}

void Proxy::stopAll() {
  std::vector<std::shared_ptr<Proxy>> proxies;
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    for (auto& entry : directory().proxies) {
      if (auto proxy = entry.lock()) proxies.push_back(std::move(proxy));
    }
  }
  for (auto& proxy : proxies) proxy->stop();
  for (auto& proxy : proxies) proxy->join();
}

Proxy::Statistics Proxy::statistics() {
  Statistics result;
  for (Way& way : ways_) {
    const bool forward = forward_ && &way == &ways_.front();
    Side& source = forward ? result.frontend : result.backend;
    Side& target = forward ? result.backend : result.frontend;
    {
      Guard guard(way.to.mutex);
      target.out = way.given;
      target.undeliverable = way.undeliverable;
    }
    Guard guard(way.from.mutex);
    source.in = way.taken;
  }
  if (capture_) {
    Guard guard(capture_->mutex);
    result.captured = capturedTally_;
  }
  return result;
}

Proxy::End Proxy::end() {
  std::lock_guard<std::mutex> lock(mutex_);
  return end_;
}

}  // namespace zt
