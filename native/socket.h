// A libzmq socket that any thread may use.
//
//  1. `mutex` guards the zmq socket and everything below it; libzmq asks for a full fence between
//  threads, and
//     the mutex is that fence. Functions named ...Locked() expect it to be held.
//  2. Lock order: Socket::mutex, then Loop, Bell or Context mutex. Never two sockets at once.
//  3. A whole multipart message is sent or received under one lock.
//  4. After close() every call returns ENOTSOCK, and after shutDown() ETERM; the object lives on
//  while somebody holds it.
//  5. libzmq blocks its own threads, for good, on monitor events that nobody can receive any more:
//  so a
//     reader of such events stops the monitor before it closes, and so does the socket that is
//     watched.
//  6. While a message that borrows JavaScript memory is with libzmq (`pins`), close() keeps the zmq
//  socket in a
//     background thread, so that its linger can still be cut short when that memory is about to go.
#pragma once

#include <zmq.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "batch_sizes.h"
#include "context.h"
#include "draft.h"
#include "fair_mutex.h"
#include "frame.h"
#include "layout.h"
#include "peer_names.h"
#include "wake.h"
#include "watch.h"

namespace zt {

class Attachment;

// When the last finite linger of a closed socket ends, in steady-clock milliseconds; 0 if there is
// none.
int64_t latestLingerDeadline();

constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();
constexpr long kLingerUnchanged = -2;
constexpr long kNoCap = -1;

// Is told, under the socket's mutex, that libzmq has accepted a message.
// Not told of one that is refused, or taken out again.
class Acceptance {
 public:
  virtual ~Acceptance() = default;
  virtual void accept() = 0;
};

// A message that waits for room. Guarded by the socket's mutex.
struct Parked {
  std::vector<Frame> frames;
  size_t next = 0;  // frames before this one are with libzmq already
  bool more = false;
  std::weak_ptr<Attachment> sender;        // who waits for the outcome, if anybody
  uint32_t token = 0;                      // 0: accepted, nobody waits
  std::shared_ptr<Acceptance> acceptance;  // while it is not accepted
};

class Socket : public std::enable_shared_from_this<Socket> {
 public:
  static std::shared_ptr<Socket> open(const std::shared_ptr<Context>& context, int type,
                                      const void* openedBy, int& error);
  static std::shared_ptr<Socket> find(uint32_t id);
  ~Socket();

  const uint32_t id;
  const int type;
  const std::shared_ptr<Context> context;
  // Whether what it receives has a routing id or a group of the draft API.
  const bool tagged;
  const void* const openedBy;  // tells the environments apart, for their teardown
  FairMutex mutex;

  bool closedLocked() const { return handle_ == nullptr; }
  // What every call returns: ENOTSOCK once it is closed, ETERM once it is shut down; else 0.
  int refusalLocked() const { return refusal_; }
  // Open, closed by somebody, or closed along with its context.
  State stateLocked() const { return state_; }
  NativeFd fdLocked() const { return fd_; }

  // ZMQ_EVENTS, or -1 (errno in `error`). Processes libzmq's pending commands.
  int eventsLocked(int& error);
  int receiveLocked(
      zmq_msg_t* message);  // 0 or errno; EAGAIN means that libzmq's commands were processed
  // As receiveLocked(), but libzmq itself waits for up to kBriefWaitMs, which saves the system
  // calls of looking before and after a wait. Only if mayWaitBrieflyLocked(), for nobody else gets
  // the mutex meanwhile.
  int receiveBrieflyLocked(zmq_msg_t* message);
  bool mayWaitBrieflyLocked() const;
  bool moreLocked(zmq_msg_t* message) const { return zmq_msg_more(message) != 0; }
  // Sends frames from `next` on without blocking; advances `next`. 0 or errno; EAGAIN only before
  // the first frame. When the peer goes away in the middle of a message, the rest is dropped with
  // it, as in libzmq's blocking mode.
  enum class Look { kForRoom, kNo };  // whether libzmq's commands are processed before EAGAIN
  int sendLocked(Frame* frames, size_t count, size_t& next, bool more, Look look = Look::kForRoom);

  // The outbox: messages that found no room, in order.
  bool outboxEmptyLocked() const { return outbox_.empty(); }
  void parkLocked(Parked&& parked);
  // Is told of the message that was parked last.
  void expectLocked(std::shared_ptr<Acceptance> acceptance);
  void acceptLocked(Parked&& message);  // nobody waits for it; goes out before what is parked
  bool unparkLocked(Attachment* sender, uint32_t token);  // true if it was still there
  // Sends up to `most` of them; EAGAIN if it stopped for lack of room, else 0.
  int flushOutboxLocked(int most, Look look = Look::kForRoom);
  // Whether EAGAIN and ZMQ_POLLOUT exclude each other. They do not where a message goes to a
  // certain peer or to all: one of them may be full while others have room.
  bool pollOutTellsLocked() const;
  // ZMQ_EVENTS as an application sees them: ZMQ_POLLOUT says whether a send would be accepted now.
  int readinessLocked(int& error);

  // A proxy has the socket to itself: nobody else sends or receives, and who tries gets EBUSY. 0,
  // or EBUSY if another has it or a message is half sent.
  int claimLocked();
  void unclaimLocked();
  bool claimedLocked() const { return claimed_; }

