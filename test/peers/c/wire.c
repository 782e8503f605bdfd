#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "pattern.h"

enum { EXIT_WRONG = 1, EXIT_TIMEOUT = 3, EXIT_ORPHANED = 4 };

static const char* volatile step = "starting";
static volatile uint64_t step_done;
static const char* timer_role = "peer";

void set_step(const char* name, uint64_t done) {
  step = name;
  step_done = done;
}

static void write_text(const char* text) {
  if (write(2, text, strlen(text)) < 0) _exit(EXIT_TIMEOUT);
}

/* Only write and _exit: this runs in a signal handler. */
static void on_alarm(int signal_number) {
  (void)signal_number;
  char digits[24];
  int at = sizeof digits - 1;
  digits[at] = 0;
  uint64_t value = step_done;
  do digits[--at] = (char)('0' + value % 10);
  while (value /= 10);
  write_text("peer ");
  write_text(timer_role);
  write_text(": timed out while ");
  write_text(step);
  write_text(", done so far: ");
  write_text(digits + at);
  write_text("\n");
  _exit(EXIT_TIMEOUT);
}

void start_timer(const peer_t* peer) {
  timer_role = peer->options.role;
  signal(SIGALRM, on_alarm);
  struct itimerval limit = {{0, 0},
                            {peer->options.timeout / 1000, peer->options.timeout % 1000 * 1000}};
  setitimer(ITIMER_REAL, &limit, NULL);
}

void print_json_text(FILE* to, const void* bytes, size_t size) {
  const uint8_t* text = bytes;
  fputc('"', to);
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"' || text[i] == '\\')
      fprintf(to, "\\%c", text[i]);
    else if (text[i] < 32 || text[i] > 126)
      fprintf(to, "\\u%04x", text[i]);
    else
      fputc(text[i], to);
  }
  fputc('"', to);
}

void emit_topic_event(const char* event, const void* bytes, size_t size) {
  printf("{\"event\":\"%s\",\"topic\":", event);
  print_json_text(stdout, bytes, size);
  printf("}\n");
  fflush(stdout);
}

static void print_result(peer_t* peer, const char* error) {
  printf(
      "{\"ok\":%s,\"role\":\"%s\",\"sent\":%llu,\"received\":%llu,\"bytes\":%llu,\"checksum\":%u",
      error ? "false" : "true", peer->options.role, (unsigned long long)peer->sent,
      (unsigned long long)peer->received, (unsigned long long)peer->bytes, peer->checksum);
  if (peer->stopped) printf(",\"stopped\":true");
  if (peer->extra) printf(",%s", peer->extra);
  if (error) {
    printf(",\"error\":");
    print_json_text(stdout, error, strlen(error));
  }
  printf("}\n");
  fflush(stdout);
}

void fail(peer_t* peer, const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fprintf(stderr, "peer %s: %s\n", peer->options.role, text);
  print_result(peer, text);
  _exit(EXIT_WRONG);
}

/* The result comes after the context has ended, so that a sender's "ok" means libzmq has handed
 * everything to the operating system (or its linger ran out). */
void finish(peer_t* peer) {
  printf("{\"event\":\"done\"}\n");
  fflush(stdout);
  set_step("closing (linger)", peer->sent);
  for (int k = 0; k < peer->frame_count; k++) zmq_msg_close(&peer->frames[k]);
  zmq_close(peer->socket);
  while (zmq_ctx_term(peer->context) && zmq_errno() == EINTR) continue;
  print_result(peer, NULL);
  _exit(0);
}

