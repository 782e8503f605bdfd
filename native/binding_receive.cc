// Node-API face of receiving, and of the chunks that received bytes lie in.
#include <cerrno>
#include <system_error>

#include "binding.h"

namespace zt {

void accountForChunk(napi_env env, napi_value buffer, size_t size, Environment* owner,
                     uint32_t chunkId) {
  struct Record {
    size_t size;
    Environment* owner;
    uint32_t chunkId;
  };
  int64_t total;
  napi_adjust_external_memory(env, static_cast<int64_t>(size), &total);
  auto* record = new Record{size, owner, chunkId};
  const napi_status status = napi_add_finalizer(
      env, buffer, record,
      [](napi_env env, void* data, void*) {
        auto* record = static_cast<Record*>(data);
        int64_t total;
        napi_adjust_external_memory(env, -static_cast<int64_t>(record->size), &total);
        if (record->owner != nullptr) record->owner->chunks.erase(record->chunkId);
        delete record;
      },
      nullptr, nullptr);
  if (status != napi_ok) {
    napi_adjust_external_memory(env, -static_cast<int64_t>(size), &total);
    delete record;
  }
}

namespace {

std::shared_ptr<Chunk> chunkFrom(const Napi::CallbackInfo& info, size_t argument) {
  const Bytes bytes = bytesOf(info.Env(), info[argument]);
  if (bytes.size < kFirstChunkBytes / 4 || bytes.size % kFrameAlign != 0) {
    throw Napi::Error::New(info.Env(), "not a chunk");
  }
  return std::make_shared<Chunk>(bytes.data, bytes.size);
}

// `where` is a Uint32Array that gets: messages published, errno, bytes needed.
struct Outcome {
  uint32_t published = 0;
  int error = 0;
  size_t needed = 0;

  void write(napi_env env, napi_value where) const {
    const Bytes bytes = bytesOf(env, where);
    if (bytes.size < 3 * sizeof(uint32_t)) return;
    auto* words = reinterpret_cast<uint32_t*>(bytes.data);
    words[0] = published;
    words[1] = static_cast<uint32_t>(error);
    words[2] = static_cast<uint32_t>(needed);
  }
};

// Has the attachment in argument 0 receive as `call` says, and writes the outcome into the last
// argument.
template <size_t Count, typename Call>
napi_value receiveAs(const Arguments<Count>& arguments, napi_env env, Call call) {
  Outcome outcome;
  PumpCode code = kPumpError;
  outcome.error = ENOTSOCK;
  if (Attachment* attachment = arguments.attachment()) code = call(*attachment, outcome);
  outcome.write(env, arguments.value(Count - 1));
  return arguments.result(static_cast<int>(code));
}

// (slot, most, result) -> PumpCode
napi_value pump(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  const int most = static_cast<int>(arguments.number(1));
  return receiveAs(arguments, env, [&](Attachment& attachment, Outcome& outcome) {
    return attachment.pump(most, outcome.published, outcome.error, outcome.needed);
  });
}

// (slot, most, 1 if somebody waits already, result) -> PumpCode
napi_value pumpOrWatch(napi_env env, napi_callback_info info) {
  const Arguments<4> arguments(env, info);
  const int most = static_cast<int>(arguments.number(1));
  const bool waits = arguments.number(2) != 0;
  return receiveAs(arguments, env, [&](Attachment& attachment, Outcome& outcome) {
    return attachment.pumpOrWatch(arguments.environment().eventLoop, most, waits, outcome.published,
                                  outcome.error, outcome.needed);
  });
}

// (slot, most, ms, result) -> PumpCode
napi_value waitReceive(napi_env env, napi_callback_info info) {
  const Arguments<4> arguments(env, info);
  const int most = static_cast<int>(arguments.number(1));
  const auto milliseconds = static_cast<long>(arguments.number(2));
  return receiveAs(arguments, env, [&](Attachment& attachment, Outcome& outcome) {
    try {
      return attachment.waitReceive(most, milliseconds, outcome.published, outcome.error,
                                    outcome.needed);
    } catch (const std::system_error& error) {
      outcome.error = error.code().value();
      return kPumpError;
    }
  });
}

// (slot, bytes) -> chunk id. The calling thread made the chunk.
Napi::Value addChunk(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto& attachment = slotOf(info, environment.attachments);
  auto chunk = chunkFrom(info, 1);
  environment.chunks.emplace(chunk->id, chunk);
  accountForChunk(info.Env(), info[1].As<Napi::TypedArray>().Get("buffer"), chunk->size,
                  &environment, chunk->id);
  attachment->addChunk(chunk);
  return Napi::Number::New(info.Env(), chunk->id);
}

// (slot, chunk id, bytes) -> whether it is this socket's. An I/O worker made the chunk and its
// buffer has arrived.
Napi::Value adoptChunk(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto& attachment = slotOf(info, environment.attachments);
  auto chunk = attachment->adopt(info[1].As<Napi::Number>().Uint32Value());
  if (!chunk) return Napi::Boolean::New(info.Env(), false);
  accountForChunk(info.Env(), info[2].As<Napi::TypedArray>().Get("buffer"), chunk->size,
                  &environment, chunk->id);
  environment.chunks.emplace(chunk->id, std::move(chunk));
  return Napi::Boolean::New(info.Env(), true);
}

// (slot, chunk id) -> whether it will be filled again
Napi::Value recycle(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto& attachment = slotOf(info, environment.attachments);
  auto found = environment.chunks.find(info[1].As<Napi::Number>().Uint32Value());
  const bool kept = found != environment.chunks.end() && attachment->recycle(found->second);
  return Napi::Boolean::New(info.Env(), kept);
}

// (chunk id, offset, name) -> string or undefined
Napi::Value metadata(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto found = environment.chunks.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == environment.chunks.end()) return info.Env().Undefined();
  auto origin = found->second->originOf(info[1].As<Napi::Number>().Uint32Value());
  if (!origin) return info.Env().Undefined();
  auto value = origin->find(info[2].As<Napi::String>());
  if (value == origin->end()) return info.Env().Undefined();
  return Napi::String::New(info.Env(), value->second);
}

// (slot, active, loop slot or -1)
void setActive(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  auto& attachment = slotOf(info, environment.attachments);
  std::shared_ptr<Loop> loop;
  if (info[2].As<Napi::Number>().Int32Value() >= 0) loop = slotOf(info, environment.loops, 2);
  attachment->setActive(info[1].As<Napi::Boolean>(), loop);
}

// (slot, loop slot)
void standBy(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info);
  slotOf(info, environment.attachments)->standBy(slotOf(info, environment.loops, 1));
}

