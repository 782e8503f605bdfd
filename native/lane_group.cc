#include "lane_group.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "loop.h"
#include "socket.h"

namespace zt {

namespace {

constexpr size_t kMostEnvelope = 16 * 1024;  // bytes that are kept of a refused message
constexpr uint32_t kMostGroups = 0x1FFFFFFF;

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint32_t, std::weak_ptr<LaneGroup>> groups;
  uint32_t nextId = 1;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

double steadyMilliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

std::shared_ptr<LaneGroup> LaneGroup::create(const std::shared_ptr<Loop>& loop, uint32_t lanes,
                                             const LaneRoute& route, uint32_t mostInFlight,
                                             uint32_t mostBytes) {
  std::shared_ptr<LaneGroup> group;
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    // Its token must differ from that of freed memory.
    if (directory().nextId >= kMostGroups) directory().nextId = 1;
    const uint32_t id = directory().nextId++;
    group = std::make_shared<LaneGroup>(id, loop, lanes, route, mostInFlight, mostBytes);
    directory().groups.emplace(id, group);
  }
  group->feed_ = std::make_shared<LaneFeed>(group);
  group->feed_->enqueueOn(loop);
  return group;
}

std::shared_ptr<LaneGroup> LaneGroup::find(uint32_t id) {
  std::lock_guard<std::mutex> lock(directory().mutex);
  auto found = directory().groups.find(id);
  return found == directory().groups.end() ? nullptr : found->second.lock();
}

LaneGroup::LaneGroup(uint32_t id, std::shared_ptr<Loop> loop, uint32_t lanes,
                     const LaneRoute& route, uint32_t mostInFlight, uint32_t mostBytes)
    : id(id),
      loop_(std::move(loop)),
      route_(route),
      mostInFlight_(mostInFlight),
      mostBytes_(std::min<size_t>(mostBytes, kLargestChunkBytes)),
      lanes_(lanes),
      blocked_(lanes) {}

LaneGroup::~LaneGroup() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  directory().groups.erase(id);
}

void LaneGroup::setLane(uint32_t index, std::shared_ptr<Lane> lane) {
  Guard guard(mutex);
  lanes_[index] = std::move(lane);
}

void LaneGroup::addSource(const std::shared_ptr<Socket>& socket) {
  auto watch = std::make_shared<LaneWatch>(socket, shared_from_this(),
                                           static_cast<uint32_t>(sources_.size()));
  {
    Guard guard(socket->mutex);
    socket->watchLocked(watch);
  }
  {
    Guard guard(mutex);
    sources_.push_back(watch);
  }
  watch->enqueueOn(loop_);
}

void LaneGroup::pauseSources() {
  std::vector<std::shared_ptr<LaneWatch>> sources;
  {
    Guard guard(mutex);
    paused_ = true;
    sources.swap(sources_);
  }
  for (auto& source : sources) source->retire();
}

void LaneGroup::detach() {
  pauseSources();
  std::deque<LaneMessage> dropped;  // destroyed without the lock
  {
    Guard guard(mutex);
    detached_ = true;
    for (auto& lane : lanes_) {
      if (lane) lane->detachLocked();
    }
    dropped.swap(pending_);
    needy_.reset();
    lanes_.assign(lanes_.size(), nullptr);  // they hold this group: together they would never go
  }
  feed_->fireFeed(true);
}

void LaneGroup::lookAfterReplies() {
  loop_->tick(feed_);
}

bool LaneGroup::tick() {
  std::vector<std::shared_ptr<Lane>> lanes;
  {
    Guard guard(mutex);
    lanes = lanes_;
  }
  bool again = false;
  for (const auto& lane : lanes) again = (lane && lane->lookAfterReplies()) || again;
  return again;
}

void LaneGroup::kick() {
  feed_->fireFeed(false);
}

bool LaneGroup::inject(std::vector<Frame>&& frames, uint32_t lane) {
  {
    Guard guard(mutex);
    if (detached_) return true;  // nobody will ever want it
    if (pending_.size() >= mostInFlight_) {
      if (std::find(pushers_.begin(), pushers_.end(), lane) == pushers_.end())
        pushers_.push_back(lane);
      return false;
    }
    LaneMessage message;
    message.frames = std::move(frames);
    message.header.ticket = nextTicket_++;
    message.header.receivedAt = steadyMilliseconds();
    if (refuseLargeLocked(message)) return true;
    if (route_.policy == RoutePolicy::kKey)
      message.header.key = route_.keyOf(message.frames.data(), message.frames.size(), 0);
    pending_.push_back(std::move(message));
    if (pending_.size() > 1) return true;  // the feed knows
  }
  kick();
  return true;
}

void LaneGroup::rescue(Lane& lane, uint32_t retries, std::vector<RescuedMessage>& begun) {
  {
    Guard guard(mutex);
    if (detached_) return;
    std::vector<LaneMessage> back;
    lane.rescueLocked(begun, back);
    lane.detachLocked();
    if (lanes_[lane.index].get() == &lane) lanes_[lane.index] = nullptr;
    if (needy_.get() == &lane) needy_.reset();
    for (RescuedMessage& entry : begun) {
      if (!entry.intact() || entry.message.header.attempts >= retries) continue;
      LaneMessage again;
      again.header = entry.message.header;
      ++again.header.attempts;
      again.copied = true;
      again.origin = entry.message.origin;
      for (Frame& frame : entry.message.frames)
        again.frames.emplace_back(frame.data(), frame.size());
      back.push_back(std::move(again));
    }
    putBackLocked(std::move(back));
  }
  kick();
}

void LaneGroup::putBackLocked(std::vector<LaneMessage>&& messages) {
  for (LaneMessage& message : messages) pending_.push_back(std::move(message));
  // Tickets wrap: the older one is the one that the other comes soon after.
  std::stable_sort(pending_.begin(), pending_.end(), [](const auto& one, const auto& other) {
    return static_cast<int32_t>(one.header.ticket - other.header.ticket) < 0;
  });
}

bool LaneGroup::refuseLargeLocked(LaneMessage& message) {
  const size_t bytes =
      Inbox::chunkBytesOf(kHeaderBytes, message.frames.data(), message.frames.size());
  if (bytes <= mostBytes_) return false;
  refuseLocked(message, EMSGSIZE, bytes);
  return true;
}

void LaneGroup::refuseLocked(LaneMessage& message, int error, size_t bytes) {
  auto& frames = message.frames;
  size_t envelope = 0;
  for (uint32_t i = 0; i < message.header.body; ++i) envelope += frames[i].size();
  const size_t kept = envelope <= kMostEnvelope ? message.header.body : 0;
  frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(kept), frames.end());
  refused_.push_back({std::move(message), error, bytes});
  if (refused_.size() == 1) loop_->post(kGroupToken + id);
}

std::vector<RefusedMessage> LaneGroup::takeRefused() {
  Guard guard(mutex);
  return std::exchange(refused_, {});
}

size_t LaneGroup::pendingCount() {
  Guard guard(mutex);
  return pending_.size();
}

std::vector<LaneMessage> LaneGroup::takePending() {
  Guard guard(mutex);
  std::vector<LaneMessage> taken(std::make_move_iterator(pending_.begin()),
                                 std::make_move_iterator(pending_.end()));
  pending_.clear();
  return taken;
}

}  // namespace zt
