// Node-API face of what concerns the library and the process: versions, layout, exit.
#include <cerrno>
#include <chrono>
#include <random>

#include "binding.h"
#include "property_names.h"
#include "waits.h"

namespace zt {

namespace {

Napi::Value version(const Napi::CallbackInfo& info) {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  return Napi::String::New(info.Env(), std::to_string(major) + "." + std::to_string(minor) + "." +
                                           std::to_string(patch));
}

Napi::Value has(const Napi::CallbackInfo& info) {
  const std::string capability = info[0].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), zmq_has(capability.c_str()) != 0);
}

Napi::Value errorText(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), zmq_strerror(info[0].As<Napi::Number>()));
}

constexpr size_t kKeyTextBytes = 41;

// () -> [public key, secret key] in Z85, or errno
Napi::Value curveKeyPair(const Napi::CallbackInfo& info) {
  char publicKey[kKeyTextBytes];
  char secretKey[kKeyTextBytes];
  if (zmq_curve_keypair(publicKey, secretKey) != 0) {
    return Napi::Number::New(info.Env(), zmq_errno());
  }
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  pair.Set(uint32_t{0}, Napi::String::New(info.Env(), publicKey));
  pair.Set(uint32_t{1}, Napi::String::New(info.Env(), secretKey));
  return pair;
}

// (secret key in Z85) -> public key, or errno
Napi::Value curvePublicKey(const Napi::CallbackInfo& info) {
  const std::string secretKey = info[0].As<Napi::String>();
  char publicKey[kKeyTextBytes];
  if (secretKey.size() + 1 != kKeyTextBytes) return Napi::Number::New(info.Env(), EINVAL);
  if (zmq_curve_public(publicKey, secretKey.c_str()) != 0) {
    return Napi::Number::New(info.Env(), zmq_errno());
  }
  return Napi::String::New(info.Env(), publicKey);
}

// Tells handles of this process from any others.
Napi::Value processNonce(const Napi::CallbackInfo& info) {
  static const std::string nonce = [] {
    std::random_device random;
    return std::to_string(random()) + "-" + std::to_string(random());
  }();
  return Napi::String::New(info.Env(), nonce);
}

// () -> 0 or errno: this thread is scheduled as SCHED_BATCH, where there is that
Napi::Value gatherThread(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), gather());
}

// (name) -> whether messages have the property from now on
Napi::Value addProperty(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), addPropertyName(name));
}

// Everything both sides must agree on, for the test that compares them.
Napi::Value layout(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, double value) {
    result.Set(name, Napi::Number::New(info.Env(), value));
  };
  set("CHUNK_PUBLISHED", kChunkPublished);
  set("CHUNK_NEXT", kChunkNext);
  set("CHUNK_HEADER_BYTES", kChunkHeaderBytes);
  set("LARGEST_CHUNK_BYTES", static_cast<double>(kLargestChunkBytes));
  set("DESCRIPTOR_BYTES", kDescriptorBytes);
  set("FRAME_ALIGN", kFrameAlign);
  set("FRAME_MORE", kFrameMore);
  set("FIRST_CHUNK_BYTES", kFirstChunkBytes);
  set("FULL_CHUNK_BYTES", kFullChunkBytes);
  set("CTL_FIRST_CHUNK", kCtlFirstChunk);
  set("CTL_PUBLISHED_MESSAGES", kCtlPublishedMessages);
  set("CTL_STATE", kCtlState);
  set("CTL_LIMIT", kCtlLimit);
  set("CTL_PUBLISHED_BYTES", kCtlPublishedBytes);
  set("CTL_LIMIT_BYTES", kCtlLimitBytes);
  set("CTL_OUTCOMES", kCtlOutcomes);
  set("CTL_CONSUMED_MESSAGES", kCtlConsumedMessages);
  set("CTL_CONSUMED_BYTES", kCtlConsumedBytes);
  set("CTL_DEMAND", kCtlDemand);
  set("CTL_WAITING", kCtlWaiting);
  set("CTL_PAUSED", kCtlPaused);
  set("CTL_WORDS", kCtlWords);
  set("LANE_SEQUENCE", kLaneSequence);
  set("LANE_ORDER", kLaneOrder);
  set("LANE_REPORTS", kLaneReports);
  set("LANE_LOW", kLaneLow);
  set("LANE_TICKS", kLaneTicks);
  set("LANE_TAKEN", kLaneTaken);
  set("LANE_FAILED", kLaneFailed);
  set("LANE_TIMED_OUT", kLaneTimedOut);
  set("LANE_SENT", kLaneSent);
  set("LANE_DROPPED", kLaneDropped);
  set("LANE_RUNNING", kLaneRunning);
  set("LANE_KEPT", kLaneKept);
  set("LANE_WORDS", kLaneWords);
  set("LANE_REPLIES", kLaneReplies);
  set("REPLY_WORDS", kReplyWords);
  set("REPLY_SLOT", kReplySlot);
  set("REPLY_FRAMES", kReplyFrames);
  set("REPLY_OUTCOME", kReplyOutcome);
  set("REPLY_SIZES", kReplySizes);
  set("LANE_SLOTS", kLaneSlots);
  set("SLOT_NUMBER", kSlotNumber);
  set("SLOT_STATE", kSlotState);
  set("SLOT_BEGUN_AT", kSlotBegunAt);
  set("SLOT_WORDS", kSlotWords);
  set("SLOT_STATE_FREE", kSlotFree);
  set("SLOT_STATE_RUNNING", kSlotRunning);
  set("SLOT_STATE_DELIVERING", kSlotDelivering);
  set("SLOT_STATE_STREAMING", kSlotStreaming);
  set("SLOT_STATE_WAITING", kSlotWaiting);
  set("ORDER_RUN", kOrderRun);
  set("ORDER_ABORT", kOrderAbort);
  set("ORDER_STOP", kOrderStop);
  set("HEADER_BYTES", kHeaderBytes);
  set("NO_SOURCE", kNoSource);
  set("LANE_TOKEN", kLaneToken);
  set("GROUP_TOKEN", kGroupToken);
  set("REPORT_WORDS", kReportWords);
  set("STATE_OPEN", kStateOpen);
  set("STATE_CLOSED", kStateClosed);
  set("STATE_TERMINATED", kStateTerminated);
  set("BELL_SEQUENCE", kBellSequence);
  set("BELL_SLEEPING", kBellSleeping);
  set("BELL_READY", kBellReady);
  set("BELL_WORDS", kBellWords);
  set("LOOP_TICK", kLoopTick);
  set("LOOP_NOTIFY", kLoopNotify);
  set("LOOP_NEED_CHUNK", kLoopNeedChunk);
  set("LOOP_STOP", kLoopStop);
  set("PUMP_EMPTY", kPumpEmpty);
  set("PUMP_BURST", kPumpBurst);
  set("PUMP_LIMIT", kPumpLimit);
  set("PUMP_NEED_CHUNK", kPumpNeedChunk);
  set("PUMP_ERROR", kPumpError);
  set("PUMP_SATISFIED", kPumpSatisfied);
  set("PUMP_ELSEWHERE", kPumpElsewhere);
  set("TURNS_LONG", kTurnsLong);
  set("TURNS_OWN", kTurnsOwn);
  set("TURN_WORDS", kTurnWords);
  set("SEND_DONE", kSendDone);
  set("SEND_SETTLE", kSendSettle);
  set("SEND_FIRST_TOKEN", kSendFirstToken);
  set("PARKED_NONE", kParkedNone);
  set("PARKED_WATCHED", kParkedWatched);
  set("PARKED_UNWATCHED", kParkedUnwatched);
  set("BURST", kBurst);
  set("WAIT_SLICE_MS", static_cast<double>(kWaitSliceMs));
  set("ZERO_COPY_BYTES", kZeroCopyBytes);
  set("POLLER_TOKEN", kPollerToken);
  set("FREED_TOKEN", kFreedToken);
  return result;
}

