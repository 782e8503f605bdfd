#include "lane_route.h"

#include <algorithm>

#include "sanitizer.h"

namespace zt {

uint32_t LaneRoute::bodyOf(Frame* frames, size_t count) const {
  if (body == BodyAt::kStart || count < 2) return 0;
  if (body == BodyAt::kAfterDelimiter) {
    // Brokers on the way put their routing ids before the delimiter: a stack of any height.
    // An empty frame at the very end is a body.
    for (size_t i = 1; i + 1 < count; ++i) {
      if (frames[i].size() == 0) return static_cast<uint32_t>(i + 1);
    }
  }
  return 1;
}

// FNV-1a: short keys spread well over few lanes.
uint32_t LaneRoute::keyOf(Frame* frames, size_t count, uint32_t bodyIndex) const {
  const size_t index = keyFrame == kFirstOfAll ? 0 : size_t{bodyIndex} + keyFrame;
  uint32_t hash = 2166136261u;
  if (index >= count) return hash;
  Frame& frame = frames[index];
  const auto* bytes = static_cast<const uint8_t*>(frame.data());
  ZT_BACK_FROM_LIBZMQ(bytes);
  const size_t end = std::min<size_t>(keyEnd, frame.size());
  for (size_t i = keyStart; i < end; ++i) hash = (hash ^ bytes[i]) * 16777619u;
  hash ^= hash >> 16;  // its low bits alone are weak
  return hash;
}

}  // namespace zt
