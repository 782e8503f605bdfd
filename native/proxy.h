// A proxy: moves messages between two sockets on a thread of its own.
//
//  1. Any thread may call anything here but what is marked otherwise. Its sockets are claimed from
//  create() until the thread ends: nobody else sends or receives on them.
//  2. The thread holds one socket's mutex at a time, and none while it waits. `mutex_` is never
//  held while a socket is locked.
//  3. The thread ends by itself when a socket is closed or its context is terminated. What is in
//  hand then is left to the sockets that are still open: they send it as they send what they have
//  accepted from anybody.
//  4. `done` runs once, on the proxy's thread, when it has let go of the sockets.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "proxy_way.h"
#include "waits.h"
#include "wake.h"

namespace zt {

class Proxy : public std::enable_shared_from_this<Proxy> {
 public:
  enum Place : int { kNowhere = -1, kFrontend, kBackend, kCapture };
  using Messages = std::vector<std::vector<Frame>>;
  struct Setup {
    std::shared_ptr<Socket> frontend;
    std::shared_ptr<Socket> backend;  // may be the frontend
    std::shared_ptr<Socket> capture;  // or none
    bool forward = true;              // from the frontend to the backend
    bool backward = true;
  };
  struct Side {
    Tally in;
    Tally out;
    uint64_t undeliverable = 0;  // taken from the other side, but no peer here would have them
  };
  struct Statistics {
    Side frontend;
    Side backend;
    Tally captured;
  };
  struct End {
    int error = 0;  // 0: it was stopped
    Place place = kNowhere;
  };

  // Claims the sockets; nullptr, with the errno and the socket it is about, if that fails.
  static std::shared_ptr<Proxy> create(const Setup& setup, End& failure);
  // Once. First moves what was received before from the frontend and from the backend. False if
  // there is no thread to be had; the sockets are free again then.
  bool start(Messages&& fromFrontend, Messages&& fromBackend, std::function<void()> done);
  // Stops every proxy of the process and waits until they have let go of their sockets.
  static void stopAll();
  ~Proxy();

  void pause();  // when it returns nothing moves any more
  void resume();
  void stop();  // the thread ends soon
  void join();  // waits until it has let go of its sockets; after stop()
  Statistics statistics();
  End end();  // why it ended, once `done` was called

 private:
  // One socket, and what the thread waits for on it.
  struct Member {
    std::shared_ptr<Socket> socket;
    std::shared_ptr<ThreadWatch> watch;
    int mask = 0;
  };

  explicit Proxy(const Setup& setup);
  bool claim();
  void letGo();
  void run();
  bool mayMove();  // waits while it is paused; false: stop
  bool moveAll();
  bool giveCaptured();
  bool giveCapturedLocked(Socket::Look look = Socket::Look::kForRoom);
  bool giveUntoldLocked(Socket& socket);
  void wait(bool moving);
  bool armLocked(Member& member, bool moving);
  void finish(const Socket& socket, int error);

  const std::shared_ptr<Socket> frontend_;
  const std::shared_ptr<Socket> backend_;
  const std::shared_ptr<Socket> capture_;
  const bool forward_;
  WakeDescriptor wake_;
  std::function<void()> done_;
  std::vector<Member> members_;  // distinct sockets; the thread's, as are these
  std::vector<Way> ways_;
  std::vector<zmq_pollitem_t> items_;
  Hand captured_;
  Tally capturedTally_;  // guarded by the capture socket's mutex
  uint64_t uncaptured_ = 0;
  End cause_;

  std::mutex mutex_;  // guards these
  std::condition_variable changed_;
  bool paused_ = false;
  bool holding_ = false;  // the thread knows that it is paused
  bool stopped_ = false;
  bool ended_ = true;  // no thread runs
  End end_;
};

}  // namespace zt
