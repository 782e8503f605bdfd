/* A test peer in C: `peer ROLE [options]`, see ../README.md. One function a role. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "stream.h"
#include "wire.h"

typedef unsigned long long big;

static int has_peer_id(const peer_t* peer) {
  return peer->type == ZMQ_ROUTER;
}

static void count_frame(peer_t* peer, const uint8_t* bytes, size_t size, int more) {
  peer->bytes += size;
  peer->checksum = checksum_frame(peer->checksum, bytes, size, more);
}

/* The frame that addresses a ROUTER's peer. Until that peer is there, ROUTER answers EHOSTUNREACH.
 */
static int send_address(peer_t* peer) {
  const char* to = peer->options.to;
  if (!to) fail(peer, "a ROUTER that sends needs --to");
  for (;;) {
    if (zmq_send(peer->socket, to, strlen(to), ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0) return 0;
    if (zmq_errno() == EHOSTUNREACH) {
      if (peer->options.mandatory) fail(peer, "send: EHOSTUNREACH");
      wait_for(peer, 0, 1);
    } else if (zmq_errno() == EAGAIN) {
      wait_for(peer, ZMQ_POLLOUT, 1);
    } else if (zmq_errno() != EINTR) {
      fail(peer, "send: %s", zmq_strerror(zmq_errno()));
    }
    if (peer->stopped) return -1;
  }
}

/* Sends message n of the pattern, after an address, a delimiter or a topic where there is one. */
static int send_pattern(peer_t* peer, uint64_t n) {
  static uint8_t* buffer;
  static size_t buffer_size;
  options_t* options = &peer->options;
  if (has_peer_id(peer) && send_address(peer)) return -1;
  if (options->delimiter && send_frame(peer, "", 0, 1)) return -1;
  const shape_t* shape = shape_of(options, n);
  for (int k = 0; k < shape->frames; k++) {
    size_t size = shape->sizes[k];
    if (size > buffer_size || !buffer) {
      buffer_size = size + 1;
      buffer = realloc(buffer, buffer_size);
      if (!buffer) abort();
    }
    int more = k + 1 < shape->frames;
    pattern_fill(buffer, n, (uint32_t)k, size);
    if (send_frame(peer, buffer, size, more)) return -1;
    count_frame(peer, buffer, size, more);
  }
  peer->sent++;
  return 0;
}

/* Where the pattern starts in the message received last: behind the peer id and the delimiter. */
static int payload_start(peer_t* peer) {
  int at = has_peer_id(peer) ? 1 : 0;
  if (!peer->options.delimiter) return at;
  if (at >= peer->frame_count || frame_size(peer, at))
    fail(peer, "message %llu: no delimiter", (big)peer->received);
  return at + 1;
}

static void count_payload(peer_t* peer, int start) {
  for (int k = start; k < peer->frame_count; k++)
    count_frame(peer, frame_bytes(peer, k), frame_size(peer, k), k + 1 < peer->frame_count);
  peer->received++;
}

/* Whether the message carries a number: in its first frame of 8 bytes or more. */
static int carried_number(peer_t* peer, int start, uint64_t* n) {
  for (int k = start; k < peer->frame_count; k++) {
    if (frame_size(peer, k) < 8) continue;
    *n = pattern_number(frame_bytes(peer, k));
    return 1;
  }
  return 0;
}

static void check_pattern(peer_t* peer, int start, uint64_t n) {
  const shape_t* shape = shape_of(&peer->options, n);
  if (peer->frame_count - start != shape->frames)
    fail(peer, "message %llu: %d frames, expected %d", (big)n, peer->frame_count - start,
         shape->frames);
  for (int k = 0; k < shape->frames; k++) {
    size_t size = frame_size(peer, start + k);
    if (size != shape->sizes[k])
      fail(peer, "message %llu frame %d: %zu bytes, expected %zu", (big)n, k, size,
           shape->sizes[k]);
    long at = pattern_mismatch(frame_bytes(peer, start + k), n, (uint32_t)k, size);
    if (at >= 0) fail(peer, "message %llu frame %d: wrong byte at offset %ld", (big)n, k, at);
  }
}

/* With --unordered every number of the range comes once, in any order. */
static uint64_t take_unordered(peer_t* peer, int start) {
  static uint8_t* seen;
  options_t* options = &peer->options;
  if (!seen) seen = calloc(options->count / 8 + 1, 1);
  if (!seen) abort();
  uint64_t n;
  if (!carried_number(peer, start, &n))
    fail(peer, "message %llu: no frame of 8 bytes or more tells its number", (big)peer->received);
  uint64_t index = n - options->first;
  if (index >= options->count) fail(peer, "message %llu is outside the range", (big)n);
  if (seen[index / 8] >> (index % 8) & 1) fail(peer, "message %llu came twice", (big)n);
  seen[index / 8] |= (uint8_t)(1 << (index % 8));
  return n;
}

static void check_received(peer_t* peer) {
  int start = payload_start(peer);
  if (!peer->options.any) {
    uint64_t n = peer->options.unordered ? take_unordered(peer, start)
                                         : peer->options.first + peer->received;
    check_pattern(peer, start, n);
  }
  count_payload(peer, start);
}

static int wants_more(const peer_t* peer, uint64_t done) {
  return !peer->options.count || done < peer->options.count;
}

static void role_send(peer_t* peer) {
  wait_for_go(peer);
  for (uint64_t i = 0; i < peer->options.count; i++) {
    set_step("sending", i);
    if (send_pattern(peer, peer->options.first + i)) break;
    pause_between(peer);
  }
  set_step("staying until stop", peer->sent);
  while (peer->options.stay && !peer->stopped) wait_for(peer, 0, -1);
}

static void role_recv(peer_t* peer) {
  wait_for_go(peer);
  while (wants_more(peer, peer->received)) {
    set_step("receiving", peer->received);
    if (receive(peer)) break;
    check_received(peer);
    pause_between(peer);
  }
}

/* One message back as it came, address and delimiter included. */
static int send_back(peer_t* peer) {
  for (int k = 0; k < peer->frame_count; k++) {
    int more = k + 1 < peer->frame_count;
    while (zmq_msg_send(&peer->frames[k], peer->socket, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) <
           0) {
      if (zmq_errno() == EINTR) continue;
      if (zmq_errno() == EHOSTUNREACH) return 0; /* that client is gone: --mandatory only */
      if (zmq_errno() != EAGAIN) fail(peer, "send: %s", zmq_strerror(zmq_errno()));
      if (peer->stopped) return -1;
      wait_for(peer, ZMQ_POLLOUT, 1);
    }
  }
  peer->sent++;
  return 0;
}

static void role_echo(peer_t* peer) {
  wait_for_go(peer);
  while (wants_more(peer, peer->sent)) {
    set_step("echoing", peer->sent);
    if (receive(peer)) break;
    count_payload(peer, payload_start(peer));
    pause_between(peer);
    if (send_back(peer)) break;
  }
}

static void role_request(peer_t* peer) {
  options_t* options = &peer->options;
  uint64_t window = peer->type == ZMQ_REQ ? 1 : options->window;
  wait_for_go(peer);
  peer->bytes = 0;
  while (peer->received < options->count) {
    set_step("requesting (answers so far)", peer->received);
    int may_send = peer->sent < options->count && peer->sent - peer->received < window;
    int events = wait_for(peer, ZMQ_POLLIN | (may_send ? ZMQ_POLLOUT : 0), -1);
    if (peer->stopped) break;
    if (may_send && events & ZMQ_POLLOUT) {
      uint64_t bytes = peer->bytes;
      uint32_t checksum = peer->checksum;
      if (send_pattern(peer, options->first + peer->sent)) break;
      peer->bytes = bytes; /* only the answers count */
      peer->checksum = checksum;
    }
    if (events & ZMQ_POLLIN) {
      if (receive(peer)) break;
      check_received(peer);
    }
  }
}

/* The subscriptions that came to an XPUB, 1 a new one, 0 one taken back. */
static void take_subscriptions(peer_t* peer, uint64_t* subscribed, uint64_t* unsubscribed) {
  while (!try_receive(peer)) {
    const uint8_t* bytes = frame_bytes(peer, 0);
    size_t size = frame_size(peer, 0);
    if (size < 1 || bytes[0] > 1) continue;
    if (bytes[0])
      (*subscribed)++;
    else
      (*unsubscribed)++;
    emit_topic_event(bytes[0] ? "subscribe" : "unsubscribe", bytes + 1, size - 1);
  }
}

/* A PUB cannot see its subscribers: until "go" it repeats a message that they skip and tell of. */
static void repeat_sync(peer_t* peer) {
  options_t* options = &peer->options;
  set_step("repeating sync until go", 0);
  for (int i = 0; !peer->gone; i++) {
    if (options->topic_count) {
      const char* topic = options->topics[i % options->topic_count];
      send_frame(peer, topic, strlen(topic), 1);
    }
    send_frame(peer, "sync", 4, 0);
    wait_for(peer, 0, 2);
  }
}

static void role_pub(peer_t* peer) {
  options_t* options = &peer->options;
  uint64_t subscribed = 0, unsubscribed = 0;
  int sees_subscriptions = peer->type == ZMQ_XPUB;
  while (sees_subscriptions && subscribed < options->subscribers && !peer->stopped) {
    set_step("waiting for subscriptions", subscribed);
    wait_for(peer, ZMQ_POLLIN, -1);
    take_subscriptions(peer, &subscribed, &unsubscribed);
  }
  if (options->hold) repeat_sync(peer);
  for (uint64_t i = 0; i < options->count && !peer->stopped; i++) {
    set_step("publishing", i);
    if (options->topic_count) {
      const char* topic = options->topics[i % (uint64_t)options->topic_count];
      if (send_frame(peer, topic, strlen(topic), 1)) break;
    }
    if (send_pattern(peer, options->first + i)) break;
    pause_between(peer);
  }
  while (options->until_unsubscribed && unsubscribed < subscribed && !peer->stopped) {
    set_step("waiting for the subscriptions to be taken back", unsubscribed);
    wait_for(peer, ZMQ_POLLIN, -1);
    take_subscriptions(peer, &subscribed, &unsubscribed);
  }
}

static void subscribe(peer_t* peer, const char* topic) {
  char frame[256];
  size_t size = strlen(topic);
  if (size >= sizeof frame) fail(peer, "topic too long");
  if (peer->type == ZMQ_SUB) {
    zmq_setsockopt(peer->socket, ZMQ_SUBSCRIBE, topic, size);
    return;
  }
  frame[0] = 1;
  memcpy(frame + 1, topic, size);
  send_frame(peer, frame, size + 1, 0);
}

static int wanted_topic(peer_t* peer) {
  for (int t = 0; t < peer->options.topic_count; t++) {
    size_t size = strlen(peer->options.topics[t]);
    if (frame_size(peer, 0) >= size && !memcmp(frame_bytes(peer, 0), peer->options.topics[t], size))
      return 1;
  }
  return 0;
}

static int is_sync(peer_t* peer) {
  int last = peer->frame_count - 1;
  return frame_size(peer, last) == 4 && !memcmp(frame_bytes(peer, last), "sync", 4);
}

static void role_sub(peer_t* peer) {
  options_t* options = &peer->options;
  static char extra[80];
  uint64_t least = options->first, first = 0, last = 0;
  int synced = 0;
  for (int t = 0; t < options->topic_count; t++) subscribe(peer, options->topics[t]);
  if (!options->topic_count) subscribe(peer, "");
  wait_for_go(peer);
  while (wants_more(peer, peer->received)) {
    set_step("receiving", peer->received);
    if (receive(peer)) break;
    int start = options->topic_count ? 1 : 0;
    if (start && !wanted_topic(peer))
      fail(peer, "message %llu: a topic nobody subscribed to", (big)peer->received);
    if (is_sync(peer)) {
      if (!synced++)
        emit_topic_event("sync", frame_bytes(peer, 0), start ? frame_size(peer, 0) : 0);
      continue;
    }
    if (!carried_number(peer, start, &last)) last = least; /* nothing tells of a gap */
    if (last < least) fail(peer, "message %llu came after %llu", (big)last, (big)(least - 1));
    if (!peer->received) first = last;
    least = last + 1;
    check_pattern(peer, start, last);
    count_payload(peer, start);
  }
  snprintf(extra, sizeof extra, "\"first\":%llu,\"last\":%llu", (big)first, (big)last);
  peer->extra = extra;
}

static const struct {
  const char* name;
  int default_type;
  void (*run)(peer_t*);
} ROLES[] = {
    {"send", ZMQ_PUSH, role_send},       {"recv", ZMQ_PULL, role_recv},
    {"echo", ZMQ_ROUTER, role_echo},     {"request", ZMQ_REQ, role_request},
    {"pub", ZMQ_PUB, role_pub},          {"xpub", ZMQ_XPUB, role_pub},
    {"sub", ZMQ_SUB, role_sub},          {"xsub", ZMQ_XSUB, role_sub},
    {"stream", ZMQ_STREAM, role_stream},
};

/* What a role needs of its socket before it binds or connects. */
static void add_role_settings(options_t* options, int type) {
  if (type == ZMQ_XPUB)
    options->settings[options->setting_count++] = "XPUB_VERBOSER=1"; /* every subscriber counts */
  if (type == ZMQ_ROUTER && options->to)
    options->settings[options->setting_count++] = "ROUTER_MANDATORY=1";
}

int main(int argc, char** argv) {
  static peer_t peer;
  parse_options(&peer.options, argc, argv);
  start_timer(&peer);
  for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++) {
    if (strcmp(peer.options.role, ROLES[i].name)) continue;
    int type = peer.options.type ? socket_type(peer.options.type) : ROLES[i].default_type;
    add_role_settings(&peer.options, type);
    open_peer(&peer, type);
    ROLES[i].run(&peer);
    finish(&peer);
  }
  fprintf(stderr, "peer: unknown role %s\n", peer.options.role);
  return 2;
}