napi_value kick(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  if (Attachment* attachment = arguments.attachment()) attachment->kick();
  return nullptr;
}

napi_value ensureWatched(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  if (Attachment* attachment = arguments.attachment()) attachment->ensureWatched();
  return nullptr;
}

void setLimits(const Napi::CallbackInfo& info) {
  slotOf(info, Environment::of(info).attachments)
      ->setLimits(info[1].As<Napi::Number>().Uint32Value(),
                  info[2].As<Napi::Number>().Uint32Value());
}

// (loop id, bytes) -> chunk id, or 0 if nobody wants it any more. For the I/O worker, after
// kLoopNeedChunk.
Napi::Value giveChunk(const Napi::CallbackInfo& info) {
  auto loop = Loop::find(info[0].As<Napi::Number>().Uint32Value());
  if (!loop || loop->needy() == nullptr) return Napi::Number::New(info.Env(), 0);
  auto chunk = chunkFrom(info, 1);
  const uint32_t id = chunk->id;
  accountForChunk(info.Env(), info[1].As<Napi::TypedArray>().Get("buffer"), chunk->size, nullptr,
                  id);
  const bool wanted = loop->needy()->announce(chunk);
  if (!wanted) loop->takeNeedy();
  return Napi::Number::New(info.Env(), wanted ? id : 0);
}

// (loop id). The chunk that was given is on its way to its owner.
void chunkPosted(const Napi::CallbackInfo& info) {
  auto loop = Loop::find(info[0].As<Napi::Number>().Uint32Value());
  if (!loop) return;
  auto needy = loop->takeNeedy();
  if (needy) needy->fillAnnounced();
}

void failChunk(const Napi::CallbackInfo& info) {
  auto loop = Loop::find(info[0].As<Napi::Number>().Uint32Value());
  if (!loop) return;
  auto needy = loop->takeNeedy();
  if (needy) needy->failChunk();
}

}  // namespace

void defineReceiveBinding(Environment& environment, Napi::Object exports) {
  defineHot<pump>(environment, exports, "pump");
  defineHot<pumpOrWatch>(environment, exports, "pumpOrWatch");
  defineHot<waitReceive>(environment, exports, "waitReceive");
  define(environment, exports, "addChunk", addChunk);
  define(environment, exports, "adoptChunk", adoptChunk);
  define(environment, exports, "recycle", recycle);
  define(environment, exports, "metadata", metadata);
  define(environment, exports, "setActive", setActive);
  define(environment, exports, "standBy", standBy);
  defineHot<kick>(environment, exports, "kick");
  defineHot<ensureWatched>(environment, exports, "ensureWatched");
  define(environment, exports, "setLimits", setLimits);
  define(environment, exports, "giveChunk", giveChunk);
  define(environment, exports, "chunkPosted", chunkPosted);
  define(environment, exports, "failChunk", failChunk);
}

}  // namespace zt
