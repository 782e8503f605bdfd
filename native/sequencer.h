// Puts results back into the order of what they came from: whoever is done with a message hands its
// outputs in, and they come out by the messages' tickets.
//
//  1. For any thread; `mutex_` guards everything.
//  2. Outputs leave one after another through one thread at a time, the emitter: whoever put, or
//  takes over, when the next in order is here. The emitter looks at the front, sends it, and
//  confirms; it is the emitter until front() finds nothing.
//  3. A ticket is put once; what comes again is ignored.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace zt {

// One message on its way out.
struct Output {
  uint32_t sink = 0;
  std::vector<std::vector<uint8_t>> frames;
};

class Sequencer {
 public:
  static std::shared_ptr<Sequencer> create();
  static std::shared_ptr<Sequencer> find(uint32_t id);
  explicit Sequencer(uint32_t id) : id(id) {}
  ~Sequencer();

  const uint32_t id;

  // Whether the caller is the emitter from now on. `emitter` is any number but 0.
  bool put(uint32_t ticket, std::vector<Output>&& outputs, uint32_t emitter);
  // As put() without outputs, for tickets of which nothing will come.
  void skip(uint32_t ticket);
  // Whether the ticket was put.
  bool has(uint32_t ticket);
  // Becomes the emitter, if there is something to emit and nobody is.
  bool take(uint32_t emitter);
  // The next output, for the emitter; false if there is none, and then it is not any more.
  bool front(uint32_t emitter, Output& output);
  // The front was sent. How many tickets are done with so far, wraps.
  uint32_t confirm(uint32_t emitter);
  // A thread is gone; what it had not confirmed is emitted again.
  void gone(uint32_t emitter);
  // Tickets below this one are done with.
  uint32_t next();
  // How many tickets are here and not done with.
  size_t waiting();

 private:
  struct Entry {
    bool here = false;
    std::vector<Output> outputs;
    size_t sent = 0;
  };
  bool storeLocked(uint32_t ticket, std::vector<Output>&& outputs);
  void passLocked();
  bool readyLocked() const { return !entries_.empty() && entries_.front().here; }

  std::mutex mutex_;
  std::deque<Entry> entries_;  // by ticket, the first is next_
  uint32_t next_ = 0;
  size_t waiting_ = 0;
  uint32_t emitter_ = 0;
};

}  // namespace zt
