// Node-API face of Socket and Attachment, but for the messages.
#include <algorithm>
#include <cerrno>

#include "binding.h"

namespace zt {

namespace {

template <typename T>
void putAt(std::vector<std::shared_ptr<T>>& table, size_t slot, std::shared_ptr<T> object) {
  if (slot >= table.size()) table.resize(slot + 1);
  table[slot] = std::move(object);
}

uint32_t* controlOf(const Napi::CallbackInfo& info, size_t argument) {
  const Bytes bytes = bytesOf(info.Env(), info[argument]);
  if (bytes.size < kCtlWords * sizeof(uint32_t))
    throw Napi::Error::New(info.Env(), "control block is too small");
  return reinterpret_cast<uint32_t*>(bytes.data);
}

Napi::Value attach(const Napi::CallbackInfo& info, std::shared_ptr<Socket> socket, bool owner) {
  Environment& environment = Environment::of(info);
  const uint32_t slot = info[2].As<Napi::Number>();
  const uint32_t id = socket->id;
  putAt(environment.attachments, slot,
        Attachment::create(std::move(socket), slot, controlOf(info, 3), owner));
  return Napi::Number::New(info.Env(), id);
}

// (context slot, type, slot, control block) -> socket id, or -errno
Napi::Value socketOpen(const Napi::CallbackInfo& info) {
  auto& context = slotOf(info, Environment::of(info).contexts);
  int error = 0;
  auto socket = Socket::open(context, info[1].As<Napi::Number>(), &Environment::of(info), error);
  if (!socket) return Napi::Number::New(info.Env(), -error);
  return attach(info, std::move(socket), true);
}

// (socket id, -, slot, control block) -> socket id, or -errno
Napi::Value socketAttach(const Napi::CallbackInfo& info) {
  auto socket = Socket::find(info[0].As<Napi::Number>().Uint32Value());
  if (!socket) return Napi::Number::New(info.Env(), -ENOTSOCK);
  return attach(info, std::move(socket), false);
}

Napi::Value socketType(const Napi::CallbackInfo& info) {
  auto socket = Socket::find(info[0].As<Napi::Number>().Uint32Value());
  return Napi::Number::New(info.Env(), socket ? socket->type : -ENOTSOCK);
}

template <int (Socket::*Call)(const std::string&)>
Napi::Value socketEndpoint(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  Socket& socket = *attachment->socket();
  return Napi::Number::New(info.Env(), (socket.*Call)(info[1].As<Napi::String>()));
}

// (slot, endpoint, routing id or undefined)
Napi::Value socketConnect(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  std::string routingId;
  if (!info[2].IsUndefined()) {
    const Bytes bytes = bytesOf(info.Env(), info[2]);
    routingId.assign(reinterpret_cast<const char*>(bytes.data), bytes.size);
  }
  return Napi::Number::New(info.Env(),
                           attachment->socket()->connect(info[1].As<Napi::String>(), routingId));
}

Napi::Value socketSetOption(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  Bytes bytes;
  if (!info[2].IsNull()) bytes = bytesOf(info.Env(), info[2]);
  // libzmq takes null for "unset"; an empty value of ours is not that.
  static uint8_t nothing;
  const void* data = info[2].IsNull() ? nullptr : bytes.data != nullptr ? bytes.data : &nothing;
  const int error = attachment->socket()->setOption(info[1].As<Napi::Number>(), data, bytes.size);
  return Napi::Number::New(info.Env(), error);
}

// (slot, option, room in bytes) -> Buffer, or -errno
Napi::Value socketGetOption(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  size_t size = info[2].As<Napi::Number>().Uint32Value();
  std::vector<uint8_t> room(size);
  const int error = attachment->socket()->getOption(info[1].As<Napi::Number>(), room.data(), &size);
  if (error != 0) return Napi::Number::New(info.Env(), -error);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), room.data(), size);
}

