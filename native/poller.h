// A poller: waits for any of several sockets.
//
//  1. close() is for any thread, at any time; when it returns no thread is inside a wait of this
//  poller nor
//     touches its sockets on its behalf.
//  2. Lock order: Poller::mutex_ is never held while a socket is locked.
//  3. What a wait reports is only that looking is worth while; the caller checks the sockets
//  itself.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "loop.h"
#include "socket.h"
#include "watch.h"

namespace zt {

class PollWatch : public LoopWatch {
 public:
  PollWatch(std::shared_ptr<Socket> socket, int mask, uint32_t token);
  Step service(Loop& loop) override;
  void arm(const std::shared_ptr<Loop>& loop);
  void retire();
  const int events;

 private:
  const uint32_t token_;
  bool retired_ = false;  // guarded by the socket's mutex
};

class Poller {
 public:
  enum class Wait { kLook, kTimeout, kClosed };
  struct Item {
    std::shared_ptr<Socket> socket;
    int events;
  };

  static std::shared_ptr<Poller> create(const std::vector<Item>& items, uint32_t token);
  static std::shared_ptr<Poller> find(uint32_t id);
  ~Poller();

  const uint32_t id;
  void arm(
      const std::shared_ptr<Loop>& loop);  // its loop rings the token once when something is there
  Wait wait(long milliseconds);            // blocks the calling thread
  bool close();                            // false if it was closed
  bool closed();

 private:
  Poller(uint32_t id, const std::vector<Item>& items, uint32_t token);

  const uint32_t token_;
  const std::vector<Item> items_;
  std::vector<std::shared_ptr<PollWatch>> watches_;

  std::mutex mutex_;  // guards these
  std::condition_variable left_;
  std::shared_ptr<Loop> loop_;
  WakeDescriptor* inside_ = nullptr;
  bool closed_ = false;
  bool retired_ = false;  // closed, and its sockets are left alone
};

}  // namespace zt
