// A libzmq context.
//
//  1. Any thread may call anything here.
//  2. zmq_ctx_term runs on a thread of its own, never on a JavaScript thread: it waits for
//  lingering messages.
//  3. The object outlives its zmq context: sockets and the terminating thread hold references.
#pragma once

#include <zmq.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "guards.h"

namespace zt {

class Socket;

int64_t nowMs();  // of the steady clock

// What became of unsent messages when a context was closed.
enum class Unsent { kNone, kDropped, kWaiting };

class Context : public std::enable_shared_from_this<Context> {
 public:
  static std::shared_ptr<Context> create(int& error);
  // The context all threads of the process share unless they ask for one of their own; made when
  // there is none or when the last one was closed.
  static std::shared_ptr<Context> processDefault(int& error);
  // The context with this id; nullptr if nobody has it any more or it is closed.
  static std::shared_ptr<Context> find(uint32_t id);
  ~Context();

  const uint32_t id;  // never the same twice in a process, short of 2^32 contexts

  int set(int option, int value);                   // 0 or errno
  int get(int option, int& value);                  // 0 or errno
  void* openSocket(int type, int& error);           // nullptr and errno
  bool add(const std::shared_ptr<Socket>& socket);  // false: closed meanwhile
  std::vector<std::shared_ptr<Socket>> sockets();

  // Brackets the closing of a socket: libzmq is not terminated in between, since after that a
  // socket neither sends what was accepted nor lets its linger be changed. The first is called
  // under the socket's mutex.
  void closingBegins();
  void closingEnds();

  bool closed();
  // Every call on its sockets returns ETERM from now on, and none can be opened.
  void shutdown();

  // Closes the sockets that are still open, none of them lingering for longer than lingerCapMs (or
  // only those that would for ever cut to it), and terminates in the background. `done` runs when
  // that is over, on any thread. False if it was closed before; `done` then waits for the same end.
  bool terminate(long lingerCapMs, bool capOnlyInfinite, const std::function<void()>& done);
  // A socket that is being closed has asked for so much time for what it may have unsent, in
  // steady-clock milliseconds.
  void lingersUntil(int64_t deadline);
  // Whether messages were unsent at `asked` for whose sake sockets would linger for longer. libzmq
  // tells neither that nor what it drops, but it is done sooner than `granted`, when it drops them,
  // if there were none. Both in steady-clock milliseconds.
  Unsent unsentAt(int64_t asked, int64_t granted);
  // Waits, at most until the deadline, for a termination under way.
  bool waitTerminated(std::chrono::steady_clock::time_point deadline);

  // Every context that is open or still terminating; used at exit.
  static std::vector<std::shared_ptr<Context>> all();
  // Waits, at most until the deadline, for those that went without being closed.
  static bool waitOrphans(std::chrono::steady_clock::time_point deadline);

 private:
  Context(void* handle, uint32_t id) : id(id), handle_(handle) {}

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  void* handle_;
  Scheduling scheduling_;
  bool closed_ = false;
  bool shutDown_ = false;
  bool terminated_ = false;
  int closing_ = 0;
  int64_t lingersUntil_ = 0;  // the latest of what sockets asked for
  int64_t terminatedAt_ = 0;
  std::vector<std::function<void()>> done_;
  std::vector<std::weak_ptr<Socket>> sockets_;
};

}  // namespace zt
