// The I/O loop: serves many watches on one I/O worker thread, blocking in zmq_poll while there is
// nothing to do.
//
//  1. run() belongs to the I/O worker's thread. enqueue(), post(), stop() and interrupt() are for
//  any thread.
//  2. `mutex_` guards what other threads hand in; it is never held while a socket is locked by this
//  class, but
//     may be taken while the caller holds a socket's mutex.
//  3. run() returns to JavaScript to have somebody notified, to get memory, and every kWaitSliceMs
//  at least.
#pragma once

#include <zmq.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "bell.h"
#include "layout.h"
#include "wake.h"
#include "watch.h"

namespace zt {

class Loop : public std::enable_shared_from_this<Loop> {
 public:
  static std::shared_ptr<Loop> create(std::shared_ptr<Bell> bell);
  static std::shared_ptr<Loop> find(uint32_t id);
  static void interruptAll();
  static void stopAll();
  ~Loop();

  const uint32_t id;
  LoopCode run();
  void enqueue(std::shared_ptr<LoopWatch> watch);
  void lookAfter(const std::shared_ptr<LoopWatch>& watch);  // see LoopWatch::lookAfter()
  void tick(const std::shared_ptr<LoopWatch>& watch);       // see LoopWatch::tick()
  void post(uint32_t token);  // puts a token on the owner's ready list, from the loop's thread
  void stop();
  void interrupt();  // makes run() return soon

  // For watches, within service():
  void ring(uint32_t token) { mustNotify_ = bell_->ring(token) || mustNotify_; }
  void wakeLane(uint32_t laneId) { laneWakes_.push_back(laneId); }
  size_t neededBytes = 0;

  // After kLoopNotify: whether the doorbell is to be notified, and which lanes.
  size_t takeWakes(bool& bell, uint32_t* lanes, size_t most);

  // The watch that run() wants a chunk for, after kLoopNeedChunk.
  LoopWatch* needy() const { return needy_.get(); }
  std::shared_ptr<LoopWatch> takeNeedy() { return std::move(needy_); }

 private:
  using Clock = std::chrono::steady_clock;
  Loop(uint32_t id, std::shared_ptr<Bell> bell);
  static std::vector<std::shared_ptr<Loop>> all();
  bool collect();  // false: stop
  bool block(Clock::time_point until);
  void serve(std::shared_ptr<LoopWatch> watch);
  void setPolled(const std::shared_ptr<LoopWatch>& watch, bool polled);
  void recheckTouched();
  void recheckLookedAfter();
  void tickAll();

  const std::shared_ptr<Bell> bell_;
  WakeDescriptor wake_;

  std::mutex mutex_;  // guards these
  std::vector<std::shared_ptr<LoopWatch>> incoming_;
  std::vector<uint32_t> tokens_;
  std::vector<std::weak_ptr<LoopWatch>> lookedAfter_;
  std::vector<std::shared_ptr<LoopWatch>> toTick_;
  bool sleeping_ = false;
  bool stopped_ = false;
  bool interrupted_ = false;

  // The loop's thread only:
  std::vector<std::shared_ptr<LoopWatch>> ready_;
  std::vector<std::shared_ptr<LoopWatch>> round_;
  std::vector<zmq_pollitem_t> items_;               // [0] is the wake descriptor
  std::vector<std::shared_ptr<LoopWatch>> polled_;  // polled_[i] is behind items_[i]
  std::shared_ptr<LoopWatch> needy_;
  bool mustNotify_ = false;
  std::vector<uint32_t> laneWakes_;
  Clock::time_point recheckAt_{};
  std::vector<std::shared_ptr<LoopWatch>> ticked_;
  Clock::time_point tickAt_{};  // while there are any
};

}  // namespace zt
