#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void usage(const char* format, ...) {
  va_list args;
  va_start(args, format);
  fputs("peer: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(2);
}

static uint64_t number(const char* option, const char* text) {
  char* end;
  unsigned long long value = strtoull(text, &end, 10);
  if (end == text || *end || *text == '-') usage("%s: expected a number, got %s", option, text);
  return value;
}

static void append(const char** list, int* count, int max, const char* option, const char* value) {
  if (*count == max) usage("%s: at most %d", option, max);
  list[(*count)++] = value;
}

static void add_setting(options_t* options, const char* name, const char* value) {
  char* setting = malloc(strlen(name) + strlen(value) + 2);
  if (!setting) abort();
  sprintf(setting, "%s=%s", name, value);
  append(options->settings, &options->setting_count, MAX_SETTINGS, "--set", setting);
}

static void add_shape(options_t* options, const char* option, const char* text) {
  if (options->shape_count == MAX_SHAPES) usage("%s: at most %d", option, MAX_SHAPES);
  shape_t* shape = &options->shapes[options->shape_count++];
  for (;;) {
    char* end;
    if (shape->frames == MAX_FRAMES) usage("%s: at most %d frames", option, MAX_FRAMES);
    shape->sizes[shape->frames++] = strtoull(text, &end, 10);
    if (end == text || (*end && *end != ','))
      usage("%s: expected numbers with commas, got %s", option, text);
    if (!*end) return;
    text = end + 1;
  }
}

static const struct {
  const char* name;
  size_t offset;
} FLAGS[] = {
    {"--any", offsetof(options_t, any)},
    {"--unordered", offsetof(options_t, unordered)},
    {"--delimiter", offsetof(options_t, delimiter)},
    {"--mandatory", offsetof(options_t, mandatory)},
    {"--hold", offsetof(options_t, hold)},
    {"--stay", offsetof(options_t, stay)},
    {"--control", offsetof(options_t, control)},
    {"--one-way", offsetof(options_t, one_way)},
    {"--until-unsubscribed", offsetof(options_t, until_unsubscribed)},
};

static int parse_flag(options_t* options, const char* name) {
  for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
    if (strcmp(name, FLAGS[i].name)) continue;
    *(int*)((char*)options + FLAGS[i].offset) = 1;
    return 1;
  }
  return 0;
}

void parse_options(options_t* options, int argc, char** argv) {
  memset(options, 0, sizeof *options);
  options->window = 1;
  options->subscribers = 1;
  options->timeout = 30000;
  size_t size = 16;
  uint64_t frames = 1;
  if (argc < 2) usage("expected a role");
  options->role = argv[1];
  for (int i = 2; i < argc; i++) {
    const char* name = argv[i];
    if (parse_flag(options, name)) continue;
    if (i + 1 == argc) usage("unknown flag, or a value is missing: %s", name);
    const char* value = argv[++i];
    if (!strcmp(name, "--type"))
      options->type = value;
    else if (!strcmp(name, "--bind"))
      append(options->binds, &options->bind_count, MAX_ENDPOINTS, name, value);
    else if (!strcmp(name, "--connect"))
      append(options->connects, &options->connect_count, MAX_ENDPOINTS, name, value);
    else if (!strcmp(name, "--topic"))
      append(options->topics, &options->topic_count, MAX_TOPICS, name, value);
    else if (!strcmp(name, "--set"))
      append(options->settings, &options->setting_count, MAX_SETTINGS, name, value);
    else if (!strcmp(name, "--count"))
      options->count = number(name, value);
    else if (!strcmp(name, "--first"))
      options->first = number(name, value);
    else if (!strcmp(name, "--size"))
      size = number(name, value);
    else if (!strcmp(name, "--frames"))
      frames = number(name, value);
    else if (!strcmp(name, "--sizes") || !strcmp(name, "--shape"))
      add_shape(options, name, value);
    else if (!strcmp(name, "--window"))
      options->window = number(name, value);
    else if (!strcmp(name, "--subscribers"))
      options->subscribers = number(name, value);
    else if (!strcmp(name, "--timeout"))
      options->timeout = (long)number(name, value);
    else if (!strcmp(name, "--delay"))
      options->delay = (long)number(name, value);
    else if (!strcmp(name, "--to"))
      options->to = value;
    else if (!strcmp(name, "--identity"))
      add_setting(options, "ROUTING_ID", value);
    else if (!strcmp(name, "--linger"))
      add_setting(options, "LINGER", value);
    else if (!strcmp(name, "--hwm")) {
      add_setting(options, "SNDHWM", value);
      add_setting(options, "RCVHWM", value);
    } else
      usage("unknown option %s", name);
  }
  if (options->shape_count == 0) {
    if (frames < 1 || frames > MAX_FRAMES) usage("--frames: expected 1 to %d", MAX_FRAMES);
    shape_t* shape = &options->shapes[options->shape_count++];
    shape->frames = (int)frames;
    for (int k = 0; k < shape->frames; k++) shape->sizes[k] = size;
  }
  if (options->window < 1) usage("--window: expected at least 1");
  if (options->bind_count + options->connect_count == 0) usage("expected --bind or --connect");
}

const shape_t* shape_of(const options_t* options, uint64_t n) {
  return &options->shapes[n % (uint64_t)options->shape_count];
}

