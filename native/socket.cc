#include "socket.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "listeners.h"

namespace zt {

namespace {

constexpr size_t kLongestHost = 256;      // what a wildcard may become
constexpr int kXpubManualLastValue = 98;  // of libzmq's draft interface

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<Socket>> sockets;
  uint32_t nextId = 1;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

std::shared_ptr<Socket> Socket::open(const std::shared_ptr<Context>& context, int type,
                                     const void* openedBy, int& error) {
  void* handle = context->openSocket(type, error);
  if (handle == nullptr) return nullptr;
  // libzmq's thread-safe (draft) types have no descriptor of their own.
  NativeFd fd{};
  size_t size = sizeof fd;
  std::unique_ptr<DraftDescriptor> descriptor;
  if (zmq_getsockopt(handle, ZMQ_FD, &fd, &size) != 0) {
    error = zmq_errno();
    descriptor = DraftDescriptor::of(handle);
    if (!descriptor) {
      zmq_close(handle);
      return nullptr;
    }
  }
  std::shared_ptr<Socket> socket;
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    const uint32_t id = directory().nextId++;
    socket.reset(new Socket(id, type, context, openedBy, handle, fd, std::move(descriptor)));
    directory().sockets.emplace(id, socket);
  }
  if (!context->add(socket)) {
    socket->close(0);
    error = ETERM;
    return nullptr;
  }
  return socket;
}

std::shared_ptr<Socket> Socket::find(uint32_t id) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().sockets.find(id);
  return found == directory().sockets.end() ? nullptr : found->second.lock();
}

Socket::Socket(uint32_t id, int type, std::shared_ptr<Context> context, const void* openedBy,
               void* handle, NativeFd fd, std::unique_ptr<DraftDescriptor> descriptor)
    : id(id),
      type(type),
      context(std::move(context)),
      tagged(descriptor != nullptr),
      openedBy(openedBy),
      handle_(handle),
      descriptor_(std::move(descriptor)),
      fd_(descriptor_ ? descriptor_->fd() : fd),
      datagrams_(type == kDatagramSocket),
      batchSizes_(handle, type),
      lingerDeadline_(kNoDeadline) {}

Socket::~Socket() {
  if (auto watched = watched_.lock()) watched->stopMonitor();
  stopMonitorLocked();
  descriptor_.reset();
  if (handle_ != nullptr) zmq_close(handle_);
  std::lock_guard<std::mutex> lock(directory().mutex);
  directory().sockets.erase(id);
}

int Socket::eventsLocked(int& error) {
  if (refusal_ != 0) {
    error = refusal_;
    return -1;
  }
  if (descriptor_) descriptor_->consume();
  int events = 0;
  size_t size = sizeof events;
  while (zmq_getsockopt(handle_, ZMQ_EVENTS, &events, &size) != 0) {
    if (zmq_errno() == EINTR) continue;
    error = zmq_errno();
    return -1;
  }
  touched.store(false, std::memory_order_relaxed);
  return events;
}

int Socket::receiveLocked(zmq_msg_t* message) {
  if (refusal_ != 0) return refusal_;
  bool consumed = descriptor_ == nullptr;
  while (zmq_msg_recv(message, handle_, ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() == EINTR) continue;
    if (zmq_errno() != EAGAIN || consumed) return zmq_errno();
    descriptor_->consume();  // what it told of may be here by now
    consumed = true;
  }
  return 0;
}

bool Socket::mayWaitBrieflyLocked() const {
  return refusal_ == 0 && !shared.load(std::memory_order_relaxed) && outbox_.empty() &&
         !othersArmedLocked(nullptr);
}

int Socket::receiveBrieflyLocked(zmq_msg_t* message) {
  if (!briefly_) {
    size_t size = sizeof receiveTimeout_;
    if (zmq_getsockopt(handle_, ZMQ_RCVTIMEO, &receiveTimeout_, &size) != 0 ||
        zmq_setsockopt(handle_, ZMQ_RCVTIMEO, &kBriefWaitMs, sizeof kBriefWaitMs) != 0) {
      return receiveLocked(message);
    }
    briefly_ = true;
  }
  if (zmq_msg_recv(message, handle_, 0) >= 0) return 0;
  const int error = zmq_errno();
  return error == EINTR ? EAGAIN : error;
}

