/* XPUB: waits for `subscriptions` subscriptions, then publishes. With a mark of 0 nothing is
 * dropped. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = make_socket(context, ZMQ_XPUB, &options);
  const int verbose = 1;
  check(!zmq_setsockopt(socket, ZMQ_XPUB_VERBOSE, &verbose, sizeof verbose), "xpub verbose");
  attach_and_say_ready(socket, &options);
  zmq_msg_t message;
  zmq_msg_init(&message);
  for (uint64_t n = 0; n < options.subscriptions; n++)
    check(zmq_msg_recv(&message, socket, 0) >= 0, "zmq_msg_recv");
  zmq_msg_close(&message);
  uint8_t* payload = make_payload(options.size);
  const double start = now();
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
