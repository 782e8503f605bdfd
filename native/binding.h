// What the bindings share: the state of one JavaScript environment (main thread or Worker).
//
//  1. An Environment belongs to one JavaScript thread. State that threads share lives in Context,
//  Socket, ...
//  2. Its cleanup runs before the environment's memory goes: it closes what the thread owned, so
//  that no other
//     thread writes into or reads from that memory afterwards.
//  3. C++ checks what would corrupt memory; wording errors for people is TypeScript's part.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "attachment.h"
#include "bell.h"
#include "chunk.h"
#include "context.h"
#include "event_loop.h"
#include "lane_group.h"
#include "loop.h"
#include "pins.h"
#include "poller.h"
#include "proxy.h"
#include "sequencer.h"

namespace zt {

struct ProxyEntry;

struct Environment {
  explicit Environment(napi_env env) : env(env) {}

  napi_env env;
  std::vector<std::shared_ptr<Context>> contexts;
  std::vector<std::shared_ptr<Attachment>> attachments;  // by slot
  // Shared, and let go of here: a handle may be under way to who will attach to it.
  std::vector<std::shared_ptr<Socket>> letGo;
  std::vector<std::shared_ptr<Poller>> pollers;      // by slot
  std::vector<std::shared_ptr<ProxyEntry>> proxies;  // by slot
  std::vector<std::shared_ptr<Loop>> loops;          // started by this thread
  std::unordered_map<uint32_t, std::shared_ptr<Chunk>> chunks;
  std::unordered_map<uint32_t, std::shared_ptr<LaneGroup>> groups;      // made by this thread
  std::unordered_map<uint32_t, std::shared_ptr<Lane>> lanes;            // made, or consumed, by it
  std::unordered_map<uint32_t, std::shared_ptr<Sequencer>> sequencers;  // made by this thread
  std::shared_ptr<Bell> bell;
  std::shared_ptr<EventLoop> eventLoop;  // null until JavaScript opens it
  std::shared_ptr<FreedPins> freed = std::make_shared<FreedPins>();
  // Where JavaScript puts small payloads and the frame lengths before it calls send.
  uint8_t* stage = nullptr;
  size_t stageSize = 0;
  uint32_t* stageLengths = nullptr;
  size_t stageLengthsCount = 0;
  bool main = false;

  static Environment& of(const Napi::CallbackInfo& info) {
    return *static_cast<Environment*>(info.Data());
  }
  void cleanUp();
  void endProxies();
};

constexpr uint32_t kPollerToken =
    0x40000000;  // doorbell tokens: attachment slots, then poller slots,
constexpr uint32_t kFreedToken = 0x7FFFFFFF;  // then the list of freed pins

template <typename T>
const std::shared_ptr<T>& slotOf(const Napi::CallbackInfo& info,
                                 const std::vector<std::shared_ptr<T>>& table,
                                 size_t argument = 0) {
  const uint32_t slot = info[argument].As<Napi::Number>().Uint32Value();
  if (slot >= table.size() || !table[slot])
    throw Napi::Error::New(info.Env(), "no such native object");
  return table[slot];
}

// Tells the engine of a chunk's memory, which it does not count, in the isolate of this wrapper of
// it. `owner`, if any, has the chunk in its table until the wrapper is collected.
void accountForChunk(napi_env env, napi_value buffer, size_t size, Environment* owner,
                     uint32_t chunkId);

// The bytes of a typed array or Buffer; its memory may be shared.
struct Bytes {
  uint8_t* data = nullptr;
  size_t size = 0;
};
Bytes bytesOf(napi_env env, napi_value value);

// The functions that messages pass through read their arguments without wrappers.
template <size_t Count>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = Count;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values_, nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }
  Environment& environment() const { return *environment_; }
  uint32_t number(size_t index) const {
    uint32_t value = 0;
    napi_get_value_uint32(env_, values_[index], &value);
    return value;
  }
  napi_value value(size_t index) const { return values_[index]; }
  // The attachment in the slot that the first argument names; null if there is none.
  Attachment* attachment() const {
    const uint32_t slot = number(0);
    const auto& table = environment_->attachments;
    return slot < table.size() ? table[slot].get() : nullptr;
  }
  napi_value result(int value) const {
    napi_value made;
    napi_create_int32(env_, value, &made);
    return made;
  }

 private:
  napi_env env_;
  Environment* environment_ = nullptr;
  napi_value values_[Count] = {};
};

void defineRaw(Environment& environment, Napi::Object exports, const char* name,
               napi_callback callback);

// What Napi::Function does for the other functions: no C++ exception leaves.
template <napi_callback Callback>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return Callback(env, info);
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return nullptr;
}

template <napi_callback Callback>
void defineHot(Environment& environment, Napi::Object exports, const char* name) {
  defineRaw(environment, exports, name, guarded<Callback>);
}

void defineContextBinding(Environment& environment, Napi::Object exports);
void defineSocketBinding(Environment& environment, Napi::Object exports);
void defineSendBinding(Environment& environment, Napi::Object exports);
void defineDraftBinding(Environment& environment, Napi::Object exports);
void defineReceiveBinding(Environment& environment, Napi::Object exports);
void defineLaneBinding(Environment& environment, Napi::Object exports);
void defineSequencerBinding(Environment& environment, Napi::Object exports);
void defineLoopBinding(Environment& environment, Napi::Object exports);
void defineEventLoopBinding(Environment& environment, Napi::Object exports);
void definePollerBinding(Environment& environment, Napi::Object exports);
void defineProxyBinding(Environment& environment, Napi::Object exports);
void defineProcessBinding(Environment& environment, Napi::Object exports);

template <typename Callback>
void define(Environment& environment, Napi::Object exports, const char* name, Callback callback) {
  exports.Set(name, Napi::Function::New(environment.env, callback, name, &environment));
}

}  // namespace zt
