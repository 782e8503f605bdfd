// A peer of libzmq's draft API:  peer server|client|radio|dish ENDPOINT COUNT
// Prints {"ready":true,"endpoint":"..."}, then {"ok":true,...} once it has done its part.
//   server  answers COUNT messages, each to whom it is from
//   client  sends COUNT numbers and checks that they come back in order
//   radio   sends numbers to the groups "even" and "odd", until it is killed
//   dish    joins "even", and checks COUNT messages of it
#define ZMQ_BUILD_DRAFT_API 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

static void check(int good, const char *what) {
  if (good) return;
  printf("{\"ok\":false,\"error\":\"%s: %s\"}\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static void say_ready(void *socket) {
  char endpoint[256];
  size_t size = sizeof endpoint;
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0, "last endpoint");
  printf("{\"ready\":true,\"endpoint\":\"%s\"}\n", endpoint);
}

static void serve(void *socket, int count) {
  for (int n = 0; n < count; n++) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    check(zmq_msg_recv(&message, socket, 0) >= 0, "recv");
    // It goes back with the routing id that it has.
    check(zmq_msg_routing_id(&message) != 0, "routing id");
    check(zmq_msg_send(&message, socket, 0) >= 0, "send");
  }
}

static void ask(void *socket, int count) {
  for (int n = 0; n < count; n++) {
    char text[32], reply[32];
    const int size = snprintf(text, sizeof text, "%d", n);
    check(zmq_send(socket, text, (size_t)size, 0) == size, "send");
    check(zmq_recv(socket, reply, sizeof reply, 0) == size, "recv");
    check(memcmp(text, reply, (size_t)size) == 0, "the reply is the request");
  }
}

static void broadcast(void *socket) {
  for (int n = 0;; n++) {
    zmq_msg_t message;
    char text[32];
    const int size = snprintf(text, sizeof text, "%d", n);
    zmq_msg_init_size(&message, (size_t)size);
    memcpy(zmq_msg_data(&message), text, (size_t)size);
    check(zmq_msg_set_group(&message, n % 2 == 0 ? "even" : "odd") == 0, "group");
    check(zmq_msg_send(&message, socket, 0) >= 0, "send");
    usleep(1000);
  }
}

static void listen_to(void *socket, int count) {
  for (int n = 0; n < count; n++) {
    zmq_msg_t message;
    char text[32] = "";
    zmq_msg_init(&message);
    check(zmq_msg_recv(&message, socket, 0) >= 0, "recv");
    check(strcmp(zmq_msg_group(&message), "even") == 0, "the group that it joined");
    check(zmq_msg_size(&message) < sizeof text, "a number");
    memcpy(text, zmq_msg_data(&message), zmq_msg_size(&message));
    check(atoi(text) % 2 == 0, "an even number");
    zmq_msg_close(&message);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *role = argv[1], *endpoint = argv[2];
  const int count = atoi(argv[3]);
  void *context = zmq_ctx_new();
  const int server = strcmp(role, "server") == 0, client = strcmp(role, "client") == 0;
  const int radio = strcmp(role, "radio") == 0;
  void *socket = zmq_socket(context, server ? ZMQ_SERVER : client ? ZMQ_CLIENT : radio ? ZMQ_RADIO : ZMQ_DISH);
  check(socket != NULL, "socket");
  const int patience = 20000;
  zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
  if (server || radio) {
    check(zmq_bind(socket, endpoint) == 0, "bind");
  } else {
    check(zmq_connect(socket, endpoint) == 0, "connect");
  }
  say_ready(socket);
  if (server) serve(socket, count);
  if (client) ask(socket, count);
  if (radio) broadcast(socket);
  if (!server && !client && !radio) {
    check(zmq_join(socket, "even") == 0, "join");
    listen_to(socket, count);
  }
  printf("{\"ok\":true,\"count\":%d}\n", count);
  zmq_close(socket);
  zmq_ctx_term(context);
  return 0;
}
