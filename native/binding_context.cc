// Node-API face of Context.
#include <cerrno>

#include "binding.h"
#include "report.h"

namespace zt {

namespace {

Napi::Value keep(Environment& environment, Napi::Env env, std::shared_ptr<Context> context,
                 int error) {
  if (!context) return Napi::Number::New(env, -error);
  auto& table = environment.contexts;
  for (size_t slot = 0; slot < table.size(); ++slot) {
    if (table[slot] == context) return Napi::Number::New(env, static_cast<double>(slot));
  }
  for (size_t slot = 0; slot < table.size(); ++slot) {
    if (table[slot]) continue;
    table[slot] = std::move(context);
    return Napi::Number::New(env, static_cast<double>(slot));
  }
  table.push_back(std::move(context));
  return Napi::Number::New(env, static_cast<double>(table.size() - 1));
}

Napi::Value contextCreate(const Napi::CallbackInfo& info) {
  int error = 0;
  auto context = Context::create(error);
  return keep(Environment::of(info), info.Env(), std::move(context), error);
}

Napi::Value contextDefault(const Napi::CallbackInfo& info) {
  int error = 0;
  return keep(Environment::of(info), info.Env(), Context::processDefault(error), error);
}

Napi::Value contextId(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), slotOf(info, Environment::of(info).contexts)->id);
}

// (id) -> a slot of its own, even where this thread has the context already: each is released by
// itself. -ETERM if there is no such context any more.
Napi::Value contextAttach(const Napi::CallbackInfo& info) {
  auto context = Context::find(info[0].As<Napi::Number>().Uint32Value());
  if (!context) return Napi::Number::New(info.Env(), -ETERM);
  auto& table = Environment::of(info).contexts;
  size_t slot = 0;
  while (slot < table.size() && table[slot]) ++slot;
  if (slot == table.size()) table.emplace_back();
  table[slot] = std::move(context);
  return Napi::Number::New(info.Env(), static_cast<double>(slot));
}

Napi::Value contextSet(const Napi::CallbackInfo& info) {
  auto& context = slotOf(info, Environment::of(info).contexts);
  return Napi::Number::New(info.Env(),
                           context->set(info[1].As<Napi::Number>(), info[2].As<Napi::Number>()));
}

// The value, or undefined after setting `errno` in the array passed as third argument.
Napi::Value contextGet(const Napi::CallbackInfo& info) {
  auto& context = slotOf(info, Environment::of(info).contexts);
  int value = 0;
  const int error = context->get(info[1].As<Napi::Number>(), value);
  if (error == 0) return Napi::Number::New(info.Env(), value);
  info[2].As<Napi::Array>().Set(0u, Napi::Number::New(info.Env(), error));
  return info.Env().Undefined();
}

Napi::Value contextClosed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), slotOf(info, Environment::of(info).contexts)->closed());
}

// This thread has it no more.
void contextRelease(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  slotOf(info, environment.contexts);
  environment.contexts[info[0].As<Napi::Number>().Uint32Value()] = nullptr;
}

void contextShutdown(const Napi::CallbackInfo& info) {
  slotOf(info, Environment::of(info).contexts)->shutdown();
}

// (slot, ms that sockets may linger, done) -> now, for contextUnsent
Napi::Value contextClose(const Napi::CallbackInfo& info) {
  auto context = slotOf(info, Environment::of(info).contexts);
  // A termination that goes on for ever must not keep the process: who waits holds a timer.
  auto report = Report::create(info.Env(), info[2].As<Napi::Function>(), "zeromq-threads:context");
  const auto begun = static_cast<double>(nowMs());
  context->terminate(info[1].As<Napi::Number>().Int64Value(), false,
                     [report] { report->deliver(); });
  return Napi::Number::New(info.Env(), begun);
}

// (slot, when the time was over, when what was unsent is dropped) -> Unsent
Napi::Value contextUnsent(const Napi::CallbackInfo& info) {
  const Unsent unsent = slotOf(info, Environment::of(info).contexts)
                            ->unsentAt(info[1].As<Napi::Number>().Int64Value(),
                                       info[2].As<Napi::Number>().Int64Value());
  return Napi::Number::New(info.Env(), static_cast<int>(unsent));
}

}  // namespace

void defineContextBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "contextCreate", contextCreate);
  define(environment, exports, "contextDefault", contextDefault);
  define(environment, exports, "contextId", contextId);
  define(environment, exports, "contextAttach", contextAttach);
  define(environment, exports, "contextSet", contextSet);
  define(environment, exports, "contextGet", contextGet);
  define(environment, exports, "contextClosed", contextClosed);
  define(environment, exports, "contextShutdown", contextShutdown);
  define(environment, exports, "contextClose", contextClose);
  define(environment, exports, "contextUnsent", contextUnsent);
  define(environment, exports, "contextRelease", contextRelease);
}

}  // namespace zt
