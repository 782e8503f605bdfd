// Node-API face of LaneGroup and Lane: for the thread that starts them (the host), for handler
// threads, and for the I/O worker.
#include <cerrno>

#include "binding.h"

namespace zt {

namespace {

template <typename T>
const std::shared_ptr<T>& named(const Napi::CallbackInfo& info,
                                const std::unordered_map<uint32_t, std::shared_ptr<T>>& table) {
  auto found = table.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == table.end()) throw Napi::Error::New(info.Env(), "no such lane or group");
  return found->second;
}

Lane& laneOf(const Napi::CallbackInfo& info) {
  return *named(info, Environment::of(info).lanes);
}

LaneGroup& groupOf(const Napi::CallbackInfo& info) {
  return *named(info, Environment::of(info).groups);
}

uint32_t word(const Napi::CallbackInfo& info, size_t argument) {
  return info[argument].As<Napi::Number>().Uint32Value();
}

// (loop slot, lanes, most in flight, most bytes of a message's chunk, policy, body at, key frame,
// key start, key end) -> group id
Napi::Value groupCreate(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  LaneRoute route;
  route.policy = static_cast<RoutePolicy>(word(info, 4));
  route.body = static_cast<BodyAt>(word(info, 5));
  route.keyFrame = word(info, 6);
  route.keyStart = word(info, 7);
  route.keyEnd = word(info, 8);
  auto group = LaneGroup::create(slotOf(info, environment.loops), word(info, 1), route,
                                 word(info, 2), word(info, 3));
  environment.groups.emplace(group->id, group);
  return Napi::Number::New(info.Env(), group->id);
}

// (group, socket slot)
void groupAddSource(const Napi::CallbackInfo& info) {
  groupOf(info).addSource(slotOf(info, Environment::of(info).attachments, 1)->socket());
}

void groupPause(const Napi::CallbackInfo& info) {
  groupOf(info).pauseSources();
}

Napi::Value groupPending(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(groupOf(info).pendingCount()));
}

Napi::Object describe(Napi::Env env, LaneMessage& message) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("ticket", Napi::Number::New(env, message.header.ticket));
  result.Set("source", Napi::Number::New(env, message.header.source));
  result.Set("attempts", Napi::Number::New(env, message.header.attempts));
  result.Set("body", Napi::Number::New(env, message.header.body));
  Napi::Array frames = Napi::Array::New(env, message.frames.size());
  for (size_t i = 0; i < message.frames.size(); ++i) {
    Frame& frame = message.frames[i];
    frames.Set(
        static_cast<uint32_t>(i),
        Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(frame.data()), frame.size()));
  }
  result.Set("frames", frames);
  return result;
}

// (group) -> messages that found no lane
Napi::Value groupTakePending(const Napi::CallbackInfo& info) {
  auto messages = groupOf(info).takePending();
  Napi::Array result = Napi::Array::New(info.Env(), messages.size());
  for (size_t i = 0; i < messages.size(); ++i)
    result.Set(static_cast<uint32_t>(i), describe(info.Env(), messages[i]));
  return result;
}

// (group) -> [message & { errno, bytes }], the envelope alone in place of its frames
Napi::Value groupTakeRefused(const Napi::CallbackInfo& info) {
  auto refused = groupOf(info).takeRefused();
  Napi::Array result = Napi::Array::New(info.Env(), refused.size());
  for (size_t i = 0; i < refused.size(); ++i) {
    Napi::Object message = describe(info.Env(), refused[i].message);
    message.Set("errno", Napi::Number::New(info.Env(), refused[i].error));
    message.Set("bytes", Napi::Number::New(info.Env(), static_cast<double>(refused[i].bytes)));
    result.Set(static_cast<uint32_t>(i), message);
  }
  return result;
}

void groupClose(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  named(info, environment.groups)->detach();
  environment.groups.erase(word(info, 0));
}

// (group, index, control block, messages it may hold, bytes) -> lane id
Napi::Value laneCreate(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto& group = named(info, environment.groups);
  const Bytes control = bytesOf(info.Env(), info[2]);
  auto lane = Lane::create(group, word(info, 1), reinterpret_cast<uint32_t*>(control.data),
                           control.size / sizeof(uint32_t), word(info, 3), word(info, 4));
  if (!lane) throw Napi::Error::New(info.Env(), "control block is too small");
  environment.lanes.emplace(lane->id, lane);
  group->setLane(lane->index, lane);
  return Napi::Number::New(info.Env(), lane->id);
}

// (lane, retries) -> [message & { delivering }], those that were begun
Napi::Value laneRescue(const Napi::CallbackInfo& info) {
  Lane& lane = laneOf(info);
  std::vector<RescuedMessage> begun;
  lane.group->rescue(lane, word(info, 1), begun);
  Napi::Array result = Napi::Array::New(info.Env(), begun.size());
  for (size_t i = 0; i < begun.size(); ++i) {
    Napi::Object message = describe(info.Env(), begun[i].message);
    message.Set("delivering", Napi::Boolean::New(info.Env(), !begun[i].intact()));
    result.Set(static_cast<uint32_t>(i), message);
  }
  return result;
}

