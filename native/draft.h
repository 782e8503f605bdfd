// libzmq's draft API, where the libzmq at hand has it. It is looked up at run time, so that one
// build of the addon goes with a libzmq that has it and with one that has not; an addon that
// carries its libzmq along is linked with it.
//
//  1. draftApi() is for any thread; what it gives never changes.
//  2. A DraftDescriptor belongs to a socket and is guarded by its mutex. It must go before the zmq
//  socket does.
#pragma once

#include <zmq.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "chunk.h"
#include "wake.h"

namespace zt {

struct DraftApi {
  int (*join)(void* socket, const char* group);
  int (*leave)(void* socket, const char* group);
  uint32_t (*connectPeer)(void* socket, const char* address);  // null before 4.3.3
  int (*setRoutingId)(zmq_msg_t* message, uint32_t id);
  uint32_t (*routingId)(zmq_msg_t* message);
  int (*setGroup)(zmq_msg_t* message, const char* group);
  const char* (*group)(zmq_msg_t* message);
  void* (*pollerNew)();
  int (*pollerDestroy)(void** poller);
  int (*pollerAdd)(void* poller, void* socket, void* data, short events);
  int (*pollerDescriptor)(void* poller, NativeFd* fd);
};

// Null if this libzmq has none.
const DraftApi* draftApi();

// Its socket types, by libzmq's numbers: zmq.h names them only for who has a draft build.
enum DraftType : int {
  kClientSocket = 13,
  kScatterSocket = 17,
  kDatagramSocket = 18,
  kChannelSocket = 20,
};

// Whether libzmq can send a message in one datagram: into its buffer it copies what there is, and a
// peer is ended by a group whose length is negative as a signed byte.
bool fitsDatagram(zmq_msg_t* message);

// The descriptor of a zmq socket that has no ZMQ_FD, since any thread may use it: a poller's. It
// signals when there is news, as ZMQ_FD does, and until consume(), which is called where
// ZMQ_EVENTS would do that for others: before a look.
class DraftDescriptor {
 public:
  static std::unique_ptr<DraftDescriptor> of(void* socket);  // null if there is none to be had
  ~DraftDescriptor();
  NativeFd fd() const { return fd_; }
  void consume();

 private:
  explicit DraftDescriptor(void* poller) : poller_(poller) {}
  void* poller_;
  NativeFd fd_{};
};

// Routing ids and groups of received messages, as properties beside those of their connection.
class TagCache {
 public:
  // Valid until the next call.
  const std::shared_ptr<const Metadata>& of(zmq_msg_t* message,
                                            const std::shared_ptr<const Metadata>& connection);

 private:
  struct Entry {
    std::shared_ptr<const Metadata> connection;  // kept, so that its address stays its own
    uint32_t routingId;
    std::string group;
    std::shared_ptr<const Metadata> metadata;
    bool is(const std::shared_ptr<const Metadata>& other, uint32_t id, const char* name) const {
      return routingId == id && connection == other && group == name;
    }
  };
  std::unordered_map<size_t, Entry> known_;
  const Entry* last_ = nullptr;
};

// The names of those properties; no connection has them, for they are not what ZMTP allows.
constexpr const char* kRoutingIdTag = "@routing-id";
constexpr const char* kGroupTag = "@group";

}  // namespace zt