int Socket::sendLocked(Frame* frames, size_t count, size_t& next, bool more, Look look) {
  if (refusal_ != 0) return refusal_;
  if (datagrams_ && next == 0) {
    if (!fitsDatagram(frames[count - 1].raw())) return EMSGSIZE;
    // Without an endpoint a DGRAM drops what it gets, and says nothing.
    int error = 0;
    if (type == kDatagramSocket && !midMessage_) {
      const int events = eventsLocked(error);
      if (events < 0) return error;
      if ((events & ZMQ_POLLOUT) == 0) return EAGAIN;
    }
  }
  bool retried = look == Look::kNo;
  while (next < count) {
    const bool follows = next + 1 < count || more;
    if (dropRest_) {
      dropRest_ = follows;
      ++next;
      continue;
    }
    const int flags = ZMQ_DONTWAIT | (follows ? ZMQ_SNDMORE : 0);
    if (zmq_msg_send(frames[next].raw(), handle_, flags) >= 0) {
      midMessage_ = follows;
      hasSent_ = true;
      ++next;
      continue;
    }
    const int error = zmq_errno();
    if (error == EINTR) continue;
    if (error == EAGAIN && midMessage_) {
      // Not for lack of room: the peer is gone. Load-balancing types drop what follows themselves.
      midMessage_ = false;
      dropRest_ = follows && type == ZMQ_PAIR;
      ++next;
      continue;
    }
    if (error != EAGAIN || retried) return error;
    // libzmq looks at its commands only now and then while sending: the room may be there already.
    retried = true;
    int ignored = 0;
    const int events = eventsLocked(ignored);
    if (events < 0 || (events & ZMQ_POLLOUT) == 0) return EAGAIN;
  }
  return 0;
}

void Socket::unwatchLocked(const Watch* watch) {
  watches_.erase(std::remove_if(watches_.begin(), watches_.end(),
                                [watch](const auto& entry) { return entry.get() == watch; }),
                 watches_.end());
}

bool Socket::othersArmedLocked(const Watch* self) const {
  for (const auto& watch : watches_) {
    if (watch->armed && watch.get() != self) return true;
  }
  return false;
}

void Socket::settleLocked(const Watch* self, int ignore) {
  if (!othersArmedLocked(self)) return;
  int error = 0;
  const int events = eventsLocked(error);
  for (const auto& watch : watches_) {
    if (!watch->armed) continue;
    if (events >= 0 && (events & watch->mask & ~ignore) == 0) continue;
    watch->armed = false;
    watch->fire();
  }
}

void Socket::fireReadableLocked(const Watch* except) {
  for (const auto& watch : watches_) {
    if (!watch->armed || watch.get() == except || (watch->mask & ZMQ_POLLIN) == 0) continue;
    watch->armed = false;
    watch->fire();
  }
}

void Socket::fireAllLocked() {
  for (const auto& watch : watches_) {
    watch->armed = false;
    watch->fire();
  }
}

void Socket::wakeAll() {
  Guard guard(mutex);
  fireAllLocked();
}

int Socket::claimLocked() {
  if (refusal_ != 0) return refusal_;
  const bool halfSent = midMessage_ || (!outbox_.empty() && outbox_.back().more);
  if (claimed_ || halfSent) return EBUSY;
  claimed_ = true;
  fireAllLocked();
  return 0;
}

void Socket::unclaimLocked() {
  claimed_ = false;
  fireAllLocked();
}

void Socket::noteEndpointLocked(const char* address) {
  if (std::strncmp(address, "udp:", 4) == 0) datagrams_ = true;
  static const char kInproc[] = "inproc:";
  if (inproc_ || std::strncmp(address, kInproc, sizeof kInproc - 1) != 0) return;
  // What waits for a peer may go to this one now, so it must not borrow memory any more. What has a
  // routing id or a group never does, and a copy would be without.
  for (Parked& parked : outbox_) {
    if (tagged) break;
    for (Frame& frame : parked.frames) {
      if (frame.size() >= kZeroCopyBytes) frame = Frame(frame.data(), frame.size());
    }
  }
  inproc_ = true;
}

int Socket::endpoint(int (*call)(void*, const char*), const std::string& address) {
  return withEndpoint(address.c_str(),
                      [&] { return call(handle_, address.c_str()) == 0 ? 0 : zmq_errno(); });
}

int Socket::connect(const std::string& address, const std::string& routingId) {
  return withEndpoint(address.c_str(), [&] {
    // Who sends meanwhile, in the midst of a message or not, is a proxy.
    const bool midMessage = midMessage_ || claimed_;
    int error = peerNames_.beforeConnect(handle_, type, *context, midMessage, routingId);
    if (error != 0) return error;
    if (zmq_connect(handle_, address.c_str()) != 0) error = zmq_errno();
    peerNames_.afterConnect(handle_, address, error == 0);
    return error;
  });
}

