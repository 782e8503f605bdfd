/* What the C side of the benchmarks shares: command line, socket, clock, output. The JavaScript
 * twin is ../lib/driver.mjs, and both print the same two lines: "ready" once bound or connected,
 * then the result.
 *
 * Message n starts with the byte n % period, 256 unless told; receivers add these bytes up, which
 * proves that all were looked at, and costs every driver the same. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

typedef struct {
  const char *bind, *connect;
  const char* trips; /* file for the round trips */
  uint64_t count, size, window, warmup;
  uint64_t rate;          /* messages a second; 0: as fast as it goes */
  uint64_t frames;        /* of each message */
  uint64_t period;        /* message n starts with the byte n % period */
  uint64_t sockets;       /* of this process */
  uint64_t subscriptions; /* that a publisher waits for */
  int hwm;                /* -1: libzmq's default */
} options_t;

typedef struct {
  uint64_t count, timed, checksum, bytes; /* timed: how many of them fell into `seconds` */
  double seconds;
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

/* Makes room for so many open files, or ends with what is missing: libzmq waits for a file to
 * become free instead of failing. */
static inline void need_open_files(uint64_t count) {
  struct rlimit limit;
  check(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  if (limit.rlim_cur >= count) return;
  /* Root can go beyond the hard limit. */
  struct rlimit wanted = {.rlim_cur = count,
                          .rlim_max = limit.rlim_max > count ? limit.rlim_max : count};
  if (!setrlimit(RLIMIT_NOFILE, &wanted)) return;
  fprintf(stderr, "expected room for %" PRIu64 " open files, got %" PRIu64 ": raise ulimit -n\n",
          count, (uint64_t)limit.rlim_max);
  exit(1);
}

static inline options_t parse_options(int argc, char** argv) {
  options_t options = {
      .size = 16, .window = 1, .frames = 1, .period = 256, .sockets = 1, .hwm = -1};
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (!strcmp(name, "--bind"))
      options.bind = value;
    else if (!strcmp(name, "--connect"))
      options.connect = value;
    else if (!strcmp(name, "--trips"))
      options.trips = value;
    else if (!strcmp(name, "--count"))
      options.count = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--size"))
      options.size = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--window"))
      options.window = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--warmup"))
      options.warmup = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--rate"))
      options.rate = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--frames"))
      options.frames = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--period"))
      options.period = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--sockets"))
      options.sockets = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--subscriptions"))
      options.subscriptions = strtoull(value, NULL, 10);
    else if (!strcmp(name, "--hwm"))
      options.hwm = atoi(value);
    else {
      fprintf(stderr, "unknown option %s\n", name);
      exit(2);
    }
  }
  return options;
}

static inline void* make_socket(void* context, int type, const options_t* options) {
  void* socket = zmq_socket(context, type);
  check(socket != NULL, "zmq_socket");
  if (options->hwm >= 0) {
    check(!zmq_setsockopt(socket, ZMQ_SNDHWM, &options->hwm, sizeof options->hwm), "sndhwm");
    check(!zmq_setsockopt(socket, ZMQ_RCVHWM, &options->hwm, sizeof options->hwm), "rcvhwm");
  }
  return socket;
}

static inline void attach_and_say_ready(void* socket, const options_t* options) {
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
}

static inline void* open_socket(void* context, int type, const options_t* options) {
  void* socket = make_socket(context, type, options);
  attach_and_say_ready(socket, options);
  return socket;
}

/* Waits until standard input ends: for those who send last, before they close. A sender that goes
 * while its receiver has no room takes what the kernel still holds with it, over ipc: there
 * libzmq's receiver drops what it has not read yet once the other side is gone. */
static inline void wait_for_receivers(void) {
  char ignored[64];
  while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
  }
}

/* Closes everything, which waits until libzmq has sent what it holds, and prints the result. */
static inline int finish(void* context, void* socket, const result_t* result) {
  zmq_close(socket);
  zmq_ctx_term(context);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"count\":%" PRIu64 ",\"timed\":%" PRIu64 ",\"checksum\":%" PRIu64 ",\"bytes\":%" PRIu64
         ",\"seconds\":%.9f,\"cpuSeconds\":%.6f,\"maxRssKiB\":%ld}\n",
         result->count, result->timed, result->checksum, result->bytes, result->seconds, cpu,
         usage.ru_maxrss);
  return 0;
}

/* Written to: memory that never was is one and the same page of zeros, which no other memory is as quick as. */
static inline uint8_t* make_payload(uint64_t size) {
  uint8_t* payload = malloc(size ? size : 1);
  if (!payload) abort();
  memset(payload, 0x5a, size ? size : 1);
  return payload;
}

/* Message n: `frames` frames of `size` bytes, of which the first starts with `first`. */
static inline void send_message(void* socket, uint8_t* payload, const options_t* options,
                                uint64_t first) {
  payload[0] = (uint8_t)first;
  for (uint64_t left = options->frames; left > 0; left--)
    check(zmq_send(socket, payload, options->size, left > 1 ? ZMQ_SNDMORE : 0) >= 0, "zmq_send");
}

static inline void send_number(void* socket, uint8_t* payload, uint64_t size, uint64_t n) {
  payload[0] = (uint8_t)n;
  check(zmq_send(socket, payload, size, 0) >= 0, "zmq_send");
}

/* Receives one frame and counts it as a message. */
static inline void receive_counted(void* socket, zmq_msg_t* message, result_t* result) {
  check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
  result->checksum += *(uint8_t*)zmq_msg_data(message);
  result->bytes += zmq_msg_size(message);
  result->count++;
}

/* Receives all frames of a message. */
static inline void receive_message(void* socket, zmq_msg_t* message, result_t* result) {
  receive_counted(socket, message, result);
  while (zmq_msg_more(message)) {
    check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
    result->bytes += zmq_msg_size(message);
  }
}

/* Writes trips in seconds as they are: ../lib/latency.mjs makes the percentiles, for all drivers.
 */
static inline void save_trips(const double* trips, const options_t* options) {
  if (!options->trips) return;
  FILE* file = fopen(options->trips, "wb");
  const int written =
      file && fwrite(trips, sizeof *trips, options->count, file) == options->count && !fclose(file);
  if (written) return;
  perror(options->trips);
  exit(1);
}

#endif
