/* PULL that reads the clock at every message, as a program that stamps what it receives does. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_PULL, &options);
  zmq_msg_t message;
  zmq_msg_init(&message);
  receive_message(socket, &message, &result);
  const double start = now();
  double last = start;
  while (result.count < options.count) {
    receive_message(socket, &message, &result);
    last = now();
  }
  result.seconds = last - start;
  result.timed = result.count - 1;
  zmq_msg_close(&message);
  return finish(context, socket, &result);
}