typedef enum { AS_INT, AS_INT64, AS_TEXT } kind_t;

static const struct {
  const char* name;
  int id;
  kind_t kind;
} SETTINGS[] = {
    {"SNDHWM", ZMQ_SNDHWM, AS_INT},
    {"RCVHWM", ZMQ_RCVHWM, AS_INT},
    {"LINGER", ZMQ_LINGER, AS_INT},
    {"SNDBUF", ZMQ_SNDBUF, AS_INT},
    {"RCVBUF", ZMQ_RCVBUF, AS_INT},
    {"IPV6", ZMQ_IPV6, AS_INT},
    {"IMMEDIATE", ZMQ_IMMEDIATE, AS_INT},
    {"CONFLATE", ZMQ_CONFLATE, AS_INT},
    {"MAXMSGSIZE", ZMQ_MAXMSGSIZE, AS_INT64},
    {"RECONNECT_IVL", ZMQ_RECONNECT_IVL, AS_INT},
    {"RECONNECT_IVL_MAX", ZMQ_RECONNECT_IVL_MAX, AS_INT},
    {"HANDSHAKE_IVL", ZMQ_HANDSHAKE_IVL, AS_INT},
    {"HEARTBEAT_IVL", ZMQ_HEARTBEAT_IVL, AS_INT},
    {"HEARTBEAT_TIMEOUT", ZMQ_HEARTBEAT_TIMEOUT, AS_INT},
    {"HEARTBEAT_TTL", ZMQ_HEARTBEAT_TTL, AS_INT},
    {"ROUTING_ID", ZMQ_ROUTING_ID, AS_TEXT},
    {"CONNECT_ROUTING_ID", ZMQ_CONNECT_ROUTING_ID, AS_TEXT},
    {"ROUTER_MANDATORY", ZMQ_ROUTER_MANDATORY, AS_INT},
    {"ROUTER_HANDOVER", ZMQ_ROUTER_HANDOVER, AS_INT},
    {"PROBE_ROUTER", ZMQ_PROBE_ROUTER, AS_INT},
    {"REQ_RELAXED", ZMQ_REQ_RELAXED, AS_INT},
    {"REQ_CORRELATE", ZMQ_REQ_CORRELATE, AS_INT},
    {"XPUB_VERBOSE", ZMQ_XPUB_VERBOSE, AS_INT},
    {"XPUB_VERBOSER", ZMQ_XPUB_VERBOSER, AS_INT},
    {"XPUB_NODROP", ZMQ_XPUB_NODROP, AS_INT},
    {"INVERT_MATCHING", ZMQ_INVERT_MATCHING, AS_INT},
    {"STREAM_NOTIFY", ZMQ_STREAM_NOTIFY, AS_INT},
    {"PLAIN_SERVER", ZMQ_PLAIN_SERVER, AS_INT},
    {"PLAIN_USERNAME", ZMQ_PLAIN_USERNAME, AS_TEXT},
    {"PLAIN_PASSWORD", ZMQ_PLAIN_PASSWORD, AS_TEXT},
    {"CURVE_SERVER", ZMQ_CURVE_SERVER, AS_INT},
    {"CURVE_PUBLICKEY", ZMQ_CURVE_PUBLICKEY, AS_TEXT},
    {"CURVE_SECRETKEY", ZMQ_CURVE_SECRETKEY, AS_TEXT},
    {"CURVE_SERVERKEY", ZMQ_CURVE_SERVERKEY, AS_TEXT},
    {"ZAP_DOMAIN", ZMQ_ZAP_DOMAIN, AS_TEXT},
};

static void apply(void* socket, const char* setting) {
  const char* value = strchr(setting, '=');
  if (!value) usage("--set: expected NAME=VALUE, got %s", setting);
  size_t length = (size_t)(value++ - setting);
  for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
    if (strlen(SETTINGS[i].name) != length || strncmp(setting, SETTINGS[i].name, length)) continue;
    int as_int = atoi(value);
    int64_t as_int64 = strtoll(value, NULL, 10);
    const void* at = SETTINGS[i].kind == AS_INT     ? (const void*)&as_int
                     : SETTINGS[i].kind == AS_INT64 ? (const void*)&as_int64
                                                    : value;
    size_t size = SETTINGS[i].kind == AS_INT     ? sizeof as_int
                  : SETTINGS[i].kind == AS_INT64 ? sizeof as_int64
                                                 : strlen(value);
    if (zmq_setsockopt(socket, SETTINGS[i].id, at, size))
      usage("--set %s: %s", setting, zmq_strerror(zmq_errno()));
    return;
  }
  usage("--set: unknown socket option %s", setting);
}

void apply_settings(const options_t* options, void* socket) {
  for (int i = 0; i < options->setting_count; i++) apply(socket, options->settings[i]);
  if (options->mandatory) apply(socket, "ROUTER_MANDATORY=1");
}

int socket_type(const char* name) {
  static const char* const NAMES[] = {"PAIR",   "PUB",  "SUB",  "REQ",  "REP",  "DEALER",
                                      "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM"};
  for (int i = 0; i < (int)(sizeof NAMES / sizeof *NAMES); i++)
    if (!strcmp(name, NAMES[i])) return i; /* libzmq numbers them in this order */
  usage("unknown socket type %s", name);
  return -1;
}
