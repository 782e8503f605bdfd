// The event loop of one JavaScript thread (libuv), as far as it watches sockets by itself.
//
//  1. All but poke() belongs to the thread that runs the event loop.
//  2. poke() is for any thread, also with a socket's mutex held: it locks `mutex_` only.
//  3. libuv's handles outlive the objects here. close() ends them all, and says when libuv has let
//  go of the last one; only then may the event loop go.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "watch.h"

namespace zt {

class EventLoop;
class Socket;

// Words that the event loop and its thread's JavaScript share; nobody else does.
enum TurnWord : uint32_t {
  kTurnsLong = 0,  // microseconds of long turns that went into other things, wraps
  kTurnsOwn =
      1,  // of this turn, microseconds that went into messages; JavaScript adds, the loop clears
  kTurnWords = 2,
};

// A socket watched by an event loop: the thread that owns the socket's attachment waits without any
// other thread in between.
//
//  1. `mask`, `armed` and fire() as for every Watch; the rest is for the event loop's thread.
class EventLoopWatch : public Watch {
 public:
  EventLoopWatch(std::shared_ptr<Socket> socket, std::shared_ptr<EventLoop> loop, uint32_t token);
  void fire() override;
  // Under the socket's mutex, before it is armed. False if that cannot be: use an I/O loop.
  bool startLocked();
  void close();
  // The descriptor signals: whether somebody waits. Locks the socket.
  bool take();

 private:
  struct Handle;
  friend class EventLoop;
  static void signalled(uv_poll_t* poll, int status, int events);

  const std::shared_ptr<Socket> socket_;
  const std::shared_ptr<EventLoop> loop_;
  const uint32_t token_;
  Handle* handle_ = nullptr;
};

class EventLoop : public std::enable_shared_from_this<EventLoop> {
 public:
  // Is called in the event loop, with the token of a watch that has something to do.
  using Call = std::function<void(uint32_t token)>;
  // Null if libuv refuses.
  static std::shared_ptr<EventLoop> create(uv_loop_t* loop, Call call, uint32_t* turns);

  void poke(uint32_t token);
  void keepProcess(bool keep);
  void close(std::function<void()> closed);

 private:
  friend class EventLoopWatch;
  explicit EventLoop(uv_loop_t* loop, Call call, uint32_t* turns)
      : loop_(loop), call_(std::move(call)), turns_(turns) {}
  static void poked(uv_async_t* async);
  static void turned(uv_prepare_t* prepare);
  void released();

  uv_loop_t* const loop_;
  const Call call_;
  uint32_t* turns_;
  uv_async_t* async_ = nullptr;  // read by poke(), so written under `mutex_`
  uv_prepare_t* prepare_ = nullptr;
  std::set<EventLoopWatch::Handle*> polls_;
  size_t handles_ = 0;  // that libuv has not let go of
  std::function<void()> closed_;
  uint64_t turnBegan_ = 0;
  uint64_t idleThen_ = 0;

  std::mutex mutex_;  // guards these
  std::vector<uint32_t> tokens_;
};

}  // namespace zt
