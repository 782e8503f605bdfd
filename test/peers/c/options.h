/* The peers' command line. Usage, the same for the Python peer, stands in ../README.md. */
#ifndef PEER_OPTIONS_H
#define PEER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_ENDPOINTS = 16, MAX_FRAMES = 1024, MAX_SHAPES = 32, MAX_TOPICS = 64, MAX_SETTINGS = 32 };

typedef struct {
  size_t sizes[MAX_FRAMES];
  int frames;
} shape_t;

typedef struct {
  const char* role;
  const char* type; /* NULL: the role's own default */
  const char* binds[MAX_ENDPOINTS];
  int bind_count;
  const char* connects[MAX_ENDPOINTS];
  int connect_count;
  const char* topics[MAX_TOPICS];
  int topic_count;
  const char* settings[MAX_SETTINGS + 4]; /* NAME=VALUE, libzmq's names; 4 are the roles' own */
  int setting_count;
  shape_t shapes[MAX_SHAPES];
  int shape_count;
  uint64_t count; /* 0: until told to stop, where the role allows it */
  uint64_t first;
  uint64_t window;
  uint64_t subscribers;
  long timeout; /* milliseconds for the whole run */
  long delay;   /* milliseconds after each message */
  const char* to;
  int any, unordered, delimiter, mandatory, hold, stay, control, one_way, until_unsubscribed;
} options_t;

/* Ends the process with status 2 and a line on stderr when the command line is wrong. */
void parse_options(options_t* options, int argc, char** argv);

/* The frames of message n: the shapes take turns. */
const shape_t* shape_of(const options_t* options, uint64_t n);

/* Applies --set and its shorthands --hwm, --linger, --identity and --mandatory. */
void apply_settings(const options_t* options, void* socket);

int socket_type(const char* name);

#endif
