#include "chunk.h"

#include <algorithm>

#include "allocator.h"
#include "layout.h"

namespace zt {

namespace {
std::atomic<uint32_t> nextChunkId{1};  // only uniqueness matters: relaxed

uint32_t takeChunkId() {
  uint32_t id = nextChunkId.fetch_add(1, std::memory_order_relaxed);
  return id != 0 ? id : nextChunkId.fetch_add(1, std::memory_order_relaxed);  // 0 means "none"
}
}  // namespace

Chunk::Chunk(uint8_t* base, size_t size) : id(takeChunkId()), base(base), size(size) {
  if (size >= kFullChunkBytes) keepFreedMemory();  // there are many messages, or large ones
}

void Chunk::reset() {
  word(kChunkPublished)
      .store(0, std::memory_order_relaxed);  // published to the consumer with kChunkNext
  word(kChunkNext).store(0, std::memory_order_relaxed);  // of the chunk before this one
  std::lock_guard<std::mutex> lock(mutex_);
  origins_.clear();
}

void Chunk::addOrigin(uint32_t offset, std::shared_ptr<const Metadata> metadata) {
  std::lock_guard<std::mutex> lock(mutex_);
  origins_.push_back({offset, std::move(metadata)});
}

std::shared_ptr<const Metadata> Chunk::originOf(uint32_t offset) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto after =
      std::upper_bound(origins_.begin(), origins_.end(), offset,
                       [](uint32_t value, const Origin& origin) { return value < origin.offset; });
  return after == origins_.begin() ? nullptr : std::prev(after)->metadata;
}

}  // namespace zt