void laneRelease(const Napi::CallbackInfo& info) {
  Environment::of(info).lanes.erase(word(info, 0));
}

Napi::Value laneGone(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), laneOf(info).gone());
}

// For handler threads from here on. (lane) -> whether there is such a lane
Napi::Value laneAttach(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto lane = Lane::find(word(info, 0));
  if (!lane) return Napi::Boolean::New(info.Env(), false);
  lane->come(&environment);
  environment.lanes.emplace(lane->id, std::move(lane));
  return Napi::Boolean::New(info.Env(), true);
}

void laneOpen(const Napi::CallbackInfo& info) {
  laneOf(info).open();
}

// This thread is done with it.
void laneLeave(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  laneOf(info).endOf(&environment);
  environment.lanes.erase(word(info, 0));
}

void laneKick(const Napi::CallbackInfo& info) {
  laneOf(info).kick();
}

// (lane, socket slot)
void laneReplyThrough(const Napi::CallbackInfo& info) {
  laneOf(info).replyThrough(slotOf(info, Environment::of(info).attachments, 1)->socket());
}

// (lane) -> how many of the replies that the thread keeps did not leave
Napi::Value laneSendReplies(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), laneOf(info).sendReplies());
}

void laneKeepReplies(const Napi::CallbackInfo& info) {
  laneOf(info).keepReplies();
}

// (lane, chunk id, bytes) -> whether it is this lane's
Napi::Value laneAdopt(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto chunk = laneOf(info).adopt(word(info, 1));
  if (!chunk) return Napi::Boolean::New(info.Env(), false);
  accountForChunk(info.Env(), info[2].As<Napi::TypedArray>().Get("buffer"), chunk->size,
                  &environment, chunk->id);
  environment.chunks.emplace(chunk->id, std::move(chunk));
  return Napi::Boolean::New(info.Env(), true);
}

// (lane, chunk id, reusable) -> whether it will be filled again
Napi::Value laneRecycle(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto found = environment.chunks.find(word(info, 1));
  const bool kept = found != environment.chunks.end() &&
                    laneOf(info).recycle(found->second, info[2].As<Napi::Boolean>());
  return Napi::Boolean::New(info.Env(), kept);
}

// (group, lane that waits if there is no room, [bytes...]) -> whether it was taken
Napi::Value laneInject(const Napi::CallbackInfo& info) {
  auto group = LaneGroup::find(word(info, 0));
  if (!group) return Napi::Boolean::New(info.Env(), true);  // it is closed: nobody wants it
  Napi::Array parts = info[2].As<Napi::Array>();
  std::vector<Frame> frames;
  frames.reserve(parts.Length());
  for (uint32_t i = 0; i < parts.Length(); ++i) {
    const Bytes bytes = bytesOf(info.Env(), parts.Get(i));
    frames.emplace_back(bytes.data, bytes.size);
  }
  return Napi::Boolean::New(info.Env(), group->inject(std::move(frames), word(info, 1)));
}

// For I/O workers. (lane) -> ids of chunks that need not be kept
Napi::Value laneDropped(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  auto lane = Lane::find(word(info, 0));
  if (!lane) return result;
  uint32_t count = 0;
  for (uint32_t id : lane->takeDropped()) result.Set(count++, Napi::Number::New(info.Env(), id));
  return result;
}

}  // namespace

void defineLaneBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "groupCreate", groupCreate);
  define(environment, exports, "groupAddSource", groupAddSource);
  define(environment, exports, "groupPause", groupPause);
  define(environment, exports, "groupPending", groupPending);
  define(environment, exports, "groupTakePending", groupTakePending);
  define(environment, exports, "groupTakeRefused", groupTakeRefused);
  define(environment, exports, "groupClose", groupClose);
  define(environment, exports, "laneCreate", laneCreate);
  define(environment, exports, "laneRescue", laneRescue);
  define(environment, exports, "laneRelease", laneRelease);
  define(environment, exports, "laneAttach", laneAttach);
  define(environment, exports, "laneOpen", laneOpen);
  define(environment, exports, "laneGone", laneGone);
  define(environment, exports, "laneLeave", laneLeave);
  define(environment, exports, "laneKick", laneKick);
  define(environment, exports, "laneReplyThrough", laneReplyThrough);
  define(environment, exports, "laneSendReplies", laneSendReplies);
  define(environment, exports, "laneKeepReplies", laneKeepReplies);
  define(environment, exports, "laneAdopt", laneAdopt);
  define(environment, exports, "laneRecycle", laneRecycle);
  define(environment, exports, "laneInject", laneInject);
  define(environment, exports, "laneDropped", laneDropped);
}

}  // namespace zt