int Socket::disconnect(const std::string& address) {
  return endpoint(zmq_disconnect, address);
}

int Socket::bind(const std::string& address) {
  return bindOnceFree(address, [&] {
    return withEndpoint(address.c_str(), [&] {
      if (zmq_bind(handle_, address.c_str()) != 0) return zmq_errno();
      std::vector<char> resolved(address.size() + kLongestHost);
      size_t size = resolved.size();
      if (zmq_getsockopt(handle_, ZMQ_LAST_ENDPOINT, resolved.data(), &size) == 0)
        listening_.emplace_back(resolved.data());
      return 0;
    });
  });
}

int Socket::unbind(const std::string& address) {
  const int error = endpoint(zmq_unbind, address);
  if (error != 0) return error;
  noteStoppedListening({address});
  Guard guard(mutex);
  const auto known = std::find(listening_.begin(), listening_.end(), address);
  if (known != listening_.end()) listening_.erase(known);
  return 0;
}

int Socket::withEndpoint(const char* address, const std::function<int()>& call) {
  Guard guard(mutex);
  if (refusal_ != 0) return refusal_;
  try {
    noteEndpointLocked(address);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  const int result = call();
  settleLocked();
  return result;
}

int Socket::joinGroup(const char* group, bool leave) {
  const DraftApi* api = draftApi();
  if (api == nullptr) return ENOTSUP;
  Guard guard(mutex);
  if (refusal_ != 0) return refusal_;
  const int result = (leave ? api->leave : api->join)(handle_, group) == 0 ? 0 : zmq_errno();
  settleLocked();
  return result;
}

int Socket::connectPeer(const char* address, uint32_t& routingId) {
  const DraftApi* api = draftApi();
  if (api == nullptr || api->connectPeer == nullptr) return ENOTSUP;
  return withEndpoint(address, [&] {
    routingId = api->connectPeer(handle_, address);
    return routingId != 0 ? 0 : zmq_errno();
  });
}

int Socket::monitor(const std::shared_ptr<Socket>& reader, const char* address, int events) {
  {
    Guard guard(mutex);
    if (refusal_ != 0) return refusal_;
    if (zmq_socket_monitor(handle_, address, events) != 0) return zmq_errno();
    monitored_ = true;
  }
  const int error = reader->connect(address);
  if (error != 0) {
    stopMonitor();
    return error;
  }
  Guard guard(reader->mutex);
  reader->watched_ = shared_from_this();
  return 0;
}

void Socket::stopMonitor() {
  Guard guard(mutex);
  stopMonitorLocked();
}

void Socket::stopMonitorLocked() {
  if (monitored_ && handle_ != nullptr) zmq_socket_monitor(handle_, nullptr, 0);
  monitored_ = false;
}

int Socket::setOption(int option, const void* value, size_t size) {
  Guard guard(mutex);
  if (refusal_ != 0) return refusal_;
  int number = -1;
  if (size == sizeof(int)) std::memcpy(&number, value, sizeof number);
  if (option == ZMQ_USE_FD && number != -1) {
    const int error = checkListening(static_cast<NativeFd>(number));
    if (error != 0) return error;
  }
  if (zmq_setsockopt(handle_, option, value, size) != 0) return zmq_errno();
  peerNames_.noteOption(option, value, size);
  batchSizes_.noteOption(handle_, option, number);
  if (option == ZMQ_RCVTIMEO) briefly_ = false;
  // Subscriptions are granted to the peer whose message came last.
  if (option == ZMQ_XPUB_MANUAL || option == kXpubManualLastValue) oneByOne.store(number != 0);
  settleLocked();
  return 0;
}

int Socket::getOption(int option, void* value, size_t* size) {
  Guard guard(mutex);
  if (refusal_ != 0) return refusal_;
  // What libzmq has is ours, not the application's.
  if (option == ZMQ_RCVTIMEO && briefly_ && *size >= sizeof receiveTimeout_) {
    std::memcpy(value, &receiveTimeout_, sizeof receiveTimeout_);
    *size = sizeof receiveTimeout_;
    return 0;
  }
  if (zmq_getsockopt(handle_, option, value, size) != 0) return zmq_errno();
  if (option == ZMQ_EVENTS) {
    // Reading the events processed libzmq's commands: somebody else's edge may be gone.
    touched.store(false, std::memory_order_relaxed);
    settleLocked();
  }
  return 0;
}

}  // namespace zt
