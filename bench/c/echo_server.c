/* ROUTER: sends every message back, frame by frame. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  /* A server does not know its peers yet, and the largest case has ten thousand. */
  need_open_files(10200);
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_ROUTER, &options);
  zmq_msg_t id, body;
  zmq_msg_init(&id);
  zmq_msg_init(&body);
  double start = 0;
  while (result.count < options.count) {
    check(zmq_msg_recv(&id, socket, 0) >= 0, "zmq_msg_recv");
    receive_counted(socket, &body, &result);
    if (result.count == 1) start = now();
    check(zmq_msg_send(&id, socket, ZMQ_SNDMORE) >= 0, "zmq_msg_send");
    check(zmq_msg_send(&body, socket, 0) >= 0, "zmq_msg_send");
  }
  result.seconds = now() - start;
  result.timed = result.count - 1;
  wait_for_receivers();
  return finish(context, socket, &result);
}
