#include "attachment.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "waits.h"

namespace zt {

namespace {
// Their state machines count messages: receiving ahead of the application would move them on by
// themselves.
bool neverAhead(int type) {
  return type == ZMQ_REQ || type == ZMQ_REP;
}

constexpr auto kAtOnce = std::chrono::microseconds(4);  // no wait is shorter
}  // namespace

std::shared_ptr<Attachment> Attachment::create(std::shared_ptr<Socket> socket, uint32_t token,
                                               uint32_t* control, bool owner) {
  std::shared_ptr<Attachment> made(new Attachment(std::move(socket), token, control, owner));
  Guard guard(made->socket_->mutex);
  made->inbox_.setTagged(made->socket_->tagged);
  made->socket_->watchLocked(made);
  return made;
}

Attachment::Attachment(std::shared_ptr<Socket> socket, uint32_t token, uint32_t* control,
                       bool owner)
    : LoopWatch(std::move(socket)), token(token), owner(owner), inbox_(control) {}

LoopWatch::Step Attachment::end(State state, Loop& loop) {
  inbox_.control(kCtlState).store(
      state, std::memory_order_seq_cst);  // pairs with the consumer's Atomics.load
  inbox_.control(kCtlWaiting).store(0, std::memory_order_relaxed);
  loop.ring(token);
  return Step::kGone;
}

LoopWatch::Step Attachment::service(Loop& loop) {
  Socket& socket = *socket_;
  PoliteGuard guard(socket.mutex);
  armed = false;
  if (detached_) return Step::kGone;
  if (socket.closedLocked()) return end(socket.stateLocked(), loop);

  int want = 0;
  bool again = false;
  bool checkEvents = false;
  bool needChunk = false;
  serving_ = true;
  if (active_ && socket.claimedLocked()) {
    // Who waits to receive learns why that is no use.
    if (inbox_.control(kCtlDemand).load(std::memory_order_acquire) > 0) completeLocked(0, EBUSY);
  } else if (active_) {
    inbox_.setAhead(true);
    inbox_.setDemandDriven(neverAhead(socket.type) ||
                           socket.oneByOne.load(std::memory_order_relaxed) ||
                           socket.shared.load(std::memory_order_relaxed));
    uint32_t published = 0;
    const PumpCode code = inbox_.pumpLocked(socket, kBurst, published);
    if (published > 0) socket.fireReadableLocked(this);
    unannounced_ += published;
    // While more is at hand, a wake can wait: it costs as much as hundreds of messages.
    if (unannounced_ > 0 && (code != kPumpBurst || unannounced_ >= kAnnounceAfter)) {
      unannounced_ = 0;
      if (inbox_.control(kCtlWaiting).exchange(0, std::memory_order_seq_cst) != 0) loop.ring(token);
    }
    switch (code) {
      case kPumpBurst:
        again = true;
        break;
      case kPumpEmpty:
        want |= ZMQ_POLLIN;
        break;
      case kPumpLimit:
      case kPumpElsewhere:  // not from this call
        break;
      case kPumpNeedChunk:
        loop.neededBytes = inbox_.neededBytes();
        needChunk = true;
        break;
      case kPumpSatisfied: {
        int error = 0;
        const int events = socket.eventsLocked(error);
        if (events >= 0 && (events & ZMQ_POLLIN) == 0) want |= ZMQ_POLLIN;
        break;
      }
      case kPumpError:
        if (inbox_.error() == ETERM || inbox_.error() == ENOTSOCK) {
          serving_ = false;
          return end(inbox_.error() == ETERM ? kStateTerminated : kStateClosed, loop);
        }
        if (inbox_.error() == EFSM) {
          want |= ZMQ_POLLIN;
          checkEvents = true;
        } else {
          completeLocked(0, inbox_.error());
          again = true;
        }
        break;
    }
  }
  if (!socket.outboxEmptyLocked()) {
    const int error = socket.flushOutboxLocked(kBurst);
    checkEvents = true;
    if (error == EAGAIN) {
      want |= ZMQ_POLLOUT;
    } else if (!socket.outboxEmptyLocked()) {
      again = true;
    }
  }
  serving_ = false;
  if (!completions_.empty()) loop.ring(token);
  if (want != 0 && !again && checkEvents) {
    int error = 0;
    const int events = socket.eventsLocked(error);
    if (events < 0) return end(error == ETERM ? kStateTerminated : kStateClosed, loop);
    // Where POLLOUT says nothing, the descriptor does: room announces itself by a command.
    const int told = socket.pollOutTellsLocked() ? want : want & ~ZMQ_POLLOUT;
    if ((events & told) != 0) again = true;
  }
  mask = want;
  armed = want != 0;
  // The flush has just shown what POLLOUT is worth where it tells nothing.
  const bool full = !socket.outboxEmptyLocked() && !socket.pollOutTellsLocked();
  socket.settleLocked(this, full ? ZMQ_POLLOUT : 0);
  if (full && armed && !again) {
    // The looks since the flush may have processed the very command that announced room. Only a
    // send tells, and no look comes after it.
    if (socket.flushOutboxLocked(1, Socket::Look::kNo) == EAGAIN) {
      socket.touched.store(true, std::memory_order_relaxed);
    } else {
      again = true;
    }
  }
  if (needChunk) return Step::kNeedChunk;
  if (again) return Step::kAgain;
  return armed ? Step::kArmed : Step::kIdle;
}

PumpCode Attachment::pumpLocked(int most, uint32_t& published, int& error, size_t& neededBytes) {
  if (socket_->claimedLocked()) {
    published = 0;
    error = EBUSY;
    return kPumpError;
  }
  inbox_.setAhead(false);
  inbox_.setDemandDriven(false);
  const PumpCode code = inbox_.pumpLocked(*socket_, most, published);
  error = inbox_.error();
  neededBytes = inbox_.neededBytes();
  return code;
}

PumpCode Attachment::pump(int most, uint32_t& published, int& error, size_t& neededBytes) {
  Guard guard(socket_->mutex);
  const PumpCode code = pumpLocked(most, published, error, neededBytes);
  socket_->settleLocked();
  return code;
}

bool Attachment::waitBriefly(int most, PumpCode& code, uint32_t& published, int& error,
                             size_t& neededBytes) {
  using Clock = std::chrono::steady_clock;
  Guard guard(socket_->mutex);
  if (active_ || !inbox_.emptyLocked() || !socket_->mayWaitBrieflyLocked()) return false;
  const auto begun = Clock::now();
  inbox_.setBriefly(true);
  code = pumpLocked(1, published, error, neededBytes);
  inbox_.setBriefly(false);
  if (published == 0) return code == kPumpError || code == kPumpNeedChunk;
  // What came without a wait may be the first of many.
  if (Clock::now() - begun < kAtOnce) {
    uint32_t others = 0;
    pumpLocked(most - 1, others, error, neededBytes);
    published += others;
  }
  return true;
}

PumpCode Attachment::waitReceive(int most, long milliseconds, uint32_t& published, int& error,
                                 size_t& neededBytes) {
  PumpCode code = kPumpEmpty;
  if (milliseconds >= kBriefWaitMs) {
    if (waitBriefly(most, code, published, error, neededBytes)) return code;
    milliseconds -= kBriefWaitMs;
  }
  waitOnSocket(*socket_, ZMQ_POLLIN, milliseconds, [&](Socket::Look) {
    if (!inbox_.emptyLocked()) {  // the loop was faster
      published = 1;
      return true;
    }
    code = pumpLocked(most, published, error, neededBytes);
    most =
        1;  // who had to wait for one message had better not look for more before handing it over
    return published > 0 || code == kPumpError || code == kPumpNeedChunk;
  });
  return code;
}

bool Attachment::watchLocked(std::shared_ptr<EventLoopWatch>& watch,
                             const std::shared_ptr<EventLoop>& eventLoop, int events) {
  if (detached_ || !eventLoop) return false;
  if (!watch) {
    watch = std::make_shared<EventLoopWatch>(socket_, eventLoop, token);
    watch->mask = events;
    socket_->watchLocked(watch);
  }
  if (socket_->closedLocked() || !watch->startLocked()) return false;
  watch->armed = true;
  return true;
}

PumpCode Attachment::pumpOrWatch(const std::shared_ptr<EventLoop>& eventLoop, int most, bool waits,
                                 uint32_t& published, int& error, size_t& neededBytes) {
  Guard guard(socket_->mutex);
  published = 0;
  ++looks_;
  if (ownWatch_) ownWatch_->armed = false;
  if (active_) return kPumpElsewhere;
  PumpCode code = pumpLocked(most, published, error, neededBytes);
  // A REQ or REP socket that must send first: a message may come once it has.
  const bool mustSend = waits && code == kPumpError && error == EFSM;
  if (mustSend || code == kPumpEmpty) {
    // A receive that found nothing has processed libzmq's commands: what comes now signals.
    const bool watches = published > 0 || watchLocked(ownWatch_, eventLoop, ZMQ_POLLIN);
    code = watches ? kPumpEmpty : kPumpElsewhere;
  }
  socket_->settleLocked(ownWatch_.get());
  return code;
}

void Attachment::standBy(const std::shared_ptr<Loop>& loop) {
  Guard guard(socket_->mutex);
  if (detached_ || active_ || standBy_) return;
  standBy_ = true;
  assignLocked(loop);
  if (std::exchange(lookedAfter_, true)) return;
  loop->lookAfter(shared_from_this());
}

bool Attachment::lookAfter() {
  Guard guard(socket_->mutex);
  if (!standBy_ || detached_ || socket_->closedLocked()) {
    standBy_ = lookedAfter_ = false;
    return false;
  }
  // Whom it was told that there is something, and who has not come since, is busy.
  const bool came = looks_ != looksThen_;
  const bool receivesLate = ownWatch_ && !ownWatch_->armed && !came;
  const bool sendsLate =
      sendsItself_ && !roomWatch_->armed && !socket_->outboxEmptyLocked() && !came;
  looksThen_ = looks_;
  // Fires what there is something for that its event loop has not come to.
  socket_->settleLocked();
  if (sendsItself_ && (receivesLate || sendsLate)) {
    sendsItself_ = false;
    roomWatch_->armed = false;
    fire();
  }
  if (receivesLate) {
    // The owner does not know that its messages are received for it, and may have a poller wait.
    inbox_.control(kCtlWaiting).store(1, std::memory_order_seq_cst);
    setActiveLocked(true);
    lookedAfter_ = false;
    fire();
    return false;
  }
  return true;
}

void Attachment::setActiveLocked(bool active) {
  active_ = active;
  standBy_ = false;
  if (ownWatch_) ownWatch_->armed = false;
}

void Attachment::setActive(bool active, const std::shared_ptr<Loop>& loop) {
  {
    Guard guard(socket_->mutex);
    setActiveLocked(active);
    // What came since the owner looked, and what its watch would have told it, is for others now.
    if (!active) socket_->settleLocked();
  }
  if (loop) enqueueOn(loop);
}

std::vector<Frame> Attachment::takeStashedLocked() {
  return inbox_.takeStashedLocked();
}

void Attachment::kick() {
  Guard guard(socket_->mutex);
  fire();
}

void Attachment::ensureWatched() {
  Guard guard(socket_->mutex);
  if (!armed || (mask & ZMQ_POLLIN) == 0) fire();
}

void Attachment::addChunk(std::shared_ptr<Chunk> chunk) {
  Guard guard(socket_->mutex);
  if (!detached_) inbox_.addChunkLocked(std::move(chunk));
}

bool Attachment::announce(const std::shared_ptr<Chunk>& chunk) {
  Guard guard(socket_->mutex);
  if (detached_) return false;
  handedOver_.emplace(chunk->id, chunk);
  announced_ = chunk;
  return true;
}

void Attachment::fillAnnounced() {
  Guard guard(socket_->mutex);
  if (detached_) return;
  inbox_.addChunkLocked(std::move(announced_));
  fire();
}

std::shared_ptr<Chunk> Attachment::adopt(uint32_t chunkId) {
  Guard guard(socket_->mutex);
  auto found = handedOver_.find(chunkId);
  if (found == handedOver_.end()) return nullptr;
  auto chunk = std::move(found->second);
  handedOver_.erase(found);
  return chunk;
}

void Attachment::failChunk() {
  Guard guard(socket_->mutex);
  active_ = false;
  completeLocked(0, ENOMEM);
}

bool Attachment::recycle(const std::shared_ptr<Chunk>& chunk) {
  Guard guard(socket_->mutex);
  return !detached_ && inbox_.recycleLocked(chunk);
}

void Attachment::setLimits(uint32_t bytes, uint32_t messages) {
  Guard guard(socket_->mutex);
  inbox_.setLimits(bytes, messages);
}

void Attachment::settle() {
  Guard guard(socket_->mutex);
  socket_->settleLocked();
}

void Attachment::detach() {
  Guard guard(socket_->mutex);
  if (detached_) return;
  detached_ = true;
  active_ = false;
  socket_->unwatchLocked(this);
  if (ownWatch_) {
    socket_->unwatchLocked(ownWatch_.get());
    ownWatch_->close();
  }
  if (roomWatch_) {
    socket_->unwatchLocked(roomWatch_.get());
    roomWatch_->close();
  }
  socket_->forgetParkedLocked(this);
  // What was accepted goes out, also if our loop was the one that sent it.
  if (!socket_->closedLocked() && !socket_->outboxEmptyLocked()) socket_->drainInBackgroundLocked();
  handedOver_.clear();
  announced_.reset();
  leaveLoopLocked();
  // What our loop was fired for, and may not have come to any more, is for the others.
  socket_->settleLocked();
}

}  // namespace zt
