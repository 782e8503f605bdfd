// Sending, for an attachment: straight into libzmq, or parked in the socket's outbox until there is
// room.
#include <cerrno>
#include <utility>

#include "attachment.h"
#include "waits.h"

namespace zt {

int Attachment::queueLocked(Frame* frames, size_t count, size_t next, bool more, bool mayPark) {
  Socket& socket = *socket_;
  if (!mayPark && next == 0) return -EAGAIN;
  Parked parked;
  parked.frames.reserve(count);
  for (size_t i = 0; i < count; ++i) parked.frames.push_back(std::move(frames[i]));
  parked.next = next;
  parked.more = more;
  const int result = static_cast<int>(nextSendToken_);
  nextSendToken_ = nextSendToken_ == INT32_MAX ? uint32_t{kSendFirstToken} : nextSendToken_ + 1;
  parked.token = static_cast<uint32_t>(result);
  parked.sender = std::static_pointer_cast<Attachment>(shared_from_this());
  socket.parkLocked(std::move(parked));
  if (!sendsItself_ && (!armed || (mask & ZMQ_POLLOUT) == 0)) fire();
  return result;
}

int Attachment::send(Frame* frames, size_t count, bool more, bool mayPark) {
  Guard guard(socket_->mutex);
  return sendLocked(frames, count, more, mayPark);
}

int Attachment::sendTelling(Frame* frames, size_t count, std::shared_ptr<Acceptance> acceptance) {
  Guard guard(socket_->mutex);
  const int result = sendLocked(frames, count, false, true);
  if (result >= kSendFirstToken) {
    socket_->expectLocked(std::move(acceptance));
  } else if (result >= 0) {
    acceptance->accept();
  }
  return result;
}

int Attachment::sendLocked(Frame* frames, size_t count, bool more, bool mayPark) {
  Socket& socket = *socket_;
  if (socket.refusalLocked() != 0) return -socket.refusalLocked();
  if (socket.claimedLocked()) return -EBUSY;
  size_t next = 0;
  if (socket.outboxEmptyLocked()) {
    const int error = socket.sendLocked(frames, count, next, more);
    if (error == 0) {
      if (!socket.othersArmedLocked(nullptr)) return kSendDone;
      socket.touched.store(true, std::memory_order_relaxed);
      return kSendSettle;
    }
    socket.settleLocked();  // it looked for room, and may have swallowed an edge
    if (error != EAGAIN) return -error;
  }
  return queueLocked(frames, count, next, more, mayPark);
}

bool Attachment::waitSent(uint32_t sendToken, long milliseconds, int& error) {
  const bool sent = waitOnSocket(*socket_, ZMQ_POLLOUT, milliseconds, [&](Socket::Look look) {
    blocked_ = nullptr;  // what is completed here is seen below
    if (socket_->closedLocked()) {
      error = ENOTSOCK;
      return true;
    }
    while (socket_->flushOutboxLocked(kBurst, look) == 0 && !socket_->outboxEmptyLocked()) {
    }
    for (auto entry = completions_.begin(); entry != completions_.end(); ++entry) {
      if (entry->token != sendToken) continue;
      error = entry->error;
      completions_.erase(entry);
      return true;
    }
    blocked_ = &threadWake();
    return false;
  });
  if (sent) return true;
  Guard guard(socket_->mutex);
  blocked_ = nullptr;
  return false;
}

int Attachment::sendOrWatch(const std::shared_ptr<EventLoop>& eventLoop) {
  Guard guard(socket_->mutex);
  if (roomWatch_) roomWatch_->armed = false;
  ++looks_;
  if (socket_->closedLocked()) return -ENOTSOCK;
  serving_ = true;  // the caller looks for the outcomes
  ParkedCode parked = kParkedNone;
  while (!socket_->outboxEmptyLocked()) {
    if (socket_->flushOutboxLocked(kBurst) != EAGAIN) continue;
    // A send that found no room has processed libzmq's commands: room that comes now signals.
    sendsItself_ = socket_->pollOutTellsLocked() && watchLocked(roomWatch_, eventLoop, ZMQ_POLLOUT);
    parked = sendsItself_ ? kParkedWatched : kParkedUnwatched;
    break;
  }
  serving_ = false;
  socket_->settleLocked(roomWatch_.get());
  return parked;
}

void Attachment::sendBy(const std::shared_ptr<Loop>& loop) {
  {
    Guard guard(socket_->mutex);
    sendsItself_ = false;
    if (roomWatch_) roomWatch_->armed = false;
  }
  enqueueOn(loop);
}

bool Attachment::cancelSend(uint32_t sendToken) {
  Guard guard(socket_->mutex);
  return socket_->unparkLocked(this, sendToken);
}

void Attachment::completeLocked(uint32_t sendToken, int error) {
  completions_.push_back({sendToken, error});
  if (!detached_)
    inbox_.control(kCtlOutcomes).store(1, std::memory_order_release);  // pairs with Atomics.load
  if (!serving_) tellLocked();
  // Whoever sent it may have used up the room that would have woken the sender.
  if (blocked_ != nullptr) blocked_->poke();
}

// The owner is to look for outcomes.
void Attachment::tellLocked() {
  if (sendsItself_) {
    roomWatch_->armed = false;
    roomWatch_->fire();
  } else {
    fire();
  }
}

std::vector<Completion> Attachment::takeCompletions() {
  Guard guard(socket_->mutex);
  if (!detached_) inbox_.control(kCtlOutcomes).store(0, std::memory_order_relaxed);
  return std::exchange(completions_, {});
}

}  // namespace zt
