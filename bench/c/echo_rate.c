/* DEALER that asks `rate` times a second, whatever the server does. A trip counts from the time at
 * which its request was due, not from when it left: a server that stalls delays every request that
 * fell into the stall, and a client that waits for it must not leave those out (coordinated
 * omission). */
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
  /* The connection first, and the server's code warm. */
  for (uint64_t n = 0; n < options.warmup; n++) {
    send_number(socket, payload, options.size, n);
    receive_counted(socket, &message, &result);
  }
  const double interval = 1.0 / (double)options.rate;
  const double start = now() + 0.001;
  const uint64_t all = options.warmup + options.count;
  uint64_t sent = options.warmup;
  while (result.count < all) {
    double at = now();
    while (sent < all && at >= start + (double)(sent - options.warmup) * interval) {
      send_number(socket, payload, options.size, sent++);
    }
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    const double wait =
        sent < all ? start + (double)(sent - options.warmup) * interval - now() : 1.0;
    /* zmq_poll knows milliseconds only; what is left of a wait below one is slept in short pieces.
     */
    check(zmq_poll(&item, 1, wait >= 0.002 ? (long)(wait * 1000) - 1 : 0) >= 0, "zmq_poll");
    if (!(item.revents & ZMQ_POLLIN)) {
      if (wait > 60e-6 && wait < 0.002) {
        const struct timespec pause = {.tv_nsec = 10000};
        nanosleep(&pause, NULL);
      }
      continue;
    }
    while (zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0) {
      result.checksum += *(uint8_t*)zmq_msg_data(&message);
      result.bytes += zmq_msg_size(&message);
      const uint64_t n = result.count++ - options.warmup;
      trips[n] = now() - (start + (double)n * interval);
    }
    check(zmq_errno() == EAGAIN, "zmq_msg_recv");
  }
  result.seconds = now() - start;
  result.timed = options.count;
  save_trips(trips, &options);
  zmq_msg_close(&message);
  free(trips);
  free(payload);
  return finish(context, socket, &result);
}
