/* What the C side of the benchmarks shares: command line, socket, clock, output. The JavaScript
 * twin is
 * ../lib/driver.mjs, and both print the same two lines: "ready" once bound or connected, then the
 * result.
 *
 * Message n starts with the byte n & 255; receivers add these bytes up, which proves that all were
 * looked at, and costs every driver the same. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <zmq.h>

typedef struct {
  const char *bind, *connect;
  uint64_t count, size, window, warmup;
  int hwm; /* -1: libzmq's default */
} options_t;

typedef struct {
  uint64_t count, timed, checksum, bytes; /* timed: how many of them fell into `seconds` */
  double seconds;
  double p50, p99; /* microseconds; 0 when not measured */
} result_t;

static inline void check(int ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static inline double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static inline options_t parse_options(int argc, char** argv) {
  options_t options = {.size = 16, .window = 1, .hwm = -1};
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (!strcmp(name, "--bind"))
      options.bind = value;
    else if (!strcmp(name, "--connect"))
      options.connect = value;
    else if (!strcmp(name, "--count"))
      options.count = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--size"))
      options.size = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--window"))
      options.window = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--warmup"))
      options.warmup = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--hwm"))
      options.hwm = atoi(value);
    else {
      fprintf(stderr, "unknown option %s\n", name);
      exit(2);
    }
  }
  return options;
}

static inline void* open_socket(void* context, int type, const options_t* options) {
  void* socket = zmq_socket(context, type);
  check(socket != NULL, "zmq_socket");
  if (options->hwm >= 0) {
    check(!zmq_setsockopt(socket, ZMQ_SNDHWM, &options->hwm, sizeof options->hwm), "sndhwm");
    check(!zmq_setsockopt(socket, ZMQ_RCVHWM, &options->hwm, sizeof options->hwm), "rcvhwm");
  }
  if (options->bind) check(!zmq_bind(socket, options->bind), "zmq_bind");
  if (options->connect) check(!zmq_connect(socket, options->connect), "zmq_connect");
  char endpoint[256];
  size_t size = sizeof endpoint;
  check(!zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size), "last endpoint");
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  printf("{\"ready\":true,\"endpoint\":\"%s\",\"libzmq\":\"%d.%d.%d\"}\n", endpoint, major, minor,
         patch);
  fflush(stdout);
  return socket;
}

/* Closes everything, which waits until libzmq has sent what it holds, and prints the result. */
static inline int finish(void* context, void* socket, const result_t* result) {
  zmq_close(socket);
  zmq_ctx_term(context);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"count\":%" PRIu64 ",\"timed\":%" PRIu64 ",\"checksum\":%" PRIu64 ",\"bytes\":%" PRIu64
         ",\"seconds\":%.9f,\"p50\":%.3f,\"p99\":%.3f,\"maxRssKiB\":%ld}\n",
         result->count, result->timed, result->checksum, result->bytes, result->seconds,
         result->p50, result->p99, usage.ru_maxrss);
  return 0;
}

static inline uint8_t* make_payload(uint64_t size) {
  uint8_t* payload = calloc(size ? size : 1, 1);
  if (!payload) abort();
  return payload;
}

static inline void send_number(void* socket, uint8_t* payload, uint64_t size, uint64_t n) {
  payload[0] = (uint8_t)n;
  check(zmq_send(socket, payload, size, 0) >= 0, "zmq_send");
}

/* Receives one message of one frame and counts it. */
static inline void receive_counted(void* socket, zmq_msg_t* message, result_t* result) {
  check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
  result->checksum += *(uint8_t*)zmq_msg_data(message);
  result->bytes += zmq_msg_size(message);
  result->count++;
}

#endif
