#include "peer_names.h"

#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "context.h"

namespace zt {

void PeerNames::noteOption(int option, const void* value, size_t size) {
  if (option == ZMQ_CONNECT_ROUTING_ID) {
    next_.assign(static_cast<const char*>(value), size);
    unwanted_ = false;
    return;
  }
  if (option != ZMQ_ROUTER_MANDATORY && option != ZMQ_ROUTER_RAW) return;
  int number = 0;
  std::memcpy(&number, value, std::min(size, sizeof number));
  (option == ZMQ_ROUTER_RAW ? raw_ : mandatory_) = number != 0;
}

int PeerNames::beforeConnect(void* socket, int type, Context& context, bool midMessage,
                             const std::string& routingId) {
  if (routingId.empty() && unwanted_) {
    const int error = useUp(socket, context);
    if (error != 0) return error;
  }
  const std::string& wanted = routingId.empty() ? next_ : routingId;
  if (wanted.empty()) return 0;
  if (given_.count(wanted) != 0 || has(socket, type, midMessage, wanted)) return EADDRINUSE;
  if (routingId.empty()) return 0;
  if (zmq_setsockopt(socket, ZMQ_CONNECT_ROUTING_ID, routingId.data(), routingId.size()) != 0)
    return zmq_errno();
  next_ = routingId;
  unwanted_ = true;  // unless the connect succeeds
  return 0;
}

void PeerNames::afterConnect(void* socket, const std::string& address, bool connected) {
  if (!connected || next_.empty()) return;
  // Peers that are there only once they are connected (ZMQ_IMMEDIATE) do not take it.
  int immediate = 0;
  size_t size = sizeof immediate;
  const bool inproc = address.compare(0, 7, "inproc:") == 0;
  if (!inproc && zmq_getsockopt(socket, ZMQ_IMMEDIATE, &immediate, &size) == 0 && immediate != 0)
    return;
  given_.insert(next_);
  next_.clear();
  unwanted_ = false;
}

// Whether a peer that came by itself has it, as far as a send to it tells. libzmq looks a peer up
// at a message's first frame; if there is one, the message has to be ended, and that peer gets an
// empty one.
bool PeerNames::has(void* socket, int type, bool midMessage, const std::string& routingId) {
  if (type != ZMQ_ROUTER || raw_ || midMessage) return false;
  const int yes = 1;
  const int before = mandatory_ ? 1 : 0;
  if (zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes) != 0) return false;
  const int flags = ZMQ_DONTWAIT | ZMQ_SNDMORE;
  const bool begun = zmq_send(socket, routingId.data(), routingId.size(), flags) >= 0;
  const bool full = !begun && zmq_errno() == EAGAIN;
  if (begun) zmq_send(socket, "", 0, ZMQ_DONTWAIT);
  zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &before, sizeof before);
  return begun || full;
}

// Gives it to a peer that goes away at once.
int PeerNames::useUp(void* socket, Context& context) {
  static std::atomic<uint32_t> count{0};
  int error = 0;
  void* peer = context.openSocket(ZMQ_PAIR, error);
  if (peer == nullptr) return error;
  const std::string address = "inproc://zeromq-threads.unwanted." + std::to_string(++count);
  const bool done =
      zmq_bind(peer, address.c_str()) == 0 && zmq_connect(socket, address.c_str()) == 0;
  if (!done) error = zmq_errno();
  if (done) {
    zmq_disconnect(socket, address.c_str());
    given_.insert(next_);
    next_.clear();
    unwanted_ = false;
  }
  zmq_close(peer);
  return error;
}

}  // namespace zt
