/* SUB to `period` topics, which are the first bytes of messages. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = make_socket(context, ZMQ_SUB, &options);
  for (uint64_t topic = 0; topic < options.period; topic++) {
    const uint8_t first = (uint8_t)topic;
    check(!zmq_setsockopt(socket, ZMQ_SUBSCRIBE, &first, 1), "subscribe");
  }
  attach_and_say_ready(socket, &options);
  zmq_msg_t message;
  zmq_msg_init(&message);
  receive_message(socket, &message, &result);
  const double start = now();
  while (result.count < options.count) receive_message(socket, &message, &result);
  result.seconds = now() - start;
  result.timed = result.count - 1;
  zmq_msg_close(&message);
  return finish(context, socket, &result);
}
