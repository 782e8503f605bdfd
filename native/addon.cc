// The addon's entry point, and the end of an environment.
#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "binding.h"
#include "guards.h"
#include "sanitizer.h"
#include "waits.h"

namespace zt {

Bytes bytesOf(napi_env env, napi_value value) {
  bool typed = false;
  napi_is_typedarray(env, value, &typed);
  if (!typed) throw Napi::TypeError::New(env, "expected a typed array");
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    throw Napi::TypeError::New(env, "cannot read a typed array");
  }
  size_t width = 1;
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      width = 2;
      break;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      width = 4;
      break;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      width = 8;
      break;
    default:
      break;
  }
  ZT_GIVEN_BY_JAVASCRIPT(data);
  return {static_cast<uint8_t*>(data), length * width};
}

void defineRaw(Environment& environment, Napi::Object exports, const char* name,
               napi_callback callback) {
  napi_value function;
  napi_create_function(environment.env, name, NAPI_AUTO_LENGTH, callback, &environment, &function);
  exports.Set(name, function);
}

// Order matters: first nobody enters any more, then nobody writes into our memory, then nobody
// reads from it.
void Environment::cleanUp() {
  using namespace std::chrono;
  for (auto& loop : loops) {
    if (loop) loop->stop();
  }
  endProxies();
  for (auto& poller : pollers) {
    if (poller) poller->close();
  }
  for (auto& [id, group] : groups) group->detach();
  for (auto& attachment : attachments) {
    if (!attachment) continue;
    attachment->detach();
  }
  // After that nothing that this thread waited to send leaves any more, and others may send it.
  for (auto& [id, lane] : lanes) lane->endOf(this);
  std::vector<std::shared_ptr<Socket>> borrowers;
  for (auto& context : Context::all()) {
    for (auto& socket : context->sockets()) {
      if (socket->openedBy != this) continue;
      // Also one that was shared and whose object here is gone: it ends with who opened it.
      socket->close(kLingerUnchanged);
      if (socket->pins->load() > 0) borrowers.push_back(socket);
    }
  }
  if (bell) bell->detach();
  // Messages that borrow our memory: their linger is honoured, an endless one for a moment.
  auto patience = steady_clock::now() + milliseconds(500);
  for (auto& socket : borrowers) {
    if (socket->lingerDeadline() == std::numeric_limits<int64_t>::max()) continue;
    patience = std::max(patience, steady_clock::time_point(milliseconds(socket->lingerDeadline())));
  }
  while (freed->outstanding.load() > 0 && steady_clock::now() < patience) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  if (freed->outstanding.load() > 0) {
    for (auto& socket : borrowers) socket->abandon();
    const auto end = steady_clock::now() + seconds(2);
    while (freed->outstanding.load() > 0 && steady_clock::now() < end) {
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  lanes.clear();
  groups.clear();
  attachments.clear();
  letGo.clear();
  pollers.clear();
  chunks.clear();
}

}  // namespace zt

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  zt::stayLoaded();
  auto* environment = new zt::Environment(env);
  zt::defineContextBinding(*environment, exports);
  zt::defineSocketBinding(*environment, exports);
  zt::defineSendBinding(*environment, exports);
  zt::defineDraftBinding(*environment, exports);
  zt::defineReceiveBinding(*environment, exports);
  zt::defineLaneBinding(*environment, exports);
  zt::defineSequencerBinding(*environment, exports);
  zt::defineLoopBinding(*environment, exports);
  zt::defineEventLoopBinding(*environment, exports);
  zt::definePollerBinding(*environment, exports);
  zt::defineProxyBinding(*environment, exports);
  zt::defineProcessBinding(*environment, exports);
  napi_add_env_cleanup_hook(
      env,
      [](void* data) {
        try {
          static_cast<zt::Environment*>(data)->cleanUp();
        } catch (const std::exception&) {
          // Out of threads or memory while everything ends: there is nobody left to tell.
        }
      },
      environment);
  // Deleted after the last finalizer has run.
  napi_set_instance_data(
      env, environment,
      [](napi_env, void* data, void*) { delete static_cast<zt::Environment*>(data); }, nullptr);
  return exports;
}

NODE_API_MODULE(zeromq_threads, init)