  void watchLocked(const std::shared_ptr<Watch>& watch) { watches_.push_back(watch); }
  void unwatchLocked(const Watch* watch);
  bool othersArmedLocked(const Watch* self) const;
  // Re-reads ZMQ_EVENTS if somebody is armed, and fires who has something to do. Not necessary if
  // `self` alone is armed and was just now, after a look at the events; but `self` is fired like
  // all others, since what came after that look may be seen, and its edge swallowed, here.
  // `ignore`: events that the caller knows to mean nothing.
  void settleLocked(const Watch* self = nullptr, int ignore = 0);
  // Fires the armed watches that wait for readability and are not `except`.
  void fireReadableLocked(const Watch* except);
  void wakeAll();
  // Set by a send that left settling for the end of its turn; the loop looks after it in case that
  // never comes.
  std::atomic<bool> touched{false};

  // 0 or errno, all four. An address where this process has just stopped listening is waited for.
  int bind(const std::string& address);
  // The peer gets `routingId`, unless that is empty; EADDRINUSE if another has it.
  int connect(const std::string& address, const std::string& routingId = {});
  int unbind(const std::string& address);
  int disconnect(const std::string& address);
  // Of the draft API. 0 or errno; ENOTSUP without it.
  int joinGroup(const char* group, bool leave);
  int connectPeer(const char* address, uint32_t& routingId);
  int setOption(int option, const void* value, size_t size);
  int getOption(int option, void* value, size_t* size);
  // Has `reader`, a PAIR socket, receive this socket's monitor events. 0 or errno.
  int monitor(const std::shared_ptr<Socket>& reader, const char* address, int events);
  void noteEndpointLocked(const char* address);
  bool zeroCopyLocked() const { return !inproc_; }

  bool hasSentLocked() const { return hasSent_; }
  // linger in ms, or kLingerUnchanged; capMs bounds whatever linger is in force, or only an
  // infinite one. False if it was closed.
  bool close(long linger, long capMs = kNoCap, bool capOnlyInfinite = false);
  // Steady-clock milliseconds; the largest number if there is no end to it.
  int64_t lingerDeadline() const { return lingerDeadline_.load(std::memory_order_relaxed); }
  // Sends what the outbox holds, in a thread of its own if there is one to be had: nobody else does
  // any more.
  void drainInBackgroundLocked();
  // Forgets what `sender` waits to send.
  void forgetParkedLocked(const Attachment* sender);
  // Its context is shut down: it can only be closed from now on. An endless linger gets an end.
  void shutDown(int lingerMs);
  // Drops unsent messages of sockets that are closed but still hold borrowed memory.
  void abandon();
  // Messages with libzmq that borrow JavaScript memory. Shared with their release callbacks.
  const std::shared_ptr<std::atomic<int>> pins = std::make_shared<std::atomic<int>>(0);
  // Whether other threads have it, or may come to have it: each receives only what it asks for.
  std::atomic<bool> shared{false};
  // Whether what was received last means something to libzmq, so that nothing is received ahead.
  std::atomic<bool> oneByOne{false};

 private:
  Socket(uint32_t id, int type, std::shared_ptr<Context> context, const void* openedBy,
         void* handle, NativeFd fd, std::unique_ptr<DraftDescriptor> descriptor);
  // Binds, connects or the like by `call`, which gives 0 or errno; so does this.
  int withEndpoint(const char* address, const std::function<int()>& call);
  int endpoint(int (*call)(void*, const char*), const std::string& address);
  void capLinger(long capMs);
  void stopMonitor();
  void stopMonitorLocked();
  void fireAllLocked();
  void startClosing(void* handle, std::deque<Parked>&& outbox);
  void drainThenClose(void* handle, std::deque<Parked>& outbox);
  bool flushAllLocked(Look look);
  void withdrawnLocked();
  void outboxEmptiedLocked();

  void* handle_;
  int refusal_ = 0;
  std::unique_ptr<DraftDescriptor> descriptor_;  // of types that have no ZMQ_FD
  State state_ = kStateOpen;
  NativeFd fd_;
  bool briefly_ = false;     // libzmq's own receive timeout is kBriefWaitMs ...
  int receiveTimeout_ = -1;  // ... instead of this
  bool inproc_ = false;
  bool datagrams_ = false;  // whether what it sends may go out over UDP
  bool claimed_ = false;
  bool monitored_ = false;
  std::vector<std::string> listening_;  // at which endpoints, resolved
  PeerNames peerNames_;
  BatchSizes batchSizes_;
  std::weak_ptr<Socket> watched_;  // whose monitor events this one receives
  std::deque<Parked> outbox_;
  std::vector<std::shared_ptr<Watch>> watches_;
  bool midMessage_ = false;  // the last frame sent has others following it
  bool dropRest_ = false;    // of a message whose peer is gone
  bool hasSent_ = false;     // libzmq has ever accepted a frame, so that it may have unsent ones
  // Steady-clock milliseconds after which a closed socket drops what it still holds. Written by
  // close() and abandon(), read by the closing thread; a lone value, so relaxed.
  std::atomic<int64_t> lingerDeadline_;
};

}  // namespace zt
