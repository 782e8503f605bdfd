// A message on its way into a lane, one that no lane takes, and one that a dead thread left in its
// lane.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "chunk.h"
#include "frame.h"
#include "layout.h"

namespace zt {

// The clock of LaneHeader::receivedAt.
double steadyMilliseconds();

// Drawn in layout.h.
struct LaneHeader {
  uint32_t ticket = 0;
  uint32_t source = kNoSource;
  uint32_t attempts = 0;
  uint32_t body = 0;
  double receivedAt = 0;
  uint32_t key = 0;
  uint32_t unused = 0;
};
static_assert(sizeof(LaneHeader) == kHeaderBytes, "the header is shared with JavaScript");

struct LaneMessage {
  LaneHeader header;
  std::vector<Frame> frames;
  // Where it came from, for messages that were copied since; libzmq knows of the others.
  bool copied = false;
  std::shared_ptr<const Metadata> origin;
};

// A message that no lane takes. Of its frames only the envelope is left, for an answer, unless that
// is large, too.
struct RefusedMessage {
  LaneMessage message;
  int error = 0;     // EMSGSIZE, or ENOMEM
  size_t bytes = 0;  // of the chunk that it would take
};

struct RescuedMessage {
  LaneMessage message;
  SlotState state = kSlotRunning;
  // Whether nothing of it has left.
  bool intact() const { return state == kSlotRunning || state == kSlotWaiting; }
};

}  // namespace zt
