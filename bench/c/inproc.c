/* PULL, and in a second thread a PUSH that it gets its messages from. */
#include <pthread.h>

#include "common.h"

typedef struct {
  void* context;
  options_t options;
} sender_t;

static void* send_all(void* argument) {
  sender_t* sender = argument;
  options_t options = sender->options;
  options.connect = options.bind;
  options.bind = NULL;
  void* socket = make_socket(sender->context, ZMQ_PUSH, &options);
  check(!zmq_connect(socket, options.connect), "zmq_connect");
  uint8_t* payload = make_payload(options.size);
  for (uint64_t n = 0; n < options.count; n++)
    send_message(socket, payload, &options, n % options.period);
  zmq_close(socket);
  free(payload);
  return NULL;
}

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  void* context = zmq_ctx_new();
  void* socket = open_socket(context, ZMQ_PULL, &options);
  sender_t sender = {context, options};
  pthread_t thread;
  if (pthread_create(&thread, NULL, send_all, &sender)) abort();
  zmq_msg_t message;
  zmq_msg_init(&message);
  receive_message(socket, &message, &result);
  const double start = now();
  while (result.count < options.count) receive_message(socket, &message, &result);
  result.seconds = now() - start;
  result.timed = result.count - 1;
  pthread_join(thread, NULL);
  zmq_msg_close(&message);
  return finish(context, socket, &result);
}
