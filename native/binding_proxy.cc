// Node-API face of Proxy.
#include <cerrno>
#include <system_error>

#include "binding.h"
#include "report.h"

namespace zt {

// One proxy as the thread that made it sees it.
struct ProxyEntry {
  std::shared_ptr<Proxy> proxy;
  std::shared_ptr<Attachment> frontend;  // until it starts
  std::shared_ptr<Attachment> backend;
  std::shared_ptr<Report> report;
};

namespace {

ProxyEntry& entryOf(const Napi::CallbackInfo& info) {
  return *slotOf(info, Environment::of(info).proxies);
}

Napi::Array pairOf(Napi::Env env, const Proxy::End& end) {
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0u, Napi::Number::New(env, end.error));
  result.Set(1u, Napi::Number::New(env, end.place));
  return result;
}

// (frontend slot, backend slot, capture slot or -1, 1: forward | 2: backward)
// -> slot, or [errno, place], or -errno
Napi::Value proxyOpen(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto entry = std::make_shared<ProxyEntry>();
  entry->frontend = slotOf(info, environment.attachments, 0);
  entry->backend = slotOf(info, environment.attachments, 1);
  Proxy::Setup setup;
  setup.frontend = entry->frontend->socket();
  setup.backend = entry->backend->socket();
  if (info[2].As<Napi::Number>().Int32Value() >= 0) {
    setup.capture = slotOf(info, environment.attachments, 2)->socket();
  }
  const uint32_t ways = info[3].As<Napi::Number>();
  setup.forward = (ways & 1) != 0;
  setup.backward = (ways & 2) != 0;
  Proxy::End failure;
  try {
    entry->proxy = Proxy::create(setup, failure);
  } catch (const std::system_error& error) {
    return Napi::Number::New(info.Env(), -error.code().value());
  }
  if (!entry->proxy) return pairOf(info.Env(), failure);
  size_t slot = 0;
  while (slot < environment.proxies.size() && environment.proxies[slot]) ++slot;
  if (slot == environment.proxies.size()) environment.proxies.emplace_back();
  environment.proxies[slot] = std::move(entry);
  return Napi::Number::New(info.Env(), static_cast<double>(slot));
}

// What JavaScript had received, and the message that was on its way there.
Proxy::Messages messagesOf(const Napi::CallbackInfo& info, size_t argument,
                           Attachment& attachment) {
  Proxy::Messages messages;
  Napi::Array list = info[argument].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Array parts = list.Get(i).As<Napi::Array>();
    std::vector<Frame> frames;
    for (uint32_t k = 0; k < parts.Length(); ++k) {
      const Bytes bytes = bytesOf(info.Env(), parts.Get(k));
      frames.emplace_back(bytes.data, bytes.size);
    }
    messages.push_back(std::move(frames));
  }
  Guard guard(attachment.socket()->mutex);
  auto stashed = attachment.takeStashedLocked();
  if (!stashed.empty()) messages.push_back(std::move(stashed));
  return messages;
}

// (slot, messages from the frontend, messages from the backend, done) -> errno
Napi::Value proxyStart(const Napi::CallbackInfo& info) {
  ProxyEntry& entry = entryOf(info);
  auto fromFrontend = messagesOf(info, 1, *entry.frontend);
  auto fromBackend = messagesOf(info, 2, *entry.backend);
  entry.frontend.reset();
  entry.backend.reset();
  entry.report = Report::create(info.Env(), info[3].As<Napi::Function>(), "zeromq-threads:proxy");
  entry.report->keepProcess(info.Env(), true);
  const bool started = entry.proxy->start(std::move(fromFrontend), std::move(fromBackend),
                                          [report = entry.report] { report->deliver(); });
  if (!started) entry.report->keepProcess(info.Env(), false);  // nothing will be reported
  return Napi::Number::New(info.Env(), started ? 0 : EAGAIN);
}

void proxyPause(const Napi::CallbackInfo& info) {
  entryOf(info).proxy->pause();
}

void proxyResume(const Napi::CallbackInfo& info) {
  entryOf(info).proxy->resume();
}

void proxyStop(const Napi::CallbackInfo& info) {
  entryOf(info).proxy->stop();
}

// (slot, whether the process stays for it)
void proxyKeep(const Napi::CallbackInfo& info) {
  entryOf(info).report->keepProcess(info.Env(), info[1].As<Napi::Boolean>());
}

// (slot) -> messages in, bytes in, messages out, bytes out, undeliverable of the frontend, then of
// the backend, then messages and bytes captured
Napi::Value proxyStatistics(const Napi::CallbackInfo& info) {
  const Proxy::Statistics all = entryOf(info).proxy->statistics();
  Napi::Array result = Napi::Array::New(info.Env());
  uint32_t index = 0;
  const auto add = [&](uint64_t value) {
    result.Set(index++, Napi::Number::New(info.Env(), static_cast<double>(value)));
  };
  for (const Proxy::Side* side : {&all.frontend, &all.backend}) {
    add(side->in.messages);
    add(side->in.bytes);
    add(side->out.messages);
    add(side->out.bytes);
    add(side->undeliverable);
  }
  add(all.captured.messages);
  add(all.captured.bytes);
  return result;
}

// (slot) -> [errno or 0, place]: why it ended
Napi::Value proxyEnd(const Napi::CallbackInfo& info) {
  return pairOf(info.Env(), entryOf(info).proxy->end());
}

// (slot), once it has ended or if it was never started
void proxyRelease(const Napi::CallbackInfo& info) {
  entryOf(info);
  Environment::of(info).proxies[info[0].As<Napi::Number>().Uint32Value()] = nullptr;
}

}  // namespace

void Environment::endProxies() {
  for (auto& entry : proxies) {
    if (entry) entry->proxy->stop();
  }
  for (auto& entry : proxies) {
    if (entry) entry->proxy->join();
  }
  proxies.clear();
}

void defineProxyBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "proxyOpen", proxyOpen);
  define(environment, exports, "proxyStart", proxyStart);
  define(environment, exports, "proxyPause", proxyPause);
  define(environment, exports, "proxyResume", proxyResume);
  define(environment, exports, "proxyStop", proxyStop);
  define(environment, exports, "proxyKeep", proxyKeep);
  define(environment, exports, "proxyStatistics", proxyStatistics);
  define(environment, exports, "proxyEnd", proxyEnd);
  define(environment, exports, "proxyRelease", proxyRelease);
}

}  // namespace zt
