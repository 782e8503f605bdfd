#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "pattern.h"

enum { MAX_CONNECTIONS = 1024, ID_SIZE = 5, MAX_IN_FLIGHT = 256 * 1024 };

static uint8_t connections[MAX_CONNECTIONS][ID_SIZE];
static int connection_count;
static unsigned long long connects, disconnects;

static void emit(const char* event, const uint8_t* id) {
  printf("{\"event\":\"%s\",\"peer\":\"", event);
  for (int i = 0; i < ID_SIZE; i++) printf("%02x", id[i]);
  printf("\"}\n");
  fflush(stdout);
}

/* An empty message is a connect the first time an id is seen, and a disconnect the next. */
static void take_notification(peer_t* peer, const uint8_t* id) {
  for (int i = 0; i < connection_count; i++) {
    if (memcmp(connections[i], id, ID_SIZE)) continue;
    memmove(connections[i], connections[--connection_count], ID_SIZE);
    disconnects++;
    emit("disconnect", id);
    return;
  }
  if (connection_count == MAX_CONNECTIONS) fail(peer, "more than %d connections", MAX_CONNECTIONS);
  memcpy(connections[connection_count++], id, ID_SIZE);
  connects++;
  emit("connect", id);
}

static int receive_stream(peer_t* peer) {
  if (receive(peer)) return -1;
  if (peer->frame_count != 2 || frame_size(peer, 0) != ID_SIZE)
    fail(peer, "expected a connection id and bytes");
  if (frame_size(peer, 1) == 0) take_notification(peer, frame_bytes(peer, 0));
  return 0;
}

static void count_bytes(peer_t* peer, const uint8_t* bytes, size_t size) {
  peer->bytes += size;
  peer->checksum = checksum_bytes(peer->checksum, bytes, size);
}

static void serve(peer_t* peer) {
  wait_for_go(peer);
  while (!peer->options.count || disconnects < peer->options.count) {
    set_step("echoing bytes", peer->bytes);
    if (receive_stream(peer)) return;
    size_t size = frame_size(peer, 1);
    if (!size) continue;
    count_bytes(peer, frame_bytes(peer, 1), size);
    peer->received++;
    if (peer->options.one_way) continue;
    if (send_frame(peer, frame_bytes(peer, 0), ID_SIZE, 1) ||
        send_frame(peer, frame_bytes(peer, 1), size, 0))
      return;
    peer->sent++;
  }
}

static size_t message_size(const options_t* options, uint64_t n) {
  const shape_t* shape = shape_of(options, n);
  size_t size = 0;
  for (int k = 0; k < shape->frames; k++) size += shape->sizes[k];
  return size;
}

/* What is to go over the wire, all of it: small enough in a test to be kept whole. */
static uint8_t* whole_stream(const options_t* options, size_t* size) {
  size_t at = 0;
  *size = 0;
  for (uint64_t i = 0; i < options->count; i++) *size += message_size(options, options->first + i);
  uint8_t* bytes = malloc(*size + 1);
  if (!bytes) abort();
  for (uint64_t i = 0; i < options->count; i++) {
    const shape_t* shape = shape_of(options, options->first + i);
    for (int k = 0; k < shape->frames; k++) {
      pattern_fill(bytes + at, options->first + i, (uint32_t)k, shape->sizes[k]);
      at += shape->sizes[k];
    }
  }
  return bytes;
}

static void request(peer_t* peer) {
  uint8_t id[ID_SIZE];
  size_t total, sent = 0, echoed = 0;
  uint8_t* bytes = whole_stream(&peer->options, &total);
  set_step("connecting", 0);
  while (!connects)
    if (receive_stream(peer)) return;
  memcpy(id, frame_bytes(peer, 0), ID_SIZE);
  wait_for_go(peer);
  while (sent < total || (!peer->options.one_way && echoed < total)) {
    set_step("sending bytes, echoed so far", echoed);
    while (sent < total && (peer->options.one_way || sent - echoed < MAX_IN_FLIGHT)) {
      size_t size = message_size(&peer->options, peer->options.first + peer->sent);
      if (!size) fail(peer, "an empty message would end the connection");
      if (send_frame(peer, id, ID_SIZE, 1) || send_frame(peer, bytes + sent, size, 0)) return;
      sent += size;
      peer->sent++;
    }
    if (peer->options.one_way) break;
    if (receive_stream(peer)) return;
    size_t size = frame_size(peer, 1);
    if (!size) fail(peer, "disconnected after %zu bytes of %zu", echoed, total);
    if (size > total - echoed || memcmp(frame_bytes(peer, 1), bytes + echoed, size))
      fail(peer, "wrong echo in the %zu bytes from offset %zu", size, echoed);
    count_bytes(peer, frame_bytes(peer, 1), size);
    peer->received++;
    echoed += size;
  }
  if (peer->options.one_way) {
    count_bytes(peer, bytes, total); /* closing with linger ends the connection once all is out */
    return;
  }
  if (!send_frame(peer, id, ID_SIZE, 1))
    send_frame(peer, "", 0, 0); /* ends the connection at once */
}

void role_stream(peer_t* peer) {
  static char extra[80];
  if (peer->options.bind_count)
    serve(peer);
  else
    request(peer);
  snprintf(extra, sizeof extra, "\"connects\":%llu,\"disconnects\":%llu", connects, disconnects);
  peer->extra = extra;
}
