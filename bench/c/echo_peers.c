/* `sockets` DEALERs, about `window` requests in flight over all of them: each in turn gets its
 * answer and asks again. Many sockets are those of two processes, since each takes two files. */
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif
#include <sys/wait.h>

#include "common.h"

#define MOST_OF_ONE_PROCESS 5000

/* One process: its sockets, and the messages that it sends: `first` and those after it. */
typedef struct {
  uint64_t sockets, first, count, window;
  int from_other, to_other; /* pipes; -1 when there is one process only */
} part_t;

/* Both have come as far. */
static void meet(const part_t* part) {
  char byte = 0;
  if (part->to_other < 0) return;
  check(write(part->to_other, &byte, 1) == 1, "write to the other process");
  check(read(part->from_other, &byte, 1) == 1, "read from the other process");
}

static void run(void** sockets, const options_t* options, const part_t* part, result_t* result) {
  uint8_t* payload = make_payload(options->size);
  zmq_msg_t message;
  zmq_msg_init(&message);
  uint64_t sent = 0;
  uint64_t each = part->window / part->sockets;
  if (each == 0) each = 1;
  /* Everybody is connected and known to the ROUTER before the clock starts. */
  for (uint64_t i = 0; i < part->sockets; i++)
    send_number(sockets[i], payload, options->size, part->first + sent++);
  for (uint64_t i = 0; i < part->sockets; i++) receive_counted(sockets[i], &message, result);
  const uint64_t all = part->sockets + part->count;
  meet(part);
  const double start = now();
  for (uint64_t round = 0; round < each; round++)
    for (uint64_t i = 0; i < part->sockets && sent < all; i++)
      send_number(sockets[i], payload, options->size, part->first + sent++);
  for (uint64_t i = 0; result->count < all; i = (i + 1) % part->sockets) {
    receive_counted(sockets[i], &message, result);
    if (sent < all) send_number(sockets[i], payload, options->size, part->first + sent++);
  }
  result->seconds = now() - start;
  result->timed = part->count;
  zmq_msg_close(&message);
  free(payload);
}

int main(int argc, char** argv) {
  options_t options = parse_options(argc, argv);
  result_t result = {0};
  part_t part = {options.sockets, 0, options.count, options.window, -1, -1};
  pid_t other = -1;
  if (options.sockets > MOST_OF_ONE_PROCESS) {
    int down[2], up[2];
    check(!pipe(down) && !pipe(up), "pipe");
    part.sockets /= 2;
    part.count /= 2;
    part.window /= 2;
    other = fork();
    check(other >= 0, "fork");
    part.from_other = other ? up[0] : down[0];
    part.to_other = other ? down[1] : up[1];
    close(other ? up[1] : down[1]);
    close(other ? down[0] : up[0]);
    if (!other) {
#ifdef __linux__
      prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
      part.first = part.sockets + part.count;
      part.sockets = options.sockets - part.sockets;
      part.count = options.count - part.count;
    }
  }
  need_open_files(2 * part.sockets + 100);
  void* context = zmq_ctx_new();
  check(!zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)part.sockets + 16), "max sockets");
  void** sockets = calloc(part.sockets, sizeof *sockets);
  if (!sockets) abort();
  for (uint64_t i = 0; i < part.sockets; i++) {
    sockets[i] = make_socket(context, ZMQ_DEALER, &options);
    if (i > 0 || !other) check(!zmq_connect(sockets[i], options.connect), "zmq_connect");
  }
  if (other) attach_and_say_ready(sockets[0], &options);
  run(sockets, &options, &part, &result);
  for (uint64_t i = 1; i < part.sockets; i++) zmq_close(sockets[i]);
  void* first = sockets[0];
  free(sockets);
  if (!other) {
    zmq_close(first);
    zmq_ctx_term(context);
    return write(part.to_other, &result, sizeof result) != sizeof result;
  }
  if (other > 0) {
    result_t half;
    check(read(part.from_other, &half, sizeof half) == sizeof half, "result of the other process");
    result.count += half.count;
    result.timed += half.timed;
    result.checksum += half.checksum;
    result.bytes += half.bytes;
    if (half.seconds > result.seconds) result.seconds = half.seconds;
    waitpid(other, NULL, 0);
  }
  return finish(context, first, &result);
}
