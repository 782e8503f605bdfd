// Finds out which connection a message came over, without asking libzmq for every message.
//
//  1. Guarded by the socket's mutex.
//  2. zmq_msg_t begins with a pointer to the connection's metadata in every release up to 4.3.x. It
//  is used
//     only as a key that says "same connection as before", and only while a message pinned from
//     that connection keeps the metadata alive, so that the key can't be reused. With any other
//     libzmq, and for messages too large to pin, all that is known of the connection is read anew.
#pragma once

#include <zmq.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "chunk.h"
#include "draft.h"
#include "frame.h"

namespace zt {

class OriginCache {
 public:
  // Whether messages have routing ids or groups of the draft API.
  void setTagged(bool on) { tagged_ = on; }
  // Valid until the next call.
  const std::shared_ptr<const Metadata>& of(zmq_msg_t* message) {
    return tagged_ ? tags_.of(message, ofConnection(message)) : ofConnection(message);
  }

 private:
  const std::shared_ptr<const Metadata>& ofConnection(zmq_msg_t* message);

  struct Entry {
    Frame pin;
    std::shared_ptr<const Metadata> metadata;
  };
  std::unordered_map<uintptr_t, Entry> known_;
  uintptr_t lastKey_ = 0;
  std::shared_ptr<const Metadata> last_;
  bool tagged_ = false;
  TagCache tags_;
};

}  // namespace zt
