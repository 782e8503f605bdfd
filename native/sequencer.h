// Puts results back into the order of what they came from: whoever handles a message hands its
// outputs in, at once or one after another, and they come out by the messages' tickets.
//
//  1. For any thread; `mutex_` guards everything.
//  2. Outputs leave one after another through one thread at a time, the emitter: whoever hands in,
//  or takes over, when the next in order is here. The emitter looks at the front and sends it; it
//  is the emitter until front() finds nothing.
//  3. An output is past, accepted(), in the same breath as it is taken: by whoever completes the
//  send, under the socket's mutex, which comes before ours. So a thread may end at any point, and
//  what it was about to send leaves once.
//  4. A ticket is complete once; what comes after that is ignored.
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
  std::vector<bool> taken;  // by which of the ways that it leaves by, once one has
};

// Which output of all: the nth of its ticket.
struct Position {
  uint32_t ticket = 0;
  size_t number = 0;
};

class Sequencer {
 public:
  static std::shared_ptr<Sequencer> create();
  static std::shared_ptr<Sequencer> find(uint32_t id);
  explicit Sequencer(uint32_t id) : id(id) {}
  ~Sequencer();

  const uint32_t id;

  // One output more, of a ticket that is not complete yet. Whether the caller is the emitter from
  // now on. `emitter` is any number but 0.
  bool append(uint32_t ticket, Output&& output, uint32_t emitter);
  // The last outputs of a ticket, which is complete. Otherwise as append().
  bool put(uint32_t ticket, std::vector<Output>&& outputs, uint32_t emitter);
  // As put() without outputs, for tickets of which nothing, or nothing more, will come.
  void skip(uint32_t ticket);
  // Whether the ticket is complete.
  bool has(uint32_t ticket);
  // Becomes the emitter, if there is something to emit and nobody is.
  bool take(uint32_t emitter);
  // The next output, for the emitter; false if there is none, and then it is not any more.
  bool front(uint32_t emitter, Output& output, Position& position);
  // One of the `ways` that it leaves by has taken it; once all have, the next is the front.
  void accepted(const Position& position, size_t way, size_t ways);
  // The front will not leave, or not by all ways. How many tickets are done with so far, wraps.
  uint32_t confirm(uint32_t emitter);
  // A thread is gone; what it was about to send, and was not accepted, is for another.
  void gone(uint32_t emitter);
  // Tickets below this one are done with.
  uint32_t next();
  // How many outputs of the ticket have not left.
  size_t unsent(uint32_t ticket);
  // How many tickets are complete and not done with.
  size_t waiting();

 private:
  struct Entry {
    bool complete = false;
    std::vector<Output> outputs;
    size_t sent = 0;  // of these
    size_t gone = 0;  // sent, and not among them any more
    size_t unsent() const { return outputs.size() - sent; }
    size_t number() const { return gone + sent; }
    void confirm();
  };
  // The ticket's entry; null if it is complete.
  Entry* openLocked(uint32_t ticket);
  void completeLocked(uint32_t ticket, std::vector<Output>&& outputs);
  bool takeLocked(uint32_t emitter);
  void passLocked();
  bool readyLocked() const { return !entries_.empty() && entries_.front().unsent() > 0; }

  std::mutex mutex_;
  std::deque<Entry> entries_;  // by ticket, the first is next_
  uint32_t next_ = 0;
  size_t waiting_ = 0;
  uint32_t emitter_ = 0;
};

}  // namespace zt
