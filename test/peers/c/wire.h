/* A peer's socket, its waits, and what it prints.
 *
 * 1. One thread. Every wait watches the socket and, with --control or --hold, stdin as well: "go"
 * ends a hold, "stop" ends the run early, and end of file ends the process (status 4), so that no
 * peer outlives the test that started it.
 * 2. The whole run is bounded by a SIGALRM timer: status 3 and a line on stderr that names the
 * step.
 * 3. stdout carries one JSON object a line: first "ready", then events, at last the result, which
 * is the one with the key "ok". A wrong message is a result with ok false, and status 1. */
#ifndef PEER_WIRE_H
#define PEER_WIRE_H

#include <stdint.h>
#include <stdio.h>
#include <zmq.h>

#include "options.h"

typedef struct {
  options_t options;
  void *context, *socket;
  int type;
  int gone, stopped; /* "go" and "stop" were read */
  uint64_t sent, received, bytes;
  uint32_t checksum;
  zmq_msg_t frames[MAX_FRAMES]; /* the message received last */
  int frame_count;
  const char* extra; /* more JSON members for the result, or NULL */
} peer_t;

/* What the peer is doing, for the line that a timeout prints. */
void set_step(const char* step, uint64_t done);

void open_peer(peer_t* peer, int default_type);
void start_timer(const peer_t* peer);
_Noreturn void fail(peer_t* peer, const char* format, ...);
_Noreturn void finish(peer_t* peer);

/* Waits until the socket has one of the events, or `timeout` milliseconds (-1: no limit) went by,
 * or "stop" was read. Returns the events that are there. */
int wait_for(peer_t* peer, int events, long timeout);
void wait_for_go(peer_t* peer);
void pause_between(peer_t* peer);

/* 0, or -1 when the peer was stopped. Any error other than EAGAIN is a failure. */
int send_frame(peer_t* peer, const void* bytes, size_t size, int more);
int receive(peer_t* peer);

/* 0 or -1 with the errno of libzmq; never waits. */
int try_receive(peer_t* peer);

const uint8_t* frame_bytes(peer_t* peer, int k);
size_t frame_size(peer_t* peer, int k);
void print_json_text(FILE* to, const void* bytes, size_t size);
void emit_topic_event(const char* event, const void* bytes, size_t size);

#endif