void open_peer(peer_t* peer, int default_type) {
  options_t* options = &peer->options;
  peer->type = options->type ? socket_type(options->type) : default_type;
  if (peer->type < 0) fail(peer, "expected --type");
  peer->context = zmq_ctx_new();
  peer->socket = zmq_socket(peer->context, peer->type);
  if (!peer->socket) fail(peer, "socket: %s", zmq_strerror(zmq_errno()));
  apply_settings(options, peer->socket);
  for (int i = 0; i < options->bind_count; i++)
    if (zmq_bind(peer->socket, options->binds[i]))
      fail(peer, "bind %s: %s", options->binds[i], zmq_strerror(zmq_errno()));
  for (int i = 0; i < options->connect_count; i++)
    if (zmq_connect(peer->socket, options->connects[i]))
      fail(peer, "connect %s: %s", options->connects[i], zmq_strerror(zmq_errno()));
  char endpoint[512];
  size_t size = sizeof endpoint;
  zmq_getsockopt(peer->socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  printf("{\"ready\":true,\"endpoint\":");
  print_json_text(stdout, endpoint, size ? size - 1 : 0);
  printf(",\"pid\":%d,\"libzmq\":\"%d.%d.%d\"}\n", (int)getpid(), major, minor, patch);
  fflush(stdout);
}

static void read_control(peer_t* peer) {
  static char line[64];
  static size_t used;
  char bytes[64];
  ssize_t got = read(0, bytes, sizeof bytes);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) _exit(EXIT_ORPHANED);
  for (ssize_t i = 0; i < got; i++) {
    if (bytes[i] != '\n') {
      if (used < sizeof line - 1) line[used++] = bytes[i];
      continue;
    }
    line[used] = 0;
    used = 0;
    if (!strcmp(line, "go"))
      peer->gone = 1;
    else if (!strcmp(line, "stop"))
      peer->stopped = peer->gone = 1;
    else
      fail(peer, "unknown command on stdin: %s", line);
  }
}

int wait_for(peer_t* peer, int events, long timeout) {
  int watched = peer->options.control || peer->options.hold || peer->options.stay ? 2 : 1;
  zmq_pollitem_t items[2] = {{peer->socket, 0, (short)events, 0}, {NULL, 0, ZMQ_POLLIN, 0}};
  int ready = zmq_poll(items, watched, timeout);
  if (ready < 0 && zmq_errno() != EINTR) fail(peer, "poll: %s", zmq_strerror(zmq_errno()));
  if (ready <= 0) return 0;
  if (watched == 2 && items[1].revents) read_control(peer);
  return items[0].revents;
}

void wait_for_go(peer_t* peer) {
  if (!peer->options.hold) return;
  set_step("waiting for go", 0);
  while (!peer->gone) wait_for(peer, 0, -1);
}

void pause_between(peer_t* peer) {
  if (peer->options.delay > 0) wait_for(peer, 0, peer->options.delay);
}

int send_frame(peer_t* peer, const void* bytes, size_t size, int more) {
  while (zmq_send(peer->socket, bytes, size, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0) {
    if (zmq_errno() == EINTR) continue;
    if (zmq_errno() != EAGAIN) fail(peer, "send: %s", zmq_strerror(zmq_errno()));
    if (peer->stopped) return -1;
    wait_for(peer, ZMQ_POLLOUT, -1);
  }
  return 0;
}

int try_receive(peer_t* peer) {
  for (int k = 0; k < peer->frame_count; k++) zmq_msg_close(&peer->frames[k]);
  peer->frame_count = 0;
  int more = 1;
  while (more) {
    if (peer->frame_count == MAX_FRAMES) fail(peer, "a message of more than %d frames", MAX_FRAMES);
    zmq_msg_t* frame = &peer->frames[peer->frame_count];
    zmq_msg_init(frame);
    /* libzmq delivers multipart messages whole, so only the first frame can be missing */
    if (zmq_msg_recv(frame, peer->socket, ZMQ_DONTWAIT) < 0) {
      int error = zmq_errno();
      zmq_msg_close(frame);
      errno = error;
      return -1;
    }
    peer->frame_count++;
    more = zmq_msg_more(frame);
  }
  return 0;
}

int receive(peer_t* peer) {
  static unsigned calls;
  if (++calls % 256 == 0)
    wait_for(peer, 0, 0); /* a peer that never has to wait still reads its stdin */
  while (try_receive(peer)) {
    if (zmq_errno() == EINTR) continue;
    if (zmq_errno() != EAGAIN) fail(peer, "receive: %s", zmq_strerror(zmq_errno()));
    if (peer->stopped) return -1;
    wait_for(peer, ZMQ_POLLIN, -1);
  }
  return 0;
}

const uint8_t* frame_bytes(peer_t* peer, int k) {
  return zmq_msg_data(&peer->frames[k]);
}
size_t frame_size(peer_t* peer, int k) {
  return zmq_msg_size(&peer->frames[k]);
}
