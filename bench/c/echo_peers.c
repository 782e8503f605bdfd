/* `sockets` DEALERs, about `window` requests in flight over all of them: each in turn gets its
 * answer and asks again. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  check(!zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)options.sockets + 16), "max sockets");
  void** sockets = calloc(options.sockets, sizeof *sockets);
  uint8_t* payload = make_payload(options.size);
  if (!sockets) abort();
  for (uint64_t i = 0; i < options.sockets; i++) {
    sockets[i] = make_socket(context, ZMQ_DEALER, &options);
    if (i > 0) check(!zmq_connect(sockets[i], options.connect), "zmq_connect");
  }
  attach_and_say_ready(sockets[0], &options);
  zmq_msg_t message;
  zmq_msg_init(&message);
  uint64_t sent = 0;
  uint64_t each = options.window / options.sockets;
  if (each == 0) each = 1;
  /* Everybody is connected and known to the ROUTER before the clock starts. */
  for (uint64_t i = 0; i < options.sockets; i++)
    send_number(sockets[i], payload, options.size, sent++);
  for (uint64_t i = 0; i < options.sockets; i++) receive_counted(sockets[i], &message, &result);
  const uint64_t all = options.sockets + options.count;
  const double start = now();
  for (uint64_t round = 0; round < each; round++)
    for (uint64_t i = 0; i < options.sockets && sent < all; i++)
      send_number(sockets[i], payload, options.size, sent++);
  for (uint64_t i = 0; result.count < all; i = (i + 1) % options.sockets) {
    receive_counted(sockets[i], &message, &result);
    if (sent < all) send_number(sockets[i], payload, options.size, sent++);
  }
  result.seconds = now() - start;
  result.timed = options.count;
  for (uint64_t i = 1; i < options.sockets; i++) zmq_close(sockets[i]);
  zmq_msg_close(&message);
  free(payload);
  void* first = sockets[0];
  free(sockets);
  return finish(context, first, &result);
}
