/* PUSH: the clock runs until libzmq has accepted the last message; the receiver has its own. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_PUSH, &options);
  uint8_t* payload = make_payload(options.size);
  double start = now();
  for (uint64_t n = 0; n < options.count; n++) {
    send_message(socket, payload, &options, n % options.period);
    result.checksum += payload[0];
    result.bytes += options.size * options.frames;
  }
  result.seconds = now() - start;
  result.count = result.timed = options.count;
  wait_for_receivers();
  free(payload);
  return finish(context, socket, &result);
}
