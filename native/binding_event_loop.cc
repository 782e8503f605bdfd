// Node-API face of EventLoop.
#include "binding.h"

namespace zt {

namespace {

// Calls JavaScript from libuv: as a callback of its own, after which promises' jobs run.
class Caller {
 public:
  Caller(napi_env env, napi_value function) : env_(env) {
    napi_value name;
    napi_create_string_utf8(env, "zeromq-threads", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env, nullptr, name, &context_);
    napi_create_reference(env, function, 1, &function_);
  }

  void operator()(uint32_t token) {
    if (ended_) return;
    napi_handle_scope scope;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
    napi_value global, function, argument, ignored;
    if (napi_get_reference_value(env_, function_, &function) == napi_ok &&
        napi_get_global(env_, &global) == napi_ok &&
        napi_create_uint32(env_, token, &argument) == napi_ok) {
      // The application's own callbacks that come due (process.nextTick) run in here, too. What
      // they throw is for nobody else to catch. In a thread that is being terminated this does
      // nothing.
      if (napi_make_callback(env_, context_, global, function, 1, &argument, &ignored) != napi_ok &&
          napi_get_and_clear_last_exception(env_, &ignored) == napi_ok) {
        napi_fatal_exception(env_, ignored);
      }
    }
    napi_close_handle_scope(env_, scope);
  }

  void end() {
    ended_ = true;
    napi_async_destroy(env_, context_);
    napi_delete_reference(env_, function_);
  }

 private:
  const napi_env env_;
  napi_async_context context_ = nullptr;
  napi_ref function_ = nullptr;
  bool ended_ = false;
};

// (call, turns) -> whether sockets can be watched by this thread's event loop
Napi::Value eventLoopOpen(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  const Bytes turns = bytesOf(info.Env(), info[1]);
  if (turns.size < kTurnWords * sizeof(uint32_t))
    throw Napi::Error::New(info.Env(), "words for turns are too few");
  uv_loop_t* loop = nullptr;
  if (environment.eventLoop || napi_get_uv_event_loop(info.Env(), &loop) != napi_ok) {
    return Napi::Boolean::New(info.Env(), environment.eventLoop != nullptr);
  }
  auto caller = std::make_shared<Caller>(info.Env(), info[0]);
  environment.eventLoop = EventLoop::create(
      loop, [caller](uint32_t token) { (*caller)(token); },
      reinterpret_cast<uint32_t*>(turns.data));
  if (!environment.eventLoop) {
    caller->end();
    return Napi::Boolean::New(info.Env(), false);
  }
  struct End {
    std::shared_ptr<EventLoop> loop;
    std::shared_ptr<Caller> caller;
  };
  napi_add_async_cleanup_hook(
      info.Env(),
      [](napi_async_cleanup_hook_handle handle, void* data) {
        std::unique_ptr<End> end(static_cast<End*>(data));
        end->caller->end();
        end->loop->close([handle] { napi_remove_async_cleanup_hook(handle); });
      },
      new End{environment.eventLoop, std::move(caller)}, nullptr);
  return Napi::Boolean::New(info.Env(), true);
}

// (whether the process stays)
napi_value eventLoopKeep(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  bool keep = false;
  napi_get_value_bool(env, arguments.value(0), &keep);
  if (arguments.environment().eventLoop) arguments.environment().eventLoop->keepProcess(keep);
  return nullptr;
}

}  // namespace

void defineEventLoopBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "eventLoopOpen", eventLoopOpen);
  defineHot<eventLoopKeep>(environment, exports, "eventLoopKeep");
}

}  // namespace zt
