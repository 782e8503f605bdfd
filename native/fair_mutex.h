// A std::mutex to which a long-running loop can be polite.
//
//  1. lock()/unlock() are for everybody; a thread announces itself before it blocks.
//  2. lockPolitely() is for loops that lock again and again: it lets announced threads go first, so
//  that a
//     sender is not starved by a receive loop on the same socket.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace zt {

class FairMutex {
 public:
  void lock() {
    if (mutex_.try_lock()) return;
    waiting_.fetch_add(1, std::memory_order_relaxed);  // pairs with the load in lockPolitely()
    mutex_.lock();
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

  void lockPolitely() {
    // Only a hint, so relaxed is enough; bounded, so that a stream of senders cannot stop the loop.
    for (int i = 0; i < 16 && waiting_.load(std::memory_order_relaxed) > 0; ++i)
      std::this_thread::yield();
    lock();
  }

 private:
  std::mutex mutex_;
  std::atomic<int> waiting_{0};
};

using Guard = std::lock_guard<FairMutex>;

class PoliteGuard {
 public:
  explicit PoliteGuard(FairMutex& mutex) : mutex_(mutex) { mutex_.lockPolitely(); }
  ~PoliteGuard() { mutex_.unlock(); }
  PoliteGuard(const PoliteGuard&) = delete;
  PoliteGuard& operator=(const PoliteGuard&) = delete;

 private:
  FairMutex& mutex_;
};

}  // namespace zt
