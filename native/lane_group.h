// A lane group: receives whole messages from its sockets and places each in one of its lanes.
//
//  1. `mutex` guards everything below it, and the lanes. Lock order: Socket::mutex, then this one,
//  then Loop or Bell. Never two groups at once.
//  2. One loop serves the group's sockets and its feed. It is the only producer of the lanes.
//  3. What was received and has no place yet waits in `pending_`, in the order of the tickets.
//  While something does, little more is received: then libzmq's high-water mark holds the peers
//  back. Whatever waits has a place kept among those that may be in flight: with keys, later
//  messages go to other lanes meanwhile, and where order is restored these wait for the earlier
//  one, in flight.
//  4. While every thread has plenty to do, what comes waits with libzmq until one of them has half
//  of that left: a wake for each message would cost more than the message. Nobody gets it later.
//  5. After detach() nobody touches the lanes' memory any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "fair_mutex.h"
#include "lane.h"
#include "lane_message.h"
#include "lane_route.h"
#include "watch.h"

namespace zt {

class LaneFeed;
class LaneWatch;
class Loop;
class Socket;

class LaneGroup : public std::enable_shared_from_this<LaneGroup> {
 public:
  static std::shared_ptr<LaneGroup> create(const std::shared_ptr<Loop>& loop, uint32_t lanes,
                                           const LaneRoute& route, uint32_t mostInFlight,
                                           uint32_t mostBytes);
  static std::shared_ptr<LaneGroup> find(uint32_t id);
  LaneGroup(uint32_t id, std::shared_ptr<Loop> loop, uint32_t lanes, const LaneRoute& route,
            uint32_t mostInFlight, uint32_t mostBytes);
  ~LaneGroup();

  const uint32_t id;
  FairMutex mutex;

  void setLane(uint32_t index, std::shared_ptr<Lane> lane);
  void addSource(const std::shared_ptr<Socket>& socket);
  void pauseSources();
  void detach();
  // Has the loop look again: there is room, a lane came or went.
  void kick();
  // A message that comes from another stage. False: there is no room, and `lane` will be woken when
  // there is. One that is refused is taken.
  bool inject(std::vector<Frame>&& frames, uint32_t lane);
  // Takes over what the dead thread of this lane left. Un-begun messages go back to the front, and
  // with them those begun that have attempts left; `begun` gets all that were begun.
  void rescue(Lane& lane, uint32_t retries, std::vector<RescuedMessage>& begun);
  size_t pendingCount();
  // Messages that no lane takes; the loop's bell rings with kGroupToken and the group's id when
  // there are some.
  std::vector<RefusedMessage> takeRefused();
  // The loop looks after the replies that threads keep.
  void lookAfterReplies();
  // What waits for a lane leaves the group: at close, when nobody will come for it.
  std::vector<LaneMessage> takePending();

  // For the watches, on the loop's thread.
  // Receives up to a burst from one socket; what to do next.
  LoopWatch::Step receive(Socket& socket, uint32_t source, Loop& loop, int& want);
  LoopWatch::Step feed(Loop& loop);
  bool tick();  // whether some thread keeps replies now and then
  // For the feed, after kNeedChunk.
  uint32_t needyLane();
  bool announce(const std::shared_ptr<Chunk>& chunk);
  void fillAnnounced();
  void failChunk();

 private:
  // Whether one more may be in flight besides `kept` that come before it, and some lane takes it.
  bool roomLocked(size_t kept);
  void putBackLocked(std::vector<LaneMessage>&& messages);
  Lane* chooseLocked(LaneMessage& message);
  bool placeLocked(LaneMessage& message);
  // Refuses a message that no chunk takes; false if it is none.
  bool refuseLargeLocked(LaneMessage& message);
  void refuseLocked(LaneMessage& message, int error, size_t bytes);
  void flushLocked();
  void publishLocked(Loop& loop);
  void pauseLanesLocked();
  bool letSourcesWaitLocked();
  void endWaitLocked();
  bool awaitMemoryLocked();
  void wakePushersLocked(Loop& loop);
  void fireFeedLocked();

  const std::shared_ptr<Loop> loop_;
  const LaneRoute route_;
  const uint32_t mostInFlight_;
  const size_t mostBytes_;  // the largest chunk
  std::shared_ptr<LaneFeed> feed_;
  std::vector<std::shared_ptr<LaneWatch>> sources_;
  std::vector<std::shared_ptr<Lane>> lanes_;
  std::vector<bool> blocked_;  // scratch of flushLocked(): an earlier message waits for this lane
  std::deque<LaneMessage> pending_;
  std::vector<RefusedMessage> refused_;
  std::vector<std::vector<Frame>> spareFrames_;
  std::vector<uint32_t> pushers_;                    // lanes whose threads wait for room to inject
  std::vector<std::shared_ptr<Lane>> wokenPushers_;  // scratch of feed()
  uint32_t nextLane_ = 0;
  uint32_t nextTicket_ = 0;
  std::shared_ptr<Lane> needy_;
  size_t neededBytes_ = 0;
  uint32_t neededBy_ = 0;  // the ticket of the message that needs it
  bool starved_ = false;   // there was no memory: it waits until a thread settles something
  bool stalled_ = false;   // the sources wait for room in the lanes
  bool stocked_ = false;   // the sources wait until some lane has little left
  bool paused_ = false;
  bool detached_ = false;
};

// A socket that a group receives from.
class LaneWatch : public LoopWatch {
 public:
  LaneWatch(std::shared_ptr<Socket> socket, std::shared_ptr<LaneGroup> group, uint32_t source)
      : LoopWatch(std::move(socket)), group_(std::move(group)), source_(source) {}
  Step service(Loop& loop) override;
  void fireSource();  // locks the socket
  void retire();

 private:
  const std::shared_ptr<LaneGroup> group_;
  const uint32_t source_;
  bool retired_ = false;  // guarded by the socket's mutex
};

// What a group has to do besides receiving: place what waits, ask for chunks.
class LaneFeed : public LoopWatch {
 public:
  explicit LaneFeed(std::weak_ptr<LaneGroup> group)
      : LoopWatch(nullptr), group_(std::move(group)) {}
  Step service(Loop& loop) override;
  uint32_t chunkToken() const override;
  bool announce(const std::shared_ptr<Chunk>& chunk) override;
  void fillAnnounced() override;
  void failChunk() override;
  bool tick() override;
  void fireFeed(bool leave);  // served once more, or never again

 protected:
  FairMutex& mutex() override { return mutex_; }

 private:
  const std::weak_ptr<LaneGroup> group_;
  FairMutex mutex_;  // guards its place in the loop only
};

}  // namespace zt
