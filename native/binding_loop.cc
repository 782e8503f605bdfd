// Node-API face of Bell and Loop.
#include <system_error>

#include "binding.h"

namespace zt {

namespace {

// What the thread that runs a loop takes until it is there: its own event loop has three, the loop
// two, and files are loaded one after the other. The engine has an uncaught error for one that
// finds none.
constexpr size_t kWorkerDescriptors = 10;

void bellCreate(const Napi::CallbackInfo& info) {
  const Bytes bytes = bytesOf(info.Env(), info[0]);
  if (bytes.size < kBellWords * sizeof(uint32_t))
    throw Napi::Error::New(info.Env(), "doorbell is too small");
  Environment::of(info).bell = std::make_shared<Bell>(reinterpret_cast<uint32_t*>(bytes.data));
}

// (tokens) -> how many
Napi::Value bellDrain(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  const Bytes bytes = bytesOf(info.Env(), info[0]);
  const size_t count = environment.bell
                           ? environment.bell->drain(reinterpret_cast<uint32_t*>(bytes.data),
                                                     bytes.size / sizeof(uint32_t))
                           : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

// (slot) -> loop id, or -errno
Napi::Value loopCreate(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  if (!environment.bell) throw Napi::Error::New(info.Env(), "no doorbell yet");
  const uint32_t slot = info[0].As<Napi::Number>();
  if (slot >= environment.loops.size()) environment.loops.resize(slot + 1);
  try {
    needDescriptors(kWorkerDescriptors);
    environment.loops[slot] = Loop::create(environment.bell);
  } catch (const std::system_error& error) {
    return Napi::Number::New(info.Env(), -error.code().value());
  }
  return Napi::Number::New(info.Env(), environment.loops[slot]->id);
}

// (loop id, report) -> LoopCode
Napi::Value loopRun(const Napi::CallbackInfo& info) {
  auto loop = Loop::find(info[0].As<Napi::Number>().Uint32Value());
  if (!loop) return Napi::Number::New(info.Env(), kLoopStop);
  const Bytes bytes = bytesOf(info.Env(), info[1]);
  if (bytes.size < kReportWords * sizeof(uint32_t))
    throw Napi::Error::New(info.Env(), "report is too small");
  auto* report = reinterpret_cast<uint32_t*>(bytes.data);
  const LoopCode code = loop->run();
  if (code == kLoopNeedChunk) {
    report[0] = loop->needy()->chunkToken();
    // Whoever receives a message has seen to it that its chunk is no larger than that.
    static_assert(kLargestChunkBytes <= UINT32_MAX, "the size of a chunk is a word");
    report[1] = static_cast<uint32_t>(loop->neededBytes);
  } else if (code == kLoopNotify) {
    bool bell = false;
    report[1] = static_cast<uint32_t>(loop->takeWakes(bell, report + 2, kReportWords - 2));
    report[0] = bell ? 1 : 0;
  }
  return Napi::Number::New(info.Env(), code);
}

void loopStop(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  slotOf(info, environment.loops)->stop();
  environment.loops[info[0].As<Napi::Number>().Uint32Value()] = nullptr;
}

}  // namespace

void defineLoopBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "bellCreate", bellCreate);
  define(environment, exports, "bellDrain", bellDrain);
  define(environment, exports, "loopCreate", loopCreate);
  define(environment, exports, "loopRun", loopRun);
  define(environment, exports, "loopStop", loopStop);
}

}  // namespace zt
