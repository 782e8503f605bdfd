// The doorbell of one JavaScript thread, and its list of who is ready (words drawn in layout.h).
//
//  1. ring() is called by I/O loops only: their JavaScript notifies afterwards.
//  2. drain() is called by the owning JavaScript thread; detach() before its memory goes.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "layout.h"

namespace zt {

class Bell {
 public:
  explicit Bell(uint32_t* words) : words_(reinterpret_cast<std::atomic<uint32_t>*>(words)) {}

  // Adds to the ready list. True if the owner sleeps, so that the caller must have it notified.
  bool ring(uint32_t token) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (words_ == nullptr) return false;
    ready_.push_back(token);
    // Store-flag, re-check: the owner sets kBellSleeping and reads kBellReady, we do the reverse.
    words_[kBellReady].store(1, std::memory_order_seq_cst);
    if (words_[kBellSleeping].exchange(0, std::memory_order_seq_cst) == 0) return false;
    words_[kBellSequence].fetch_add(
        1, std::memory_order_seq_cst);  // pairs with the value waitAsync compares
    return true;
  }

  // Moves up to `most` tokens out; returns how many. kBellReady stays 1 if some are left.
  size_t drain(uint32_t* tokens, size_t most) {
    std::lock_guard<std::mutex> lock(mutex_);
    const size_t count = ready_.size() < most ? ready_.size() : most;
    for (size_t i = 0; i < count; ++i) tokens[i] = ready_[i];
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
    if (ready_.empty() && words_ != nullptr) words_[kBellReady].store(0, std::memory_order_seq_cst);
    return count;
  }

  void detach() {
    std::lock_guard<std::mutex> lock(mutex_);
    words_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::atomic<uint32_t>* words_;
  std::vector<uint32_t> ready_;
};

}  // namespace zt
