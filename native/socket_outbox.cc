// The outbox of a socket: messages that found no room. First those that were accepted, which nobody
// waits for, then those that are parked, whose senders wait.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "attachment.h"
#include "socket.h"
#include "waits.h"

namespace zt {

namespace {
constexpr int kPauseMs = 20;  // between two looks, where nothing tells of room
}

bool Socket::pollOutTellsLocked() const {
  switch (type) {
    case ZMQ_REQ:
    case ZMQ_REP:
    case kClientSocket:
    case kScatterSocket:
    case kDatagramSocket:
    case kChannelSocket:
    case ZMQ_PUSH:
    case ZMQ_DEALER:
    case ZMQ_PAIR:
      return true;
    default:
      return false;
  }
}

int Socket::readinessLocked(int& error) {
  const int events = eventsLocked(error);
  if (events < 0) return events;
  return outbox_.empty() ? events : events & ~ZMQ_POLLOUT;
}

void Socket::forgetParkedLocked(const Attachment* sender) {
  // What was accepted has no sender.
  const auto isIts = [sender](const Parked& entry) { return entry.sender.lock().get() == sender; };
  const bool first = !outbox_.empty() && isIts(outbox_.front());
  outbox_.erase(std::remove_if(outbox_.begin(), outbox_.end(), isIts), outbox_.end());
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
  for (const auto& watch : watches_) {
    if (!watch->behindOutbox) continue;
    watch->behindOutbox = false;
    watch->fire();
  }
}

void Socket::drainInBackgroundLocked() {
  try {
    std::thread([self = shared_from_this()] {
      bool done = false;
      const auto drain = [&](Look look) {
        return self->closedLocked() || self->flushAllLocked(look);
      };
      while (!done) {
        try {
          done = waitOnSocket(*self, ZMQ_POLLOUT, kWaitSliceMs, drain);
        } catch (const std::system_error&) {  // no descriptor to be had: looks now and then
          std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMs));
          Guard guard(self->mutex);
          done = drain(Look::kForRoom);
          self->settleLocked();
        }
      }
    }).detach();
  } catch (const std::system_error&) {
    // No thread to be had. What finds no room now stays in front of what others send: it leaves by
    // a loop that serves the socket for them, with what is sent next, or by close().
    if (!flushAllLocked(Look::kForRoom)) fireAllLocked();
  }
}

// True if nothing is left.
bool Socket::flushAllLocked(Look look) {
  while (flushOutboxLocked(kBurst, look) == 0 && !outboxEmptyLocked()) {
  }
  return outboxEmptyLocked();
}

void Socket::parkLocked(Parked&& parked) {
  outbox_.push_back(std::move(parked));
}

void Socket::expectLocked(std::shared_ptr<Acceptance> acceptance) {
  outbox_.back().acceptance = std::move(acceptance);
}

void Socket::acceptLocked(Parked&& message) {
  // Nothing that is parked is half sent: see claimLocked().
  const auto parked = std::find_if(outbox_.begin(), outbox_.end(),
                                   [](const Parked& entry) { return entry.token != 0; });
  outbox_.insert(parked, std::move(message));
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
    if (error == 0 && front.acceptance) front.acceptance->accept();
    if (auto sender = front.sender.lock()) sender->completeLocked(front.token, error);
    outbox_.pop_front();
  }
  if (outbox_.empty()) outboxEmptiedLocked();
  return result;
}

}  // namespace zt
