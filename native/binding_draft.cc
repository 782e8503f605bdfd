// Node-API face of libzmq's draft API.
#include <cerrno>

#include "binding.h"
#include "draft.h"

namespace zt {

namespace {

// (slot, group, leave) -> 0 or errno
Napi::Value socketGroup(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  const std::string group = info[1].As<Napi::String>();
  return Napi::Number::New(
      info.Env(), attachment->socket()->joinGroup(group.c_str(), info[2].As<Napi::Boolean>()));
}

// (slot, endpoint) -> routing id, or -errno
Napi::Value socketConnectPeer(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  const std::string address = info[1].As<Napi::String>();
  uint32_t routingId = 0;
  const int error = attachment->socket()->connectPeer(address.c_str(), routingId);
  if (error != 0) return Napi::Number::New(info.Env(), -error);
  return Napi::Number::New(info.Env(), routingId);
}

// (slot, bytes, routing id or 0, group or "", may park) -> SendCode or -errno: one frame, copied
Napi::Value sendTagged(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  const DraftApi* api = draftApi();
  if (api == nullptr) return Napi::Number::New(info.Env(), -ENOTSUP);
  const Bytes bytes = bytesOf(info.Env(), info[1]);
  const uint32_t routingId = info[2].As<Napi::Number>();
  const std::string group = info[3].As<Napi::String>();
  try {
    Frame frame(bytes.data, bytes.size);
    if ((routingId != 0 && api->setRoutingId(frame.raw(), routingId) != 0) ||
        (!group.empty() && api->setGroup(frame.raw(), group.c_str()) != 0)) {
      return Napi::Number::New(info.Env(), -zmq_errno());
    }
    return Napi::Number::New(info.Env(),
                             attachment->send(&frame, 1, false, info[4].As<Napi::Boolean>()));
  } catch (const std::bad_alloc&) {
    return Napi::Number::New(info.Env(), -ENOMEM);
  }
}

}  // namespace

void defineDraftBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "socketGroup", socketGroup);
  define(environment, exports, "socketConnectPeer", socketConnectPeer);
  define(environment, exports, "sendTagged", sendTagged);
}

}  // namespace zt
