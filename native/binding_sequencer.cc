// Node-API face of Sequencer: for the thread that makes it, and for handler threads, by its id.
#include <cerrno>
#include <utility>
#include <vector>

#include "binding.h"

namespace zt {

namespace {

uint32_t word(const Napi::CallbackInfo& info, size_t argument) {
  return info[argument].As<Napi::Number>().Uint32Value();
}

std::shared_ptr<Sequencer> sequencerOf(const Napi::CallbackInfo& info) {
  auto sequencer = Sequencer::find(word(info, 0));
  if (!sequencer) throw Napi::Error::New(info.Env(), "no such sequencer");
  return sequencer;
}

// () -> id
Napi::Value sequencerCreate(const Napi::CallbackInfo& info) {
  auto sequencer = Sequencer::create();
  Environment::of(info).sequencers.emplace(sequencer->id, sequencer);
  return Napi::Number::New(info.Env(), sequencer->id);
}

void sequencerRelease(const Napi::CallbackInfo& info) {
  Environment::of(info).sequencers.erase(word(info, 0));
}

// [sink, bytes, bytes, ...]
Output outputOf(const Napi::CallbackInfo& info, const Napi::Array& parts) {
  Output output;
  output.sink = parts.Get(uint32_t{0}).As<Napi::Number>().Uint32Value();
  output.frames.reserve(parts.Length() - 1);
  for (uint32_t k = 1; k < parts.Length(); ++k) {
    const Bytes bytes = bytesOf(info.Env(), parts.Get(k));
    output.frames.emplace_back(bytes.data, bytes.data + bytes.size);
  }
  return output;
}

// (id, ticket, emitter, [sink, bytes, bytes, ...]) -> whether the caller emits now
Napi::Value sequencerAppend(const Napi::CallbackInfo& info) {
  auto sequencer = sequencerOf(info);
  return Napi::Boolean::New(
      info.Env(),
      sequencer->append(word(info, 1), outputOf(info, info[3].As<Napi::Array>()), word(info, 2)));
}

// (id, ticket, emitter, [[sink, bytes, bytes, ...], ...]) -> whether the caller emits now
Napi::Value sequencerPut(const Napi::CallbackInfo& info) {
  auto sequencer = sequencerOf(info);
  Napi::Array list = info[3].As<Napi::Array>();
  std::vector<Output> outputs(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    outputs[i] = outputOf(info, list.Get(i).As<Napi::Array>());
  }
  return Napi::Boolean::New(info.Env(),
                            sequencer->put(word(info, 1), std::move(outputs), word(info, 2)));
}

// (id, ticket)
void sequencerSkip(const Napi::CallbackInfo& info) {
  sequencerOf(info)->skip(word(info, 1));
}

// (id, ticket) -> whether it is complete
Napi::Value sequencerHas(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), sequencerOf(info)->has(word(info, 1)));
}

// (id, emitter) -> whether the caller emits now
Napi::Value sequencerTake(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), sequencerOf(info)->take(word(info, 1)));
}

// (id, emitter) -> [sink, bytes...], or undefined if the caller does not emit any more
Napi::Value sequencerFront(const Napi::CallbackInfo& info) {
  Output output;
  Position position;
  if (!sequencerOf(info)->front(word(info, 1), output, position)) return info.Env().Undefined();
  Napi::Array result = Napi::Array::New(info.Env(), output.frames.size() + 1);
  result.Set(uint32_t{0}, Napi::Number::New(info.Env(), output.sink));
  uint32_t index = 1;
  for (const auto& frame : output.frames)
    result.Set(index++, Napi::Buffer<uint8_t>::Copy(info.Env(), frame.data(), frame.size()));
  return result;
}

// What sequencerEmit returns, or a list.
constexpr uint32_t kEmitNothing = 0;
constexpr uint32_t kEmitLeft = 1;
constexpr uint32_t kEmitFull = 2;

constexpr uint32_t kAllSinks = 0xFFFFFFFFu;

class OutputAccepted : public Acceptance {
 public:
  OutputAccepted(std::shared_ptr<Sequencer> sequencer, const Position& position, size_t way,
                 size_t ways)
      : sequencer_(std::move(sequencer)), position_(position), way_(way), ways_(ways) {}
  void accept() override { sequencer_->accepted(position_, way_, ways_); }

 private:
  const std::shared_ptr<Sequencer> sequencer_;
  const Position position_;
  const size_t way_;
  const size_t ways_;
};

