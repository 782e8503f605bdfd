// The end of a socket: its linger, and what it still has to send.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "attachment.h"
#include "listeners.h"
#include "socket.h"

namespace zt {

namespace {

// A lone value that only ever grows: relaxed.
std::atomic<int64_t> latestDeadline{0};

}  // namespace

int64_t nowMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

int64_t latestLingerDeadline() {
  return latestDeadline.load(std::memory_order_relaxed);
}

void Socket::capLinger(long capMs) {
  if (capMs == kNoCap) return;
  const int64_t deadline = nowMs() + capMs;
  int64_t current = lingerDeadline_.load(std::memory_order_relaxed);
  while (deadline < current &&
         !lingerDeadline_.compare_exchange_weak(current, deadline, std::memory_order_relaxed)) {
  }
}

bool Socket::close(long linger, long capMs, bool capOnlyInfinite) {
  void* handle;
  std::deque<Parked> outbox;
  std::shared_ptr<Socket> watched;
  {
    Guard guard(mutex);
    watched = watched_.lock();
    watched_.reset();
  }
  if (watched) watched->stopMonitor();
  {
    Guard guard(mutex);
    if (handle_ == nullptr) {
      const bool endless = lingerDeadline_.load(std::memory_order_relaxed) == kNoDeadline;
      if (endless || !capOnlyInfinite) capLinger(capMs);
      return false;
    }
    stopMonitorLocked();
    handle = handle_;
    handle_ = nullptr;
    refusal_ = ENOTSOCK;
    state_ = context->closed() ? kStateTerminated : kStateClosed;
    context->closingBegins();
    // What senders still wait for is theirs again: their calls are rejected. What was accepted goes
    // out.
    for (auto& entry : outbox_) {
      if (entry.token == 0 || entry.next > 0) outbox.push_back(std::move(entry));
    }
    outbox_.clear();
    fireAllLocked();
    descriptor_.reset();
    noteStoppedListening(listening_);
  }
  int effective = -1;
  size_t size = sizeof effective;
  zmq_getsockopt(handle, ZMQ_LINGER, &effective, &size);
  if (linger != kLingerUnchanged) effective = static_cast<int>(linger);
  if (effective != 0 && (hasSent_ || !outbox.empty())) {
    context->lingersUntil(effective < 0 ? kNoDeadline : nowMs() + effective);
  }
  if (effective >= 0) {
    capLinger(effective);
    int64_t latest = latestDeadline.load(std::memory_order_relaxed);
    const int64_t mine = nowMs() + effective;
    while (mine > latest &&
           !latestDeadline.compare_exchange_weak(latest, mine, std::memory_order_relaxed)) {
    }
  }
  if (effective < 0 || !capOnlyInfinite) capLinger(capMs);
  if (effective != 0 && (pins->load() > 0 || !outbox.empty())) {
    startClosing(handle, std::move(outbox));
    return true;
  }
  const int64_t deadline = lingerDeadline_.load(std::memory_order_relaxed);
  const int remaining =
      deadline == kNoDeadline ? -1 : static_cast<int>(std::max<int64_t>(0, deadline - nowMs()));
  zmq_setsockopt(handle, ZMQ_LINGER, &remaining, sizeof remaining);
  zmq_close(handle);
  context->closingEnds();
  return true;
}

void Socket::shutDown(int lingerMs) {
  Guard guard(mutex);
  if (handle_ == nullptr) return;
  refusal_ = ETERM;
  int linger = 0;
  size_t size = sizeof linger;
  if (zmq_getsockopt(handle_, ZMQ_LINGER, &linger, &size) == 0 && linger < 0) {
    zmq_setsockopt(handle_, ZMQ_LINGER, &lingerMs, sizeof lingerMs);
  }
}

void Socket::abandon() {
  lingerDeadline_.store(0, std::memory_order_relaxed);
}

void Socket::startClosing(void* handle, std::deque<Parked>&& outbox) {
  auto rest = std::make_shared<std::deque<Parked>>(std::move(outbox));
  try {
    std::thread([self = shared_from_this(), handle, rest] {
      self->drainThenClose(handle, *rest);
    }).detach();
  } catch (const std::system_error&) {
    drainThenClose(handle, *rest);  // no thread to be had: the caller waits
  }
}

void Socket::drainThenClose(void* handle, std::deque<Parked>& outbox) {
  const auto expired = [this] {
    return nowMs() >= lingerDeadline_.load(std::memory_order_relaxed);
  };
  const int slice = 20;
  zmq_setsockopt(handle, ZMQ_SNDTIMEO, &slice, sizeof slice);
  bool alive = true;
  while (alive && !outbox.empty() && !expired()) {
    Parked& front = outbox.front();
    while (alive && front.next < front.frames.size() && !expired()) {
      const int flags = front.next + 1 < front.frames.size() || front.more ? ZMQ_SNDMORE : 0;
      if (zmq_msg_send(front.frames[front.next].raw(), handle, flags) >= 0) {
        ++front.next;
      } else {
        alive = zmq_errno() == EAGAIN || zmq_errno() == EINTR;
      }
    }
    if (front.next == front.frames.size()) outbox.pop_front();
  }
  outbox.clear();
  for (int pause = 2; alive && pins->load() > 0 && !expired(); pause = std::min(2 * pause, 50)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    int events;
    size_t size = sizeof events;
    alive = zmq_getsockopt(handle, ZMQ_EVENTS, &events, &size) == 0;
  }
  const int64_t deadline = lingerDeadline_.load(std::memory_order_relaxed);
  const int remaining =
      deadline == kNoDeadline ? -1 : static_cast<int>(std::max<int64_t>(0, deadline - nowMs()));
  zmq_setsockopt(handle, ZMQ_LINGER, &remaining, sizeof remaining);
  zmq_close(handle);
  context->closingEnds();
}

}  // namespace zt
