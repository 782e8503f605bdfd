#include "sequencer.h"

#include <unordered_map>
#include <utility>

namespace zt {

namespace {

// Beyond this a ticket is not ahead, but behind: it was put before.
constexpr uint32_t kFarthest = 0x7FFFFFFFu;

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<Sequencer>> sequencers;
  uint32_t nextId = 1;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

std::shared_ptr<Sequencer> Sequencer::create() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto sequencer = std::make_shared<Sequencer>(directory().nextId++);
  directory().sequencers.emplace(sequencer->id, sequencer);
  return sequencer;
}

std::shared_ptr<Sequencer> Sequencer::find(uint32_t id) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().sequencers.find(id);
  return found == directory().sequencers.end() ? nullptr : found->second.lock();
}

Sequencer::~Sequencer() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  directory().sequencers.erase(id);
}

bool Sequencer::storeLocked(uint32_t ticket, std::vector<Output>&& outputs) {
  const uint32_t index = ticket - next_;
  if (index > kFarthest) return false;
  if (index >= entries_.size()) entries_.resize(size_t{index} + 1);
  Entry& entry = entries_[index];
  if (entry.here) return false;
  entry.here = true;
  entry.outputs = std::move(outputs);
  ++waiting_;
  return true;
}

// Tickets of which nothing, or nothing more, is to come out make way for those behind them.
void Sequencer::passLocked() {
  while (readyLocked() && entries_.front().sent == entries_.front().outputs.size()) {
    entries_.pop_front();
    ++next_;
    --waiting_;
  }
}

bool Sequencer::put(uint32_t ticket, std::vector<Output>&& outputs, uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  storeLocked(ticket, std::move(outputs));
  if (emitter_ != 0) return false;
  passLocked();
  if (!readyLocked()) return false;
  emitter_ = emitter;
  return true;
}

void Sequencer::skip(uint32_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  storeLocked(ticket, {});
  if (emitter_ == 0) passLocked();
}

bool Sequencer::has(uint32_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  const uint32_t index = ticket - next_;
  return index > kFarthest || (index < entries_.size() && entries_[index].here);
}

bool Sequencer::take(uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (emitter_ != 0) return false;
  passLocked();
  if (!readyLocked()) return false;
  emitter_ = emitter;
  return true;
}

bool Sequencer::front(uint32_t emitter, Output& output) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (emitter_ != emitter) return false;
  passLocked();
  if (!readyLocked()) {
    emitter_ = 0;
    return false;
  }
  Entry& entry = entries_.front();
  output = entry.outputs[entry.sent];  // a copy: whoever emits it may die before it confirms
  return true;
}

uint32_t Sequencer::confirm(uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (emitter_ == emitter && readyLocked()) {
    ++entries_.front().sent;
    passLocked();
  }
  return next_;
}

void Sequencer::gone(uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (emitter_ == emitter) emitter_ = 0;
}

uint32_t Sequencer::next() {
  std::lock_guard<std::mutex> lock(mutex_);
  return next_;
}

size_t Sequencer::waiting() {
  std::lock_guard<std::mutex> lock(mutex_);
  return waiting_;
}

}  // namespace zt