// Every blocking native call in the process returns soon.
void interruptAll(const Napi::CallbackInfo&) {
  Loop::interruptAll();
  interruptWaits();
}

// Whether a socket of the context would linger for ever.
bool lingersForEver(const std::shared_ptr<Context>& context) {
  for (auto& socket : context->sockets()) {
    int linger = 0;
    size_t size = sizeof linger;
    if (socket->getOption(ZMQ_LINGER, &linger, &size) == 0 && linger < 0) return true;
  }
  return false;
}

// (ms granted to sockets that would linger for ever) -> whether everything was sent or its linger
// is over. The process is about to end: closes all contexts and waits for them.
Napi::Value flushAtExit(const Napi::CallbackInfo& info) {
  using namespace std::chrono;
  const long grace = static_cast<long>(info[0].As<Napi::Number>().Int64Value());
  // Node.js ends one Worker after another: none of them may be in a long wait.
  Loop::stopAll();
  hurryWaits();
  Proxy::stopAll();  // what they have in hand goes out with the rest
  const auto contexts = Context::all();
  const auto granted = steady_clock::now() + milliseconds(grace);
  std::vector<bool> cut;  // whether the grace is less than what some socket of it asked for
  for (auto& context : contexts) {
    cut.push_back(lingersForEver(context));
    context->terminate(grace, true, nullptr);
  }
  auto until = granted;
  const auto lingers = steady_clock::time_point(milliseconds(latestLingerDeadline()));
  if (lingers > until) until = lingers;
  until += milliseconds(200);  // for libzmq to notice that a linger is over
  bool all = true;
  for (size_t i = 0; i < contexts.size(); ++i) {
    if (!contexts[i]->waitTerminated(until)) all = false;
    // libzmq does not tell what it drops. Nothing of it, if the context was done before that; its
    // timers count whole milliseconds, and may be early by two.
    if (cut[i] && steady_clock::now() >= granted - milliseconds(2)) all = false;
  }
  all = Context::waitOrphans(until) && all;
  return Napi::Boolean::New(info.Env(), all);
}

}  // namespace

void defineProcessBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "version", version);
  define(environment, exports, "has", has);
  define(environment, exports, "errorText", errorText);
  define(environment, exports, "processNonce", processNonce);
  define(environment, exports, "gatherThread", gatherThread);
  define(environment, exports, "curveKeyPair", curveKeyPair);
  define(environment, exports, "curvePublicKey", curvePublicKey);
  define(environment, exports, "addPropertyName", addProperty);
  define(environment, exports, "layout", layout);
  define(environment, exports, "interruptAll", interruptAll);
  define(environment, exports, "flushAtExit", flushAtExit);
}

}  // namespace zt
