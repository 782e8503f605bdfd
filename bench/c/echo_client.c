/* DEALER with `window` requests in flight: the clock runs from the first answer to the last. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_DEALER, &options);
  uint8_t* payload = make_payload(options.size);
  zmq_msg_t message;
  zmq_msg_init(&message);
  uint64_t sent = 0;
  while (sent < options.window && sent < options.count)
    send_number(socket, payload, options.size, sent++);
  double start = 0;
  while (result.count < options.count) {
    receive_counted(socket, &message, &result);
    if (result.count == 1) start = now();
    if (sent < options.count) send_number(socket, payload, options.size, sent++);
  }
  result.seconds = now() - start;
  result.timed = result.count - 1;
  zmq_msg_close(&message);
  free(payload);
  return finish(context, socket, &result);
}
