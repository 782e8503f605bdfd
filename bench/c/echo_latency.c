/* DEALER with one request in flight, each timed by itself, after `warmup` untimed ones. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_DEALER, &options);
  uint8_t* payload = make_payload(options.size);
  double* trips = malloc(options.count * sizeof *trips);
  if (!trips) abort();
  zmq_msg_t message;
  zmq_msg_init(&message);
  double start = 0;
  for (uint64_t n = 0; n < options.warmup + options.count; n++) {
    double begin = now();
    if (n == options.warmup) start = begin;
    send_number(socket, payload, options.size, n);
    receive_counted(socket, &message, &result);
    if (n >= options.warmup) trips[n - options.warmup] = now() - begin;
  }
  result.seconds = now() - start;
  result.timed = options.count;
  save_trips(trips, &options);
  zmq_msg_close(&message);
  free(trips);
  free(payload);
  return finish(context, socket, &result);
}
