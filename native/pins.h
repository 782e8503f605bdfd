// JavaScript memory that libzmq sends from without a copy.
//
//  1. JavaScript keeps the memory reachable under the pin's id until that id comes out of
//  FreedPins::drain().
//  2. libzmq releases a pin on any thread, also under a socket's mutex; the release pushes onto a
//  lock-free
//     list. drain() is for the owning JavaScript thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "frame.h"
#include "loop.h"
#include "sanitizer.h"
#include "socket.h"

namespace zt {

class FreedPins {
 public:
  struct Pin {
    uint32_t id;
    std::shared_ptr<FreedPins> list;
    std::shared_ptr<std::atomic<int>> ofSocket;
    Pin* next;
  };

  ~FreedPins() {
    for (Pin* pin = head_.load(); pin != nullptr;) {
      Pin* next = pin->next;
      delete pin;
      pin = next;
    }
  }

  static Frame pin(const std::shared_ptr<FreedPins>& list, Socket& socket, void* data, size_t size,
                   uint32_t id) {
    Pin* pin = make(list, socket, id);
    ZT_HANDED_TO_LIBZMQ(pin);
    try {
      return Frame(data, size, &FreedPins::release, pin);
    } catch (const std::bad_alloc&) {
      release(data, pin);
      throw;
    }
  }

  // Releases an id that never got to libzmq.
  static void giveBack(const std::shared_ptr<FreedPins>& list, Socket& socket, uint32_t id) {
    release(nullptr, make(list, socket, id));
  }

  // Ids freed since the last call, in no particular order.
  std::vector<uint32_t> drain() {
    std::vector<uint32_t> ids;
    // acquire pairs with the release push: libzmq's reads are over.
    for (Pin* pin = head_.exchange(nullptr, std::memory_order_acquire); pin != nullptr;) {
      ids.push_back(pin->id);
      Pin* next = pin->next;
      delete pin;
      pin = next;
    }
    return ids;
  }

  // The loop rings `token` at the next release. Set the wish, then drain() once more, then wait.
  void wish(std::shared_ptr<Loop> loop, uint32_t token) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      loop_ = std::move(loop);
      token_ = token;
    }
    wished_.store(true, std::memory_order_seq_cst);  // pairs with the exchange in release()
  }

  std::atomic<int> outstanding{0};  // pins with libzmq; teardown waits for zero

 private:
  static Pin* make(const std::shared_ptr<FreedPins>& list, Socket& socket, uint32_t id) {
    Pin* pin = new Pin{id, list, socket.pins, nullptr};
    list->outstanding.fetch_add(1);
    socket.pins->fetch_add(1);
    return pin;
  }

  static void release(void*, void* hint) {
    ZT_BACK_FROM_LIBZMQ(hint);
    Pin* pin = static_cast<Pin*>(hint);
    const std::shared_ptr<FreedPins> list = std::move(pin->list);
    pin->ofSocket->fetch_sub(1);
    pin->ofSocket.reset();
    Pin* head = list->head_.load(std::memory_order_relaxed);
    do {
      pin->next = head;
    } while (!list->head_.compare_exchange_weak(head, pin, std::memory_order_seq_cst,
                                                std::memory_order_relaxed));
    list->outstanding.fetch_sub(1);
    if (!list->wished_.exchange(false, std::memory_order_seq_cst)) return;
    std::shared_ptr<Loop> loop;
    uint32_t token;
    {
      std::lock_guard<std::mutex> lock(list->mutex_);
      loop = list->loop_;
      token = list->token_;
    }
    if (loop) loop->post(token);
  }

  std::atomic<Pin*> head_{
      nullptr};  // pushed by any thread (release), emptied by the owner (acquire)
  std::atomic<bool> wished_{false};
  std::mutex mutex_;  // guards these
  std::shared_ptr<Loop> loop_;
  uint32_t token_ = 0;
};

}  // namespace zt
