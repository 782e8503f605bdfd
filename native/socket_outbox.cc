// The outbox of a socket: messages that found no room. First those that overflowed, which were
// accepted and which nobody waits for, then those that are parked, whose senders wait.
#include <algorithm>
#include <cerrno>
#include <thread>

#include "attachment.h"
#include "socket.h"
#include "waits.h"

namespace zt {

namespace {

constexpr uint32_t kOverflowAfter = 64;  // direct sends that show that somebody receives
// Below this mark nothing overflows: its direct half must be enough to show that.
constexpr int kSmallestOverflowMark = 2 * kOverflowAfter;
constexpr size_t kLargestOverflow = 8192;

bool failsOnlyForLackOfRoom(int type) {
  return type == ZMQ_PUSH || type == ZMQ_DEALER || type == ZMQ_PAIR;
}

}  // namespace

bool Socket::mayOverflowLocked() const {
  if (overflow_ >= overflowCapacity_ || outbox_.size() != overflow_) return false;
  return overflowing_ || directStreak_ >= kOverflowAfter;
}

bool Socket::pollOutTellsLocked() const {
  switch (type) {
    case ZMQ_REQ:
    case ZMQ_REP:
    case kClientSocket:
    case kScatterSocket:
    case kDatagramSocket:
    case kChannelSocket:
      return true;
    default:
      return failsOnlyForLackOfRoom(type);
  }
}

int Socket::readinessLocked(int& error) {
  const int events = eventsLocked(error);
  if (events < 0) return events;
  const bool accepts = mayOverflowLocked() || (outbox_.empty() && (events & ZMQ_POLLOUT) != 0);
  return accepts ? events | ZMQ_POLLOUT : events & ~ZMQ_POLLOUT;
}

void Socket::forgetParkedLocked(const Attachment* sender) {
  bool first = false;
  for (size_t i = outbox_.size(); i > overflow_; --i) {
    if (outbox_[i - 1].sender.lock().get() == sender) {
      outbox_.erase(outbox_.begin() + static_cast<std::ptrdiff_t>(i) - 1);
      first = i == 1;
    }
  }
  if (first) withdrawnLocked();
}

// The message that all others waited behind is gone, unsent, and libzmq announces nothing. The next
// may be for a peer that has room; so may be whatever a poller's watcher wants to send.
void Socket::withdrawnLocked() {
  if (outbox_.empty()) outboxEmptiedLocked();
  for (const auto& watch : watches_) {
    if (!watch->armed || (watch->mask & ZMQ_POLLOUT) == 0) continue;
    watch->armed = false;
    watch->fire();
  }
}

void Socket::outboxEmptiedLocked() {
  overflow_ = 0;
  overflowing_ = false;
  for (const auto& watch : watches_) {
    if (!watch->behindOutbox) continue;
    watch->behindOutbox = false;
    watch->fire();
  }
}

void Socket::drainInBackground() {
  std::thread([self = shared_from_this()] {
    bool done = false;
    while (!done) {
      done = waitOnSocket(*self, ZMQ_POLLOUT, kWaitSliceMs, [&](Look look) {
        if (self->closedLocked()) return true;
        while (self->flushOutboxLocked(kBurst, look) == 0 && !self->outboxEmptyLocked()) {
        }
        return self->outboxEmptyLocked();
      });
    }
  }).detach();
}

void Socket::parkLocked(Parked&& parked) {
  if (outbox_.empty()) directStreak_ = 0;
  outbox_.push_back(std::move(parked));
}

void Socket::overflowLocked(Parked&& message) {
  parkLocked(std::move(message));
  ++overflow_;
  overflowing_ = true;
}

void Socket::acceptLocked(Parked&& message) {
  // Nothing that is parked is half sent: see claimLocked().
  outbox_.insert(outbox_.begin() + static_cast<std::ptrdiff_t>(overflow_), std::move(message));
  ++overflow_;
  overflowing_ = true;
}

bool Socket::unparkLocked(Attachment* sender, uint32_t token) {
  for (auto entry = outbox_.begin(); entry != outbox_.end(); ++entry) {
    if (entry->token != token || entry->sender.lock().get() != sender) continue;
    if (entry->next > 0) return false;  // half of it is on its way
    const bool first = entry == outbox_.begin();
    outbox_.erase(entry);
    if (first) withdrawnLocked();
    return true;
  }
  return false;
}

// The outbox holds first what overflowed (nobody waits for it), then what is parked. Once the
// overflow is half empty, parked messages join it and their senders go on.
void Socket::promoteParkedLocked() {
  if (!overflowing_ || overflow_ > overflowCapacity_ / 2) return;
  while (overflow_ < outbox_.size() && overflow_ < overflowCapacity_) {
    Parked& entry = outbox_[overflow_];
    if (auto sender = entry.sender.lock()) sender->completeLocked(entry.token, 0);
    entry.sender.reset();
    ++overflow_;
  }
}

int Socket::flushOutboxLocked(int most, Look look) {
  int result = 0;
  while (!outbox_.empty()) {
    if (most-- <= 0) break;
    Parked& front = outbox_.front();
    const int error =
        sendLocked(front.frames.data(), front.frames.size(), front.next, front.more, look);
    if (error == EAGAIN) {
      result = EAGAIN;
      break;
    }
    if (overflow_ > 0) {
      --overflow_;
    } else if (auto sender = front.sender.lock()) {
      sender->completeLocked(front.token, error);
    }
    outbox_.pop_front();
  }
  if (outbox_.empty()) {
    outboxEmptiedLocked();
  } else {
    promoteParkedLocked();
  }
  return result;
}

void Socket::setHighWaterMarkLocked(int mark) {
  sendHighWaterMark_ = mark;
  overflowCapacity_ = 0;
  if (failsOnlyForLackOfRoom(type) && mark >= kSmallestOverflowMark) {
    overflowCapacity_ = std::min(static_cast<size_t>(mark) / 2, kLargestOverflow);
  }
  const int direct = mark - static_cast<int>(overflowCapacity_);
  zmq_setsockopt(handle_, ZMQ_SNDHWM, &direct, sizeof direct);
}

}  // namespace zt
