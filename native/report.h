// Calls a JavaScript function, from a native thread, once. The environment may go first: its
// finalizer and the caller meet under the mutex.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>

namespace zt {

class Report {
 public:
  // The process does not stay for it unless keepProcess() says so.
  static std::shared_ptr<Report> create(Napi::Env env, Napi::Function callback, const char* name);
  void keepProcess(Napi::Env env, bool keep);  // on the environment's thread
  void deliver();                              // on any thread

 private:
  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;
};

}  // namespace zt
