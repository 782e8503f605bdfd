#include "origin.h"

#include <cstring>

#include "property_names.h"

namespace zt {

namespace {

constexpr size_t kPinnableBytes = 1024;  // a pin holds the payload, or the 8 KiB it was received in
constexpr size_t kMostConnections = 256;

bool keyIsKnownToWork() {
  static const bool works = [] {
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    return major == 4 && minor == 3;
  }();
  return works;
}

// Calls `each` with the name and the value of every property that the message has.
template <typename Each>
void eachProperty(const zmq_msg_t* message, Each each) {
  const size_t count = propertyNameCount();
  for (size_t index = 0; index < count; index++) {
    const char* name = propertyName(index);
    const char* value = zmq_msg_gets(message, name);
    // libzmq 4.3 knows this one by its old name only, whatever its manual says.
    if (value == nullptr && std::strcmp(name, "Routing-Id") == 0)
      value = zmq_msg_gets(message, "Identity");
    if (value != nullptr) each(name, value);
  }
}

std::shared_ptr<const Metadata> read(const zmq_msg_t* message) {
  std::shared_ptr<Metadata> metadata;
  eachProperty(message, [&metadata](const char* name, const char* value) {
    if (!metadata) metadata = std::make_shared<Metadata>();
    metadata->emplace(name, value);
  });
  return metadata;
}

// Whether that is all that the message has.
bool has(const zmq_msg_t* message, const Metadata& metadata) {
  size_t same = 0;
  bool differs = false;
  eachProperty(message, [&](const char* name, const char* value) {
    const auto known = metadata.find(name);
    if (known != metadata.end() && known->second == value) {
      ++same;
    } else {
      differs = true;
    }
  });
  return !differs && same == metadata.size();
}

const std::shared_ptr<const Metadata> kNoMetadata;

}  // namespace

const std::shared_ptr<const Metadata>& OriginCache::ofConnection(zmq_msg_t* message) {
  uintptr_t key = 0;
  if (keyIsKnownToWork()) {
    std::memcpy(&key, message, sizeof key);
    if (key == 0) return kNoMetadata;  // inproc: no connection
    if (key == lastKey_) return last_;
    auto found = known_.find(key);
    if (found != known_.end()) {
      lastKey_ = key;
      return last_ = found->second.metadata;
    }
  }
  if (key == 0 || zmq_msg_size(message) > kPinnableBytes) {
    lastKey_ = 0;
    // Connections that have all of it in common need not be told apart.
    if (!last_ || !has(message, *last_)) last_ = read(message);
    return last_;
  }
  if (known_.size() >= kMostConnections) known_.clear();
  Entry entry;
  zmq_msg_copy(entry.pin.raw(), message);
  entry.metadata = read(message);
  lastKey_ = key;
  last_ = entry.metadata;
  known_.emplace(key, std::move(entry));
  return last_;
}

}  // namespace zt
