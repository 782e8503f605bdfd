#include "proxy_way.h"

#include <cerrno>
#include <utility>

namespace zt {

void Hand::add(Frame&& frame) {
  frames_.push_back(std::move(frame));
}

void Hand::endMessage() {
  size_t bytes = 0;
  for (size_t i = first_; i < frames_.size(); ++i) bytes += frames_[i].size();
  messages_.push_back({first_, frames_.size() - first_, bytes});
  bytes_ += bytes;
}

void Hand::dropMessage() {
  frames_.erase(frames_.begin() + static_cast<std::ptrdiff_t>(first_), frames_.end());
}

void Hand::copyNewestTo(Hand& other) {
  const Extent& message = messages_.back();
  other.beginMessage();
  for (size_t i = 0; i < message.count; ++i) {
    Frame copy;
    if (zmq_msg_copy(copy.raw(), frames_[message.first + i].raw()) != 0) throw std::bad_alloc();
    other.add(std::move(copy));
  }
  other.endMessage();
}

int Hand::sendLocked(Socket& socket, Tally& sent, uint64_t& undeliverable, Socket::Look look) {
  // Whoever had to wait before us goes first.
  if (!empty() && !socket.outboxEmptyLocked()) {
    const int error = socket.flushOutboxLocked(kBurst, look);
    if (error != 0 || !socket.outboxEmptyLocked()) return EAGAIN;
  }
  while (!empty()) {
    const Extent& message = messages_[next_];
    const int error =
        socket.sendLocked(frames_.data() + message.first, message.count, started_, false, look);
    if (error == EAGAIN || error == EFSM) return EAGAIN;
    if (error == ENOTSOCK || error == ETERM) return error;
    if (error == 0) {
      ++sent.messages;
      sent.bytes += message.bytes;
    } else {
      ++undeliverable;
    }
    bytes_ -= message.bytes;
    started_ = 0;
    ++next_;
  }
  clear();
  return 0;
}

void Hand::leaveToLocked(Socket& socket) {
  for (; !empty(); ++next_) {
    const Extent& message = messages_[next_];
    Parked parked;
    for (size_t i = started_; i < message.count; ++i) {
      parked.frames.push_back(std::move(frames_[message.first + i]));
    }
    started_ = 0;
    socket.acceptLocked(std::move(parked));
  }
  clear();
}

void Hand::clear() {
  frames_.clear();
  messages_.clear();
  next_ = started_ = first_ = bytes_ = 0;
}

void Way::preload(std::vector<Frame>&& message, Hand* capture) {
  hand.beginMessage();
  for (Frame& frame : message) hand.add(std::move(frame));
  noteTaken(capture);
}

void Way::noteTaken(Hand* capture) {
  hand.endMessage();
  ++taken.messages;
  taken.bytes += hand.newestBytes();
  if (capture != nullptr) hand.copyNewestTo(*capture);
}

int reasonLocked(const Socket& socket, int error) {
  return error == ENOTSOCK && socket.stateLocked() == kStateTerminated ? ETERM : error;
}

bool Way::end(Socket& socket, int reason) {
  need = Need::kEnd;
  error = reasonLocked(socket, reason);
  gone = &socket;
  return false;
}

bool Way::giveLocked(Socket::Look look) {
  const uint64_t before = given.messages + undeliverable;
  const int result = to.closedLocked() ? ENOTSOCK : hand.sendLocked(to, given, undeliverable, look);
  const bool moved = given.messages + undeliverable != before;
  if (result == ENOTSOCK || result == ETERM) return end(to, result);
  if (result == EAGAIN) {
    need = Need::kRoom;
    return moved;
  }
  need = Need::kNothing;
  // Taking a message that could not go on would only hide it from whom it could be for later.
  if (to.pollOutTellsLocked()) {
    int reason = 0;
    const int events = to.eventsLocked(reason);
    if (events < 0) return end(to, reason);
    if ((events & ZMQ_POLLOUT) == 0) need = Need::kRoom;
  }
  return moved;
}

bool Way::take(Hand* capture) {
  bool moved = false;
  PoliteGuard guard(from.mutex);
  while (!hand.full()) {
    Frame frame;
    int result = from.receiveLocked(frame.raw());
    if (result == ENOTSOCK || result == ETERM) return end(from, result);
    if (result != 0) {  // nothing there; EFSM: it is not this socket's turn to receive
      need = Need::kInput;
      break;
    }
    hand.beginMessage();
    bool more = true;
    while (more) {
      more = from.moreLocked(frame.raw());
      hand.add(std::move(frame));
      if (!more) break;
      frame = Frame();
      // The frames of a message arrive together. Should it fail, the peer never finished it.
      result = from.receiveLocked(frame.raw());
      if (result != 0) break;
    }
    if (result != 0) {
      hand.dropMessage();
      need = Need::kInput;
      break;
    }
    noteTaken(capture);
    moved = true;
  }
  from.settleLocked();
  return moved;
}

bool Way::step(Hand* capture) {
  bool moved;
  {
    PoliteGuard guard(to.mutex);
    moved = giveLocked();
    to.settleLocked();
  }
  if (need != Need::kNothing) return moved;
  if (capture != nullptr && !capture->empty()) {
    need = Need::kCaptureRoom;
    return moved;
  }
  return take(capture) || moved;
}

}  // namespace zt