Napi::Value socketClose(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  return Napi::Boolean::New(info.Env(),
                            attachment->socket()->close(info[1].As<Napi::Number>().Int64Value()));
}

// (slot, slot of the PAIR socket that reads, endpoint, events)
Napi::Value socketMonitor(const Napi::CallbackInfo& info) {
  auto& table = Environment::of(info).attachments;
  auto socket = slotOf(info, table)->socket();
  auto reader = slotOf(info, table, 1)->socket();
  const std::string endpoint = info[2].As<Napi::String>();
  return Napi::Number::New(info.Env(),
                           socket->monitor(reader, endpoint.c_str(), info[3].As<Napi::Number>()));
}

// (slot) -> whether it has ever sent anything
Napi::Value socketHasSent(const Napi::CallbackInfo& info) {
  auto& socket = *slotOf(info, Environment::of(info).attachments)->socket();
  Guard guard(socket.mutex);
  return Napi::Boolean::New(info.Env(), socket.hasSentLocked());
}

void socketShared(const Napi::CallbackInfo& info) {
  slotOf(info, Environment::of(info).attachments)->socket()->shared.store(true);
}

// (slot) -> State
Napi::Value socketState(const Napi::CallbackInfo& info) {
  auto& socket = *slotOf(info, Environment::of(info).attachments)->socket();
  Guard guard(socket.mutex);
  return Napi::Number::New(info.Env(), socket.stateLocked());
}

// This thread is done with the socket. Closes it unless others may have it.
void socketRelease(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto attachment = slotOf(info, environment.attachments);
  environment.attachments[info[0].As<Napi::Number>().Uint32Value()] = nullptr;
  attachment->detach();
  const auto& socket = attachment->socket();
  if (!socket->shared.load()) {
    socket->close(kLingerUnchanged);
    return;
  }
  if (!attachment->owner) return;
  auto& letGo = environment.letGo;
  letGo.push_back(socket);
  const auto closed = [](const std::shared_ptr<Socket>& entry) {
    Guard guard(entry->mutex);
    return entry->closedLocked();
  };
  letGo.erase(std::remove_if(letGo.begin(), letGo.end(), closed), letGo.end());
}

// (slot) -> ZMQ_EVENTS, or -errno; -EBUSY while a proxy has the socket
Napi::Value socketEvents(const Napi::CallbackInfo& info) {
  auto& attachment = *slotOf(info, Environment::of(info).attachments);
  auto& socket = *attachment.socket();
  Guard guard(socket.mutex);
  if (socket.claimedLocked() && !socket.closedLocked()) {
    return Napi::Number::New(info.Env(), -EBUSY);
  }
  int error = 0;
  int events = socket.readinessLocked(error);
  if (events < 0) return Napi::Number::New(info.Env(), -error);
  if (attachment.stashedLocked()) events |= ZMQ_POLLIN;
  socket.settleLocked();
  return Napi::Number::New(info.Env(), events);
}

}  // namespace

void defineSocketBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "socketOpen", socketOpen);
  define(environment, exports, "socketAttach", socketAttach);
  define(environment, exports, "socketType", socketType);
  define(environment, exports, "socketBind", socketEndpoint<&Socket::bind>);
  define(environment, exports, "socketConnect", socketConnect);
  define(environment, exports, "socketUnbind", socketEndpoint<&Socket::unbind>);
  define(environment, exports, "socketDisconnect", socketEndpoint<&Socket::disconnect>);
  define(environment, exports, "socketSetOption", socketSetOption);
  define(environment, exports, "socketGetOption", socketGetOption);
  define(environment, exports, "socketClose", socketClose);
  define(environment, exports, "socketMonitor", socketMonitor);
  define(environment, exports, "socketState", socketState);
  define(environment, exports, "socketHasSent", socketHasSent);
  define(environment, exports, "socketShared", socketShared);
  define(environment, exports, "socketRelease", socketRelease);
  define(environment, exports, "socketEvents", socketEvents);
}

}  // namespace zt
