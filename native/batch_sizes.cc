#include "batch_sizes.h"

#include <zmq.h>

#include "draft.h"

namespace zt {

namespace {

// Of libzmq's draft interface: ZMQ_IN_BATCH_SIZE and ZMQ_OUT_BATCH_SIZE.
constexpr int kInBatchSize = 101;
constexpr int kOutBatchSize = 102;
constexpr int kLarge = 64 * 1024;
constexpr int kSmall = 8 * 1024;
constexpr int kSmallMark = 1000;  // below libzmq's default; 0 is none

void set(void* socket, int option, int bytes) {
  zmq_setsockopt(socket, option, &bytes, sizeof bytes);
}

}  // namespace

BatchSizes::BatchSizes(void* socket) : ours_(draftApi() != nullptr) {
  if (!ours_) return;
  set(socket, kInBatchSize, kLarge);
  set(socket, kOutBatchSize, kLarge);
}

void BatchSizes::noteOption(void* socket, int option, int value) {
  if (option == kInBatchSize) ours_ = false;
  if (option == ZMQ_RCVHWM && ours_)
    set(socket, kInBatchSize, value > 0 && value < kSmallMark ? kSmall : kLarge);
}

}  // namespace zt
