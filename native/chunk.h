// A chunk: one SharedArrayBuffer that received frames are copied into (drawn in layout.h).
//
//  1. The bytes belong to JavaScript. The producer may write while the chunk is its inbox's current
//  or spare
//     one; the consuming JavaScript thread holds the buffer for at least as long.
//  2. `origins` is appended by the producer and read by any thread, under its own mutex.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace zt {

// What libzmq knows of a connection: "Peer-Address", "User-Id", ...
using Metadata = std::map<std::string, std::string>;

class Chunk {
 public:
  Chunk(uint8_t* base, size_t size);

  const uint32_t id;
  uint8_t* const base;
  const size_t size;

  uint32_t* words() { return reinterpret_cast<uint32_t*>(base); }
  std::atomic<uint32_t>& word(uint32_t index) {
    return reinterpret_cast<std::atomic<uint32_t>*>(base)[index];
  }

  void reset();  // before it is filled again
  // Frames from this offset on, until the next call, came over this connection.
  void addOrigin(uint32_t offset, std::shared_ptr<const Metadata> metadata);
  std::shared_ptr<const Metadata> originOf(uint32_t offset);

 private:
  struct Origin {
    uint32_t offset;
    std::shared_ptr<const Metadata> metadata;
  };
  std::mutex mutex_;
  std::vector<Origin> origins_;
};

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t),
              "words are shared with JavaScript");

}  // namespace zt
