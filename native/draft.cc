// The declarations are in every zmq.h, for whoever says that the library has them.
#define ZMQ_BUILD_DRAFT_API 1
#include "draft.h"

#ifndef _WIN32
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>
#endif

#include <cstring>
#include <functional>
#include <optional>
#include <string>

namespace zt {

namespace {

constexpr size_t kMostTags = 1024;
constexpr size_t kMostDatagramBytes = 8192;
constexpr size_t kMostDatagramGroupBytes = 127;

#ifdef ZEROMQ_THREADS_CARRIES_LIBZMQ

// Nobody else can see it.
#define ZT_DRAFT_FUNCTION(name) &name

#else

// Where libzmq is loaded there are its draft functions, too: it need not be visible to others.
void* find(const char* name) {
#ifdef _WIN32
  static_cast<void>(name);
  return nullptr;
#else
  static void* const library = [] {
    Dl_info info{};
    if (dladdr(reinterpret_cast<void*>(&zmq_version), &info) == 0)
      return static_cast<void*>(nullptr);
    return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  }();
  return library == nullptr ? nullptr : dlsym(library, name);
#endif
}

#define ZT_DRAFT_FUNCTION(name) reinterpret_cast<decltype(&(name))>(find(#name))

#endif

std::optional<DraftApi> load() {
  if (zmq_has("draft") == 0) return std::nullopt;
  const DraftApi api{
      ZT_DRAFT_FUNCTION(zmq_join),           ZT_DRAFT_FUNCTION(zmq_leave),
      ZT_DRAFT_FUNCTION(zmq_connect_peer),   ZT_DRAFT_FUNCTION(zmq_msg_set_routing_id),
      ZT_DRAFT_FUNCTION(zmq_msg_routing_id), ZT_DRAFT_FUNCTION(zmq_msg_set_group),
      ZT_DRAFT_FUNCTION(zmq_msg_group),      ZT_DRAFT_FUNCTION(zmq_poller_new),
      ZT_DRAFT_FUNCTION(zmq_poller_destroy), ZT_DRAFT_FUNCTION(zmq_poller_add),
      ZT_DRAFT_FUNCTION(zmq_poller_fd)};
  const bool complete = api.join != nullptr && api.leave != nullptr &&
                        api.setRoutingId != nullptr && api.routingId != nullptr &&
                        api.setGroup != nullptr && api.group != nullptr &&
                        api.pollerNew != nullptr && api.pollerDestroy != nullptr &&
                        api.pollerAdd != nullptr && api.pollerDescriptor != nullptr;
  return complete ? std::optional<DraftApi>(api) : std::nullopt;
}

}  // namespace

const DraftApi* draftApi() {
  static const std::optional<DraftApi> api = load();
  return api ? &*api : nullptr;
}

bool fitsDatagram(zmq_msg_t* message) {
  const DraftApi* api = draftApi();
  const char* name = api == nullptr ? nullptr : api->group(message);
  const size_t group = name == nullptr ? 0 : std::strlen(name);
  if (group > kMostDatagramGroupBytes) return false;
  const size_t header = group == 0 ? 0 : group + 1;
  return zmq_msg_size(message) <= kMostDatagramBytes - header;
}

std::unique_ptr<DraftDescriptor> DraftDescriptor::of(void* socket) {
  const DraftApi* api = draftApi();
  if (api == nullptr) return nullptr;
  void* poller = api->pollerNew();
  if (poller == nullptr) return nullptr;
  std::unique_ptr<DraftDescriptor> descriptor(new DraftDescriptor(poller));
  const bool added = api->pollerAdd(poller, socket, nullptr, ZMQ_POLLIN | ZMQ_POLLOUT) == 0;
  if (!added || api->pollerDescriptor(poller, &descriptor->fd_) != 0) return nullptr;
#ifndef _WIN32
  // It is already, so far; consume() must never block.
  fcntl(descriptor->fd_, F_SETFL, fcntl(descriptor->fd_, F_GETFL) | O_NONBLOCK);
#endif
  return descriptor;
}

DraftDescriptor::~DraftDescriptor() {
  draftApi()->pollerDestroy(&poller_);
}

void DraftDescriptor::consume() {
#ifndef _WIN32
  // All signals at once, be they a counter or bytes: a wait of the poller's takes one of them, and
  // they add up while a socket only sends.
  char bytes[64];
  while (read(fd_, bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) {
  }
#endif
}

const std::shared_ptr<const Metadata>& TagCache::of(
    zmq_msg_t* message, const std::shared_ptr<const Metadata>& connection) {
  const DraftApi& api = *draftApi();
  const uint32_t routingId = api.routingId(message);
  const char* group = api.group(message);
  if (group == nullptr) group = "";
  if (last_ != nullptr && last_->is(connection, routingId, group)) return last_->metadata;
  const size_t hash = std::hash<std::string>()(group) * 31 +
                      std::hash<const Metadata*>()(connection.get()) * 17 + routingId;
  auto found = known_.find(hash);
  if (found == known_.end() || !found->second.is(connection, routingId, group)) {
    if (known_.size() >= kMostTags) known_.clear();
    auto metadata =
        connection ? std::make_shared<Metadata>(*connection) : std::make_shared<Metadata>();
    if (routingId != 0) metadata->insert_or_assign(kRoutingIdTag, std::to_string(routingId));
    if (*group != 0) metadata->insert_or_assign(kGroupTag, group);
    found = known_.insert_or_assign(hash, Entry{connection, routingId, group, std::move(metadata)})
                .first;
  }
  last_ = &found->second;
  return last_->metadata;
}

}  // namespace zt
