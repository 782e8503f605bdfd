/* PUSH at `rate` messages a second: every message has a time that it is due, and none is skipped
 * when the sender is late. It sleeps between, since a sender that spins would take a core from the
 * receiver. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_PUSH, &options);
  uint8_t* payload = make_payload(options.size);
  const struct timespec pause = {.tv_nsec = 50000};
  const double start = now();
  while (result.count < options.count) {
    uint64_t due = (uint64_t)((now() - start) * (double)options.rate) + 1;
    if (due > options.count) due = options.count;
    while (result.count < due) {
      send_message(socket, payload, &options, result.count % options.period);
      result.checksum += payload[0];
      result.bytes += options.size * options.frames;
      result.count++;
    }
    if (result.count < options.count) nanosleep(&pause, NULL);
  }
  result.seconds = now() - start;
  result.timed = result.count;
  wait_for_receivers();
  free(payload);
  return finish(context, socket, &result);
}
