#include "sequencer.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace zt {

namespace {

// Beyond this a ticket is not ahead, but behind: it was put before.
constexpr uint32_t kFarthest = 0x7FFFFFFFu;
// So many outputs that were sent may lie before those that were not.
constexpr size_t kMostSent = 64;

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

// What was sent is of no use any more; to move the rest each time would cost more than it saves.
void Sequencer::Entry::confirm() {
  outputs[sent].frames.clear();
  ++sent;
  if (sent < outputs.size() && sent < kMostSent) return;
  outputs.erase(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(sent));
  gone += sent;
  sent = 0;
}

Sequencer::Entry* Sequencer::openLocked(uint32_t ticket) {
  const uint32_t index = ticket - next_;
  if (index > kFarthest) return nullptr;
  if (index >= entries_.size()) entries_.resize(size_t{index} + 1);
  Entry& entry = entries_[index];
  return entry.complete ? nullptr : &entry;
}

void Sequencer::completeLocked(uint32_t ticket, std::vector<Output>&& outputs) {
  Entry* entry = openLocked(ticket);
  if (entry == nullptr) return;
  if (entry->outputs.empty()) {
    entry->outputs = std::move(outputs);
  } else {
    for (Output& output : outputs) entry->outputs.push_back(std::move(output));
  }
  entry->complete = true;
  ++waiting_;
}

// Tickets of which nothing, or nothing more, is to come out make way for those behind them.
void Sequencer::passLocked() {
  while (!entries_.empty() && entries_.front().complete && entries_.front().unsent() == 0) {
    entries_.pop_front();
    ++next_;
    --waiting_;
  }
}

bool Sequencer::takeLocked(uint32_t emitter) {
  if (emitter_ != 0) return false;
  passLocked();
  if (!readyLocked()) return false;
  emitter_ = emitter;
  return true;
}

bool Sequencer::append(uint32_t ticket, Output&& output, uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  Entry* entry = openLocked(ticket);
  if (entry != nullptr) entry->outputs.push_back(std::move(output));
  return takeLocked(emitter);
}

bool Sequencer::put(uint32_t ticket, std::vector<Output>&& outputs, uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  completeLocked(ticket, std::move(outputs));
  return takeLocked(emitter);
}

void Sequencer::skip(uint32_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  completeLocked(ticket, {});
  if (emitter_ == 0) passLocked();
}

bool Sequencer::has(uint32_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  const uint32_t index = ticket - next_;
  return index > kFarthest || (index < entries_.size() && entries_[index].complete);
}

bool Sequencer::take(uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  return takeLocked(emitter);
}

bool Sequencer::front(uint32_t emitter, Output& output, Position& position) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (emitter_ != emitter) return false;
  passLocked();
  if (!readyLocked()) {
    emitter_ = 0;
    return false;
  }
  Entry& entry = entries_.front();
  output = entry.outputs[entry.sent];  // a copy: it may have to be sent again
  position = {next_, entry.number()};
  return true;
}

void Sequencer::accepted(const Position& position, size_t way, size_t ways) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (position.ticket != next_ || !readyLocked()) return;
  Entry& entry = entries_.front();
  if (entry.number() != position.number) return;
  std::vector<bool>& taken = entry.outputs[entry.sent].taken;
  taken.resize(ways);
  if (way < ways) taken[way] = true;
  if (std::find(taken.begin(), taken.end(), false) != taken.end()) return;
  entry.confirm();
  passLocked();
}

uint32_t Sequencer::confirm(uint32_t emitter) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (emitter_ == emitter && readyLocked()) {
    entries_.front().confirm();
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

size_t Sequencer::unsent(uint32_t ticket) {
  std::lock_guard<std::mutex> lock(mutex_);
  const uint32_t index = ticket - next_;
  return index < entries_.size() ? entries_[index].unsent() : 0;
}

size_t Sequencer::waiting() {
  std::lock_guard<std::mutex> lock(mutex_);
  return waiting_;
}

}  // namespace zt
