// Which lane a message goes to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "frame.h"

namespace zt {

enum class RoutePolicy : uint32_t { kRoundRobin = 0, kLeastLoaded = 1, kKey = 2 };

// Where the frames begin that an application sees.
enum class BodyAt : uint32_t {
  kStart = 0,           // PULL, SUB, DEALER
  kAfterRoutingId = 1,  // ROUTER
  kAfterDelimiter = 2,  // ROUTER whose peers put an empty frame between envelope and body
};

struct LaneRoute {
  RoutePolicy policy = RoutePolicy::kRoundRobin;
  BodyAt body = BodyAt::kStart;
  // The key: bytes from `keyStart` up to `keyEnd` of a frame, counted from the body on; with
  // kFirstOfAll the first frame of all.
  uint32_t keyFrame = 0;
  uint32_t keyStart = 0;
  uint32_t keyEnd = 0;

  static constexpr uint32_t kFirstOfAll = 0xFFFFFFFFu;

  uint32_t bodyOf(Frame* frames, size_t count) const;
  uint32_t keyOf(Frame* frames, size_t count, uint32_t bodyIndex) const;
};

}  // namespace zt