std::vector<Frame> framesOf(const Output& output) {
  std::vector<Frame> frames;
  frames.reserve(output.frames.size());
  for (const auto& frame : output.frames) frames.emplace_back(frame.data(), frame.size());
  return frames;
}

// The ways that an output leaves by: indices of sinks.
std::vector<uint32_t> waysOf(const Output& output, const Napi::Array& sinks, uint32_t apart) {
  if (output.sink != kAllSinks) return {output.sink};
  std::vector<uint32_t> ways;
  for (uint32_t sink = 0; sink < sinks.Length(); ++sink) {
    if (sink != apart) ways.push_back(sink);
  }
  return ways;
}

// (id, emitter, group of the next stage or 0, slots of the sinks, the sink apart) -> kEmitNothing:
// the caller does not emit any more; kEmitLeft: one left; kEmitFull: the next stage has no room,
// and rings the emitter's lane when it has; or [sink, what its send returned, ...] for each way
// that one leaves by, or had not left by before.
Napi::Value sequencerEmit(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto sequencer = sequencerOf(info);
  const uint32_t emitter = word(info, 1);
  Output output;
  Position position;
  if (!sequencer->front(emitter, output, position)) return Napi::Number::New(env, kEmitNothing);
  const uint32_t groupId = word(info, 2);
  if (groupId != 0 && output.sink == kAllSinks) {
    auto group = LaneGroup::find(groupId);  // null: it is closed, nobody wants it
    if (group && !group->inject(framesOf(output), emitter))
      return Napi::Number::New(env, kEmitFull);
    sequencer->accepted(position, 0, 1);
    return Napi::Number::New(env, kEmitLeft);
  }
  Napi::Array slots = info[3].As<Napi::Array>();
  const auto ways = waysOf(output, slots, word(info, 4));
  if (ways.empty()) {
    sequencer->accepted(position, 0, 0);
    return Napi::Number::New(env, kEmitLeft);
  }
  const auto& attachments = Environment::of(info).attachments;
  std::vector<std::pair<uint32_t, int>> results;
  for (size_t way = 0; way < ways.size(); ++way) {
    if (way < output.taken.size() && output.taken[way]) continue;
    const uint32_t slot = slots.Get(ways[way]).As<Napi::Number>().Uint32Value();
    int result = -ENOTSOCK;
    if (slot < attachments.size() && attachments[slot]) {
      auto frames = framesOf(output);
      auto accepted = std::make_shared<OutputAccepted>(sequencer, position, way, ways.size());
      result = attachments[slot]->sendTelling(frames.data(), frames.size(), std::move(accepted));
    }
    results.emplace_back(ways[way], result);
  }
  Napi::Array list = Napi::Array::New(env, 2 * results.size());
  uint32_t index = 0;
  for (const auto& [sink, result] : results) {
    list.Set(index++, Napi::Number::New(env, sink));
    list.Set(index++, Napi::Number::New(env, result));
  }
  return list;
}

// (id, emitter) -> tickets below this one are done with
Napi::Value sequencerConfirm(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sequencerOf(info)->confirm(word(info, 1)));
}

// (id, emitter)
void sequencerGone(const Napi::CallbackInfo& info) {
  sequencerOf(info)->gone(word(info, 1));
}

Napi::Value sequencerNext(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sequencerOf(info)->next());
}

// (id, ticket) -> how many of its outputs have not left
Napi::Value sequencerUnsent(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(sequencerOf(info)->unsent(word(info, 1))));
}

Napi::Value sequencerWaiting(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(sequencerOf(info)->waiting()));
}

}  // namespace

void defineSequencerBinding(Environment& environment, Napi::Object exports) {
  define(environment, exports, "sequencerCreate", sequencerCreate);
  define(environment, exports, "sequencerRelease", sequencerRelease);
  define(environment, exports, "sequencerAppend", sequencerAppend);
  define(environment, exports, "sequencerPut", sequencerPut);
  define(environment, exports, "sequencerSkip", sequencerSkip);
  define(environment, exports, "sequencerHas", sequencerHas);
  define(environment, exports, "sequencerTake", sequencerTake);
  define(environment, exports, "sequencerFront", sequencerFront);
  define(environment, exports, "sequencerEmit", sequencerEmit);
  define(environment, exports, "sequencerConfirm", sequencerConfirm);
  define(environment, exports, "sequencerGone", sequencerGone);
  define(environment, exports, "sequencerNext", sequencerNext);
  define(environment, exports, "sequencerUnsent", sequencerUnsent);
  define(environment, exports, "sequencerWaiting", sequencerWaiting);
}

}  // namespace zt
