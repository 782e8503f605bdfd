#include "event_loop.h"

#include <algorithm>
#include <utility>

#include "socket.h"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

namespace zt {

namespace {

constexpr uint64_t kLongTurnNs = 2'000'000;
// A single turn may be anything, a module that is loaded or a garbage collection: no more of it
// counts.
constexpr uint64_t kMostOfTurnNs = 8'000'000;

// libzmq closes its descriptor whenever some thread closes the socket; ours stays until libuv has
// let go of it. -1 if there can be none.
int duplicate(NativeFd fd) {
#ifdef _WIN32
  (void)fd;
  return -1;
#else
  return fcntl(fd, F_DUPFD_CLOEXEC, 0);
#endif
}

void closeDescriptor(int fd) {
#ifndef _WIN32
  ::close(fd);
#else
  (void)fd;
#endif
}

// libuv's handles are closed later than they are told to be, so they hold on to what they need.
template <typename Handle>
uv_handle_t* base(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

struct EventLoopWatch::Handle {
  uv_poll_t poll;
  std::shared_ptr<EventLoop> loop;
  EventLoopWatch* watch;  // null once that is gone
  int fd;
  uint32_t token;
  bool started;
};

EventLoopWatch::EventLoopWatch(std::shared_ptr<Socket> socket, std::shared_ptr<EventLoop> loop,
                               uint32_t token)
    : socket_(std::move(socket)), loop_(std::move(loop)), token_(token) {}

void EventLoopWatch::fire() {
  loop_->poke(token_);
}

bool EventLoopWatch::startLocked() {
  if (loop_->async_ == nullptr) return false;
  if (handle_ == nullptr) {
    const int fd = duplicate(socket_->fdLocked());
    if (fd < 0) return false;
    auto* handle = new Handle{{}, loop_, this, fd, token_, false};
    if (uv_poll_init(loop_->loop_, &handle->poll, fd) != 0) {
      closeDescriptor(fd);
      delete handle;
      return false;
    }
    uv_unref(base(&handle->poll));
    handle->poll.data = handle;
    loop_->polls_.insert(handle);
    ++loop_->handles_;
    handle_ = handle;
  }
  if (!handle_->started) {
    if (uv_poll_start(&handle_->poll, UV_READABLE, signalled) != 0) return false;
    handle_->started = true;
  }
  return true;
}

void EventLoopWatch::close() {
  if (handle_ == nullptr) return;
  Handle* handle = std::exchange(handle_, nullptr);
  handle->watch = nullptr;
  loop_->polls_.erase(handle);
  uv_close(base(&handle->poll), [](uv_handle_t* closed) {
    auto* handle = static_cast<Handle*>(closed->data);
    closeDescriptor(handle->fd);
    const auto loop = std::move(handle->loop);
    delete handle;
    loop->released();
  });
}

bool EventLoopWatch::take() {
  Guard guard(socket_->mutex);
  return std::exchange(armed, false);
}

void EventLoopWatch::signalled(uv_poll_t* poll, int status, int /*events*/) {
  auto* handle = static_cast<Handle*>(poll->data);
  // The descriptor signals until somebody has used the socket: who waits does so now.
  if (status < 0 || handle->watch == nullptr || !handle->watch->take()) {
    uv_poll_stop(poll);
    handle->started = false;
    if (status >= 0) return;
  }
  const auto loop = handle->loop;  // the call may close the handle
  loop->call_(handle->token);
}

std::shared_ptr<EventLoop> EventLoop::create(uv_loop_t* loop, Call call, uint32_t* turns) {
  std::shared_ptr<EventLoop> made(new EventLoop(loop, std::move(call), turns));
  auto* async = new uv_async_t;
  if (uv_async_init(loop, async, poked) != 0) {
    delete async;
    return nullptr;
  }
  async->data = made.get();
  uv_unref(base(async));
  made->async_ = async;
  ++made->handles_;
  auto* prepare = new uv_prepare_t;
  uv_prepare_init(loop, prepare);
  prepare->data = made.get();
  uv_prepare_start(prepare, turned);
  uv_unref(base(prepare));
  made->prepare_ = prepare;
  ++made->handles_;
  return made;
}

void EventLoop::poke(uint32_t token) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (async_ == nullptr) return;
  tokens_.push_back(token);
  uv_async_send(async_);
}

void EventLoop::poked(uv_async_t* async) {
  const auto loop = static_cast<EventLoop*>(async->data)->shared_from_this();
  std::vector<uint32_t> tokens;
  {
    std::lock_guard<std::mutex> lock(loop->mutex_);
    tokens.swap(loop->tokens_);
  }
  for (uint32_t token : tokens) loop->call_(token);
}

void EventLoop::keepProcess(bool keep) {
  if (async_ == nullptr) return;
  if (keep) {
    uv_ref(base(async_));
  } else {
    uv_unref(base(async_));
  }
}

// Before the event loop blocks: how long was it busy since the last time?
void EventLoop::turned(uv_prepare_t* prepare) {
  auto* loop = static_cast<EventLoop*>(prepare->data);
  const uint64_t now = uv_hrtime();
  const uint64_t idle = uv_metrics_idle_time(loop->loop_);
  const uint64_t busy = now - loop->turnBegan_ - (idle - loop->idleThen_);
  // Without the metrics a wait could not be told from work.
  const bool known = idle > 0 && loop->turnBegan_ > 0;
  const uint64_t own = uint64_t{loop->turns_[kTurnsOwn]} * 1000;
  if (known && busy > kLongTurnNs + own) {
    const uint64_t other = std::min(busy - own, kMostOfTurnNs);
    loop->turns_[kTurnsLong] += static_cast<uint32_t>(other / 1000);
  }
  loop->turns_[kTurnsOwn] = 0;
  loop->turnBegan_ = now;
  loop->idleThen_ = idle;
}

void EventLoop::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  const auto self = shared_from_this();
  while (!polls_.empty()) (*polls_.begin())->watch->close();
  uv_async_t* async = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    async = std::exchange(async_, nullptr);
  }
  // The handles hold on to this from now on: whoever else did may be gone before libuv is done.
  async->data = new std::shared_ptr<EventLoop>(self);
  prepare_->data = new std::shared_ptr<EventLoop>(self);
  uv_prepare_stop(prepare_);
  const auto letGo = [](uv_handle_t* handle) {
    std::unique_ptr<std::shared_ptr<EventLoop>> held(
        static_cast<std::shared_ptr<EventLoop>*>(handle->data));
    if (handle->type == UV_ASYNC) {
      delete reinterpret_cast<uv_async_t*>(handle);
    } else {
      delete reinterpret_cast<uv_prepare_t*>(handle);
    }
    (*held)->released();
  };
  uv_close(base(async), letGo);
  uv_close(base(std::exchange(prepare_, nullptr)), letGo);
}

void EventLoop::released() {
  if (--handles_ == 0 && closed_) std::exchange(closed_, nullptr)();
}

}  // namespace zt
