// The routing ids that a ROUTER or STREAM socket gives to peers as it connects to them
// (ZMQ_CONNECT_ROUTING_ID). libzmq aborts the process for one that a peer has.
//
//  1. Guarded by the socket's mutex.
//  2. An id that was given once is not given again: when libzmq is done with a peer that was
//  disconnected from, it tells nobody.
//  3. What is set is taken by the next peer, whoever wanted it: libzmq has no way to unset it.
#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace zt {

class Context;

class PeerNames {
 public:
  // Told of every option that the application set.
  void noteOption(int option, const void* value, size_t size);

  // Before a connect that names its peer, unless that is empty. 0 or errno: EADDRINUSE if a peer
  // has, or had, the id.
  int beforeConnect(void* socket, int type, Context& context, bool midMessage,
                    const std::string& routingId);
  // After it.
  void afterConnect(void* socket, const std::string& address, bool connected);

 private:
  bool has(void* socket, int type, bool midMessage, const std::string& routingId);
  int useUp(void* socket, Context& context);

  std::set<std::string> given_;
  std::string next_;       // what is set, if anything
  bool unwanted_ = false;  // it was for a connect that failed
  bool mandatory_ = false;
  bool raw_ = false;
};

}  // namespace zt
