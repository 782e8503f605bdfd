/* Raw TCP through ZMQ_STREAM: every message is a connection id and bytes, where no bytes mean that
 * the connection came or went. Bound, the role echoes; connected, it sends the pattern as one byte
 * stream and, unless --one-way, verifies the echo. */
#ifndef PEER_STREAM_H
#define PEER_STREAM_H

#include "wire.h"

void role_stream(peer_t* peer);

#endif
