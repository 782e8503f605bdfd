#include "report.h"

namespace zt {

std::shared_ptr<Report> Report::create(Napi::Env env, Napi::Function callback, const char* name) {
  auto report = std::make_shared<Report>();
  auto* held = new std::shared_ptr<Report>(report);
  const napi_status status = napi_create_threadsafe_function(
      env, callback, nullptr, Napi::String::New(env, name), 1, 1, held,
      [](napi_env, void* data, void*) {
        std::unique_ptr<std::shared_ptr<Report>> held(static_cast<std::shared_ptr<Report>*>(data));
        std::lock_guard<std::mutex> lock((*held)->mutex_);
        (*held)->function_ = nullptr;
      },
      nullptr, nullptr, &report->function_);
  if (status != napi_ok) {
    delete held;
    throw Napi::Error::New(env, "cannot create a thread-safe function");
  }
  napi_unref_threadsafe_function(env, report->function_);
  return report;
}

void Report::keepProcess(Napi::Env env, bool keep) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (function_ == nullptr) return;
  if (keep) {
    napi_ref_threadsafe_function(env, function_);
  } else {
    napi_unref_threadsafe_function(env, function_);
  }
}

void Report::deliver() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (function_ == nullptr) return;
  napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  napi_release_threadsafe_function(function_, napi_tsfn_release);
  function_ = nullptr;
}

}  // namespace zt
