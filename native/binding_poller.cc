// Node-API face of Poller.
#include <system_error>

#include "binding.h"

namespace zt {

namespace {

// (poller slot, [attachment slot, events, ...]) -> poller id
Napi::Value pollerCreate(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  const uint32_t slot = info[0].As<Napi::Number>();
  Napi::Array list = info[1].As<Napi::Array>();
  std::vector<Poller::Item> items;
  for (uint32_t i = 0; i + 1 < list.Length(); i += 2) {
    const uint32_t attachment = list.Get(i).As<Napi::Number>();
    if (attachment >= environment.attachments.size() || !environment.attachments[attachment]) {
      throw Napi::Error::New(info.Env(), "no such socket");
    }
    items.push_back(
        {environment.attachments[attachment]->socket(), list.Get(i + 1).As<Napi::Number>()});
  }
  auto poller = Poller::create(items, kPollerToken + slot);
  const uint32_t id = poller->id;
  if (slot >= environment.pollers.size()) environment.pollers.resize(slot + 1);
  environment.pollers[slot] = std::move(poller);
  return Napi::Number::New(info.Env(), id);
}

// (poller slot, loop slot)
void pollerArm(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  slotOf(info, environment.pollers)->arm(slotOf(info, environment.loops, 1));
}

// (poller slot, ms) -> 0 look, 1 time is over, 2 closed, or -errno
Napi::Value pollerWait(const Napi::CallbackInfo& info) {
  auto poller = slotOf(info, Environment::of(info).pollers);
  try {
    const Poller::Wait outcome = poller->wait(info[1].As<Napi::Number>().Int64Value());
    return Napi::Number::New(info.Env(), static_cast<int>(outcome));
  } catch (const std::system_error& error) {
    return Napi::Number::New(info.Env(), -error.code().value());
  }
}

Napi::Value pollerClosed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), slotOf(info, Environment::of(info).pollers)->closed());
}

// (poller id): from any thread
Napi::Value pollerClose(const Napi::CallbackInfo& info) {
  auto poller = Poller::find(info[0].As<Napi::Number>().Uint32Value());
  return Napi::Boolean::New(info.Env(), poller && poller->close());
}

void pollerRelease(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  slotOf(info, environment.pollers)->close();
  environment.pollers[info[0].As<Napi::Number>().Uint32Value()] = nullptr;
}

}  // namespace

void definePollerBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "pollerCreate", pollerCreate);
  define(environment, exports, "pollerArm", pollerArm);
  define(environment, exports, "pollerWait", pollerWait);
  define(environment, exports, "pollerClosed", pollerClosed);
  define(environment, exports, "pollerClose", pollerClose);
  define(environment, exports, "pollerRelease", pollerRelease);
}

}  // namespace zt
