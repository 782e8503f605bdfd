// Node-API face of Context.
#include <cerrno>
#include <mutex>

#include "binding.h"

namespace zt {

namespace {

// Tells JavaScript, from a native thread, that a termination is over. The environment may go first:
// its finalizer and the caller meet under the mutex.
class Report {
 public:
  static std::shared_ptr<Report> create(Napi::Env env, Napi::Function callback) {
    auto report = std::make_shared<Report>();
    auto* held = new std::shared_ptr<Report>(report);
    napi_value name = Napi::String::New(env, "zeromq-threads:context");
    const napi_status status = napi_create_threadsafe_function(
        env, callback, nullptr, name, 1, 1, held,
        [](napi_env, void* data, void*) {
          std::unique_ptr<std::shared_ptr<Report>> held(
              static_cast<std::shared_ptr<Report>*>(data));
          std::lock_guard<std::mutex> lock((*held)->mutex_);
          (*held)->function_ = nullptr;
        },
        nullptr, nullptr, &report->function_);
    if (status != napi_ok) {
      delete held;
      return nullptr;
    }
    // A termination that goes on for ever must not keep the process: who waits for it holds a
    // timer.
    napi_unref_threadsafe_function(env, report->function_);
    return report;
  }

  void deliver() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (function_ == nullptr) return;
    napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
    napi_release_threadsafe_function(function_, napi_tsfn_release);
    function_ = nullptr;
  }

 private:
  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
};

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

Napi::Value contextClose(const Napi::CallbackInfo& info) {
  auto context = slotOf(info, Environment::of(info).contexts);
  auto report = Report::create(info.Env(), info[2].As<Napi::Function>());
  if (!report) throw Napi::Error::New(info.Env(), "cannot create a thread-safe function");
  const bool begun = context->terminate(info[1].As<Napi::Number>().Int64Value(), false,
                                        [report] { report->deliver(); });
  return Napi::Boolean::New(info.Env(), begun);
}

}  // namespace

void defineContextBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "contextCreate", contextCreate);
  define(environment, exports, "contextDefault", contextDefault);
  define(environment, exports, "contextSet", contextSet);
  define(environment, exports, "contextGet", contextGet);
  define(environment, exports, "contextClosed", contextClosed);
  define(environment, exports, "contextShutdown", contextShutdown);
  define(environment, exports, "contextClose", contextClose);
  define(environment, exports, "contextRelease", contextRelease);
}

}  // namespace zt
