// One zmq_msg_t with value semantics: moves, never copies, closes itself.
#pragma once

#include <zmq.h>

#include <cstring>
#include <new>

#include "allocator.h"
#include "sanitizer.h"

namespace zt {

class Frame {
 public:
  Frame() { zmq_msg_init(&message_); }
  Frame(const void* data, size_t size) {
    if (size >= kLargeBytes) keepFreedMemory();
    if (zmq_msg_init_size(&message_, size) != 0) throw std::bad_alloc();
    if (size > 0) std::memcpy(zmq_msg_data(&message_), data, size);
    ZT_HANDED_TO_LIBZMQ(zmq_msg_data(&message_));  // over inproc the peer reads this very memory
  }
  // Borrows `data`; `release(data, hint)` is called by libzmq, on any thread, when it is done with
  // it.
  Frame(void* data, size_t size, zmq_free_fn* release, void* hint) {
    if (zmq_msg_init_data(&message_, data, size, release, hint) != 0) throw std::bad_alloc();
  }
  Frame(Frame&& other) noexcept {
    zmq_msg_init(&message_);
    zmq_msg_move(&message_, &other.message_);
  }
  Frame& operator=(Frame&& other) noexcept {
    if (this != &other) zmq_msg_move(&message_, &other.message_);
    return *this;
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame() { zmq_msg_close(&message_); }

  zmq_msg_t* raw() { return &message_; }
  const void* data() { return zmq_msg_data(&message_); }
  size_t size() const { return zmq_msg_size(&message_); }

 private:
  zmq_msg_t message_;
};

}  // namespace zt
