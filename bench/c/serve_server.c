/* What a server of the serve benchmark takes at least: a ROUTER that answers in the thread that
 * receives, burns CPU for each request, and does nothing else. The twin of ../lib/serve-driver.mjs:
 * --warmup and --measure as there; --burn is in microseconds; --batch is how many bytes libzmq
 * reads and writes at a time, with a libzmq that has drafts. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "common.h"

enum { TIMED_EVERY = 16, IN_BATCH_SIZE = 101, OUT_BATCH_SIZE = 102 };

static uint64_t spins;
static volatile uint32_t burned_to; /* what nobody reads is not computed */
/* The serving thread writes these, main reads them. */
static _Atomic uint64_t calls, timed_calls, timed_nanoseconds;

static uint64_t thread_nanoseconds(void) {
  struct timespec at;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* As ../lib/burn.mjs spins; the compiler makes more of it. */
static void spin(uint64_t times) {
  uint32_t x = burned_to | 1;
  for (uint64_t n = 0; n < times; n++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
  }
  burned_to = x;
}

/* How many spins take so many microseconds, here and now: of several tries the fastest. */
static uint64_t spins_for(uint64_t microseconds) {
  const uint64_t times = 1000000;
  uint64_t best = UINT64_MAX;
  for (int n = 0; n < 20; n++) {
    const uint64_t start = thread_nanoseconds();
    spin(times);
    const uint64_t took = thread_nanoseconds() - start;
    if (took < best) best = took;
  }
  return times * microseconds * 1000 / best;
}

static void* serve(void* socket) {
  zmq_msg_t frame;
  zmq_msg_init(&frame);
  for (uint64_t count = 0;; count++) {
    /* The envelope is on its way back before the work: libzmq sends nothing of it before the last
     * frame. */
    for (int more = 1; more;) {
      check(zmq_msg_recv(&frame, socket, 0) >= 0, "zmq_msg_recv");
      more = zmq_msg_more(&frame);
      if (!more) {
        const int timed = spins > 0 && count % TIMED_EVERY == 0;
        const uint64_t start = timed ? thread_nanoseconds() : 0;
        spin(spins);
        if (timed) {
          timed_nanoseconds += thread_nanoseconds() - start;
          timed_calls++;
        }
      }
      check(zmq_msg_send(&frame, socket, more ? ZMQ_SNDMORE : 0) >= 0, "zmq_msg_send");
    }
    atomic_store_explicit(&calls, count + 1, memory_order_relaxed);
  }
  return NULL;
}

/* CPU of libzmq's I/O threads, in microseconds. */
static double io_threads(void) {
  DIR* tasks = opendir("/proc/self/task");
  if (!tasks) return 0;
  double microseconds = 0;
  for (struct dirent* entry; (entry = readdir(tasks)) != NULL;) {
    char path[300], name[32] = "";
    unsigned long long nanoseconds = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
    FILE* file = fopen(path, "r");
    if (!file) continue;
    const int named = fgets(name, sizeof name, file) != NULL && !strncmp(name, "ZMQbg/IO", 8);
    fclose(file);
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", entry->d_name);
    file = named ? fopen(path, "r") : NULL;
    if (!file) continue;
    if (fscanf(file, "%llu", &nanoseconds) == 1) microseconds += (double)nanoseconds / 1000;
    fclose(file);
  }
  closedir(tasks);
  return microseconds;
}

typedef struct {
  double at, cpu, io;
  uint64_t calls, timed_calls, timed_nanoseconds;
} snapshot_t;

static snapshot_t take_snapshot(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  return (snapshot_t){.at = now(),
                      .cpu = cpu,
                      .io = io_threads(),
                      .calls = calls,
                      .timed_calls = timed_calls,
                      .timed_nanoseconds = timed_nanoseconds};
}

int main(int argc, char** argv) {
  uint64_t warmup = 0, measure = 1000;
  int batch = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const uint64_t value = strtoull(argv[i + 1], NULL, 10);
    if (!strcmp(argv[i], "--burn"))
      spins = spins_for(value);
    else if (!strcmp(argv[i], "--warmup"))
      warmup = value;
    else if (!strcmp(argv[i], "--measure"))
      measure = value;
    else if (!strcmp(argv[i], "--batch"))
      batch = (int)value;
    else {
      fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, NULL);
  const options_t options = {.bind = "tcp://127.0.0.1:*", .hwm = -1};
  void* socket = make_socket(zmq_ctx_new(), ZMQ_ROUTER, &options);
  if (batch > 0) {
    check(!zmq_setsockopt(socket, IN_BATCH_SIZE, &batch, sizeof batch), "ZMQ_IN_BATCH_SIZE");
    check(!zmq_setsockopt(socket, OUT_BATCH_SIZE, &batch, sizeof batch), "ZMQ_OUT_BATCH_SIZE");
  }
  attach_and_say_ready(socket, &options);
  pthread_t thread;
  check(!pthread_create(&thread, NULL, serve, socket), "pthread_create");
  while (calls == 0) usleep(5000);
  usleep((useconds_t)warmup * 1000);
  const snapshot_t before = take_snapshot();
  usleep((useconds_t)measure * 1000);
  const snapshot_t after = take_snapshot();
  const uint64_t timed = after.timed_calls - before.timed_calls;
  const double burned = (double)(after.timed_nanoseconds - before.timed_nanoseconds) / 1000;
  printf("{\"seconds\":%.6f,\"messages\":%" PRIu64 ",\"cpu\":%.1f,\"io\":%.1f,\"burn\":%.4f}\n",
         after.at - before.at, after.calls - before.calls, after.cpu - before.cpu,
         after.io - before.io, timed ? burned / (double)timed : 0.0);
  fflush(stdout);
  int signal = 0;
  sigwait(&end, &signal);
  _exit(0); /* the other thread is in the midst of it */
}
