#include "batch_sizes.h"

#include <zmq.h>

#include <algorithm>

#include "draft.h"

namespace zt {

namespace {

// Of libzmq's draft interface: ZMQ_IN_BATCH_SIZE and ZMQ_OUT_BATCH_SIZE.
constexpr int kInBatchSize = 101;
constexpr int kOutBatchSize = 102;
constexpr int kLeast = 8 * 1024;
constexpr int kMost = 64 * 1024;
// On the wire: one that is sent one way, and a request or reply, with its frames for who it is for.
constexpr int kBytesOneWay = 16;
constexpr int kBytesOfRequest = 64;

bool hasRequests(int type) {
  return type == ZMQ_REQ || type == ZMQ_REP || type == ZMQ_DEALER || type == ZMQ_ROUTER;
}

void set(void* socket, int option, int bytes) {
  zmq_setsockopt(socket, option, &bytes, sizeof bytes);
}

}  // namespace

BatchSizes::BatchSizes(void* socket, int type)
    : ours_(draftApi() != nullptr),
      bytesOfSmallMessage_(hasRequests(type) ? kBytesOfRequest : kBytesOneWay) {
  if (!ours_) return;
  int mark = 0;
  size_t size = sizeof mark;
  if (zmq_getsockopt(socket, ZMQ_RCVHWM, &mark, &size) == 0) setIn(socket, mark);
  set(socket, kOutBatchSize, kMost);
}

void BatchSizes::setIn(void* socket, int mark) const {
  const bool plenty = mark == 0 || mark > kMost / bytesOfSmallMessage_;
  set(socket, kInBatchSize, plenty ? kMost : std::max(mark * bytesOfSmallMessage_, kLeast));
}

void BatchSizes::noteOption(void* socket, int option, int value) {
  if (option == kInBatchSize) ours_ = false;
  if (option == ZMQ_RCVHWM && ours_) setIn(socket, value);
}

}  // namespace zt
