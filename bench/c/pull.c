/* PULL: the clock runs from the first message to the last. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_PULL, &options);
  zmq_msg_t message;
  zmq_msg_init(&message);
  receive_message(socket, &message, &result);
  double start = now();
  while (result.count < options.count) receive_message(socket, &message, &result);
  result.seconds = now() - start;
  result.timed = result.count - 1;
  zmq_msg_close(&message);
  return finish(context, socket, &result);
}
