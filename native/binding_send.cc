// Node-API face of sending. stage() and sendStaged() are the hot path: no object crosses the
// boundary.
#include <cerrno>
#include <system_error>

#include "binding.h"
#include "sanitizer.h"

namespace zt {

namespace {

constexpr uint32_t kFlagMore = 1;
constexpr uint32_t kFlagMayPark = 2;

void stage(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  const Bytes payload = bytesOf(info.Env(), info[0]);
  const Bytes lengths = bytesOf(info.Env(), info[1]);
  environment.stage = payload.data;
  environment.stageSize = payload.size;
  environment.stageLengths = reinterpret_cast<uint32_t*>(lengths.data);
  environment.stageLengthsCount = lengths.size / sizeof(uint32_t);
}

// What one number says of a staged send: flags in the lowest two bits, above them bytes or frames.
struct Load {
  explicit Load(uint32_t word)
      : count(word >> 2), more((word & kFlagMore) != 0), mayPark((word & kFlagMayPark) != 0) {}
  const uint32_t count;
  const bool more;
  const bool mayPark;
};

// (slot, bytes in the stage with flags) -> SendCode or -errno
napi_value sendOne(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const Environment& environment = arguments.environment();
  Attachment* attachment = arguments.attachment();
  const Load load(arguments.number(1));
  if (attachment == nullptr) return arguments.result(-ENOTSOCK);
  if (load.count > environment.stageSize) return arguments.result(-EINVAL);
  try {
    Frame frame(environment.stage, load.count);
    return arguments.result(attachment->send(&frame, 1, load.more, load.mayPark));
  } catch (const std::bad_alloc&) {
    return arguments.result(-ENOMEM);
  }
}

// (slot, frames with flags): their lengths and bytes are in the stage -> SendCode or -errno
napi_value sendStaged(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const Environment& environment = arguments.environment();
  Attachment* attachment = arguments.attachment();
  const Load load(arguments.number(1));
  if (attachment == nullptr) return arguments.result(-ENOTSOCK);
  if (load.count > environment.stageLengthsCount) return arguments.result(-EINVAL);
  thread_local std::vector<Frame> frames;  // only its capacity outlives the call
  frames.clear();
  size_t offset = 0;
  try {
    for (uint32_t i = 0; i < load.count; ++i) {
      const size_t size = environment.stageLengths[i];
      if (size > environment.stageSize - offset) return arguments.result(-EINVAL);
      frames.emplace_back(environment.stage + offset, size);
      offset += size;
    }
    return arguments.result(
        attachment->send(frames.data(), frames.size(), load.more, load.mayPark));
  } catch (const std::bad_alloc&) {
    return arguments.result(-ENOMEM);
  }
}

// (slot, [bytes...], [pin id or 0...], flags) -> SendCode or -errno. A pin id comes back
// through freedPins() in any case, also after an error.
Napi::Value sendParts(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto& attachment = slotOf(info, environment.attachments);
  Napi::Array parts = info[1].As<Napi::Array>();
  Napi::Array pins = info[2].As<Napi::Array>();
  const uint32_t flags = info[3].As<Napi::Number>();
  // What stays with libzmq when this thread ends must not be in its memory. Of a socket that this
  // thread opened, teardown makes libzmq let go; one that it is only attached to goes on living.
  // And a message to an inproc peer stays in the peer's queue for as long as that likes.
  bool zeroCopy = attachment->owner;
  if (zeroCopy) {
    Guard guard(attachment->socket()->mutex);
    zeroCopy = attachment->socket()->zeroCopyLocked();
  }
  std::vector<Frame> frames;
  const uint32_t count = parts.Length();
  frames.reserve(count);
  uint32_t i = 0;
  try {
    for (; i < count; ++i) {
      const Bytes bytes = bytesOf(info.Env(), parts.Get(i));
      const uint32_t pin = pins.Get(i).As<Napi::Number>();
      if (pin == 0) {
        frames.emplace_back(bytes.data, bytes.size);
        continue;
      }
      frames.push_back(
          FreedPins::pin(environment.freed, *attachment->socket(), bytes.data, bytes.size, pin));
      if (!zeroCopy) frames.back() = Frame(bytes.data, bytes.size);
    }
  } catch (const std::bad_alloc&) {
    while (++i < count) {
      const uint32_t pin = pins.Get(i).As<Napi::Number>();
      if (pin != 0) FreedPins::giveBack(environment.freed, *attachment->socket(), pin);
    }
    return Napi::Number::New(info.Env(), -ENOMEM);
  }
  const int result = attachment->send(frames.data(), frames.size(), (flags & kFlagMore) != 0,
                                      (flags & kFlagMayPark) != 0);
  return Napi::Number::New(info.Env(), result);
}

// (slot, [bytes...], frames with flags) -> SendCode or -errno: each is copied, once
napi_value sendCopied(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  Attachment* attachment = arguments.attachment();
  const Load load(arguments.number(2));
  if (attachment == nullptr) return arguments.result(-ENOTSOCK);
  thread_local std::vector<Frame> frames;  // only its capacity outlives the call
  frames.clear();
  try {
    for (uint32_t i = 0; i < load.count; ++i) {
      napi_value part = nullptr;
      void* data = nullptr;
      size_t size = 0;
      if (napi_get_element(env, arguments.value(1), i, &part) != napi_ok ||
          napi_get_typedarray_info(env, part, nullptr, &size, &data, nullptr, nullptr) != napi_ok)
        return arguments.result(-EINVAL);
      ZT_GIVEN_BY_JAVASCRIPT(data);
      frames.emplace_back(data, size);
    }
    const int result = attachment->send(frames.data(), frames.size(), load.more, load.mayPark);
    frames.clear();  // what was not sent may be large
    return arguments.result(result);
  } catch (const std::bad_alloc&) {
    frames.clear();
    return arguments.result(-ENOMEM);
  }
}

// (slot, token, ms) -> 1 while it waits, else 0 or -errno
Napi::Value waitSent(const Napi::CallbackInfo& info) {
  auto attachment = slotOf(info, Environment::of(info).attachments);
  int error = 0;
  bool done = true;
  try {
    done = attachment->waitSent(info[1].As<Napi::Number>().Uint32Value(),
                                info[2].As<Napi::Number>().Int64Value(), error);
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  return Napi::Number::New(info.Env(), done ? -error : 1);
}

Napi::Value cancelSend(const Napi::CallbackInfo& info) {
  auto& attachment = slotOf(info, Environment::of(info).attachments);
  return Napi::Boolean::New(info.Env(),
                            attachment->cancelSend(info[1].As<Napi::Number>().Uint32Value()));
}

// (slot) -> ParkedCode or -errno
napi_value sendOrWatch(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  Attachment* attachment = arguments.attachment();
  if (attachment == nullptr) return arguments.result(-ENOTSOCK);
  return arguments.result(attachment->sendOrWatch(arguments.environment().eventLoop));
}

// (slot, loop slot)
void sendBy(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  slotOf(info, environment.attachments)->sendBy(slotOf(info, environment.loops, 1));
}

// (slot) -> [token, errno, token, errno, ...]
Napi::Value takeCompletions(const Napi::CallbackInfo& info) {
  const auto completions = slotOf(info, Environment::of(info).attachments)->takeCompletions();
  Napi::Array result = Napi::Array::New(info.Env(), completions.size() * 2);
  uint32_t index = 0;
  for (const Completion& completion : completions) {
    result.Set(index++, Napi::Number::New(info.Env(), completion.token));
    result.Set(index++, Napi::Number::New(info.Env(), completion.error));
  }
  return result;
}

napi_value settle(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  if (Attachment* attachment = arguments.attachment()) attachment->settle();
  return nullptr;
}

Napi::Value freedPins(const Napi::CallbackInfo& info) {
  const auto ids = Environment::of(info).freed->drain();
  Napi::Array result = Napi::Array::New(info.Env(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i)
    result.Set(static_cast<uint32_t>(i), Napi::Number::New(info.Env(), ids[i]));
  return result;
}

void wishFreed(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  environment.freed->wish(slotOf(info, environment.loops), kFreedToken);
}

}  // namespace

void defineSendBinding(Environment& environment, Napi::Object exports) {
  defineHot<sendOne>(environment, exports, "sendOne");
  defineHot<sendStaged>(environment, exports, "sendStaged");
  defineHot<sendCopied>(environment, exports, "sendCopied");
  defineHot<settle>(environment, exports, "settle");
  defineHot<sendOrWatch>(environment, exports, "sendOrWatch");
  define(environment, exports, "sendBy", sendBy);
  define(environment, exports, "stage", stage);
  define(environment, exports, "sendParts", sendParts);
  define(environment, exports, "waitSent", waitSent);
  define(environment, exports, "cancelSend", cancelSend);
  define(environment, exports, "takeCompletions", takeCompletions);
  define(environment, exports, "freedPins", freedPins);
  define(environment, exports, "wishFreed", wishFreed);
}

}  // namespace zt
