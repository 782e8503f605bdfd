/* DEALER that keeps `window` requests in flight for `warmup` milliseconds, then takes the answers
 * that are still under way. Requests look like those of a REQ peer: an empty frame, then the body.
 */
#include "common.h"

static void ask(void* socket, uint8_t* payload, uint64_t size, uint64_t n) {
  check(zmq_send(socket, "", 0, ZMQ_SNDMORE) >= 0, "zmq_send");
  send_number(socket, payload, size, n);
}

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_DEALER, &options);
  uint8_t* payload = make_payload(options.size);
  zmq_msg_t message;
  zmq_msg_init(&message);
  uint64_t sent = 0, expected = 0;
  while (sent < options.window) {
    expected += (uint8_t)sent;
    ask(socket, payload, options.size, sent++);
  }
  const double start = now(), end = start + (double)options.warmup / 1000;
  while (result.count < sent) {
    check(zmq_msg_recv(&message, socket, 0) == 0, "the delimiter");
    receive_counted(socket, &message, &result);
    check(!zmq_msg_more(&message), "one frame");
    if ((result.count & 15) == 0 && now() >= end) break;
    expected += (uint8_t)sent;
    ask(socket, payload, options.size, sent++);
  }
  while (result.count < sent) {
    check(zmq_msg_recv(&message, socket, 0) == 0, "the delimiter");
    receive_counted(socket, &message, &result);
  }
  if (result.checksum != expected || result.bytes != sent * options.size) {
    fprintf(stderr, "answers are not what was asked\n");
    return 1;
  }
  result.seconds = now() - start;
  result.timed = result.count;
  zmq_msg_close(&message);
  free(payload);
  return finish(context, socket, &result);
}
