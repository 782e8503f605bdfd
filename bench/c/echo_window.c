/* DEALER with `window` requests in flight, each timed by itself: answers come in the order of
 * requests. */
#include "common.h"

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_DEALER, &options);
  uint8_t* payload = make_payload(options.size);
  const uint64_t all = options.warmup + options.count;
  double* sent_at = malloc(options.window * sizeof *sent_at);
  double* trips = malloc(options.count * sizeof *trips);
  if (!sent_at || !trips) abort();
  zmq_msg_t message;
  zmq_msg_init(&message);
  uint64_t sent = 0;
  double start = 0;
  while (sent < options.window && sent < all) {
    sent_at[sent] = now();
    send_number(socket, payload, options.size, sent++);
  }
  while (result.count < all) {
    receive_counted(socket, &message, &result);
    const uint64_t n = result.count - 1;
    const double at = now();
    if (n == options.warmup) start = at;
    if (n >= options.warmup) trips[n - options.warmup] = at - sent_at[n % options.window];
    if (sent < all) {
      sent_at[sent % options.window] = at;
      send_number(socket, payload, options.size, sent++);
    }
  }
  result.seconds = now() - start;
  result.timed = options.count - 1;
  save_trips(trips, &options);
  zmq_msg_close(&message);
  free(sent_at);
  free(trips);
  free(payload);
  return finish(context, socket, &result);
}
