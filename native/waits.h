// Blocking waits of the calling thread: for one socket, or for a poller.
//
//  1. A wait lasts kWaitSliceMs at most; its caller goes back through JavaScript in between, so
//  that a thread
//     can be terminated.
//  2. interruptWaits() ends all of them early, from any thread.
#pragma once

#include <memory>
#include <vector>

#include "socket.h"
#include "wake.h"
#include "watch.h"

namespace zt {

// The calling thread's wake descriptor; throws std::system_error if there is none to be had.
WakeDescriptor& threadWake();

class ThreadWatch : public Watch {
 public:
  explicit ThreadWatch(WakeDescriptor& wake) : wake_(wake) {}
  void fire() override { wake_.poke(); }

 private:
  WakeDescriptor& wake_;
};

// Blocks until a descriptor signals, `wake` is poked, or the time is over.
void waitForDescriptors(WakeDescriptor& wake, const std::vector<NativeFd>& fds, long milliseconds);
void interruptWaits();
// The process is about to end: no wait lasts for more than moments from now on.
void hurryWaits();

// Waits until `attempt`, called under the socket's mutex, returns true, or the time is over.
// Between attempts the thread blocks until the socket has one of `events`. An attempt to send is
// told whether it may look at libzmq's commands.
template <typename Attempt>
bool waitOnSocket(Socket& socket, int events, long milliseconds, Attempt attempt);

}  // namespace zt

#include <algorithm>
#include <chrono>

#include "layout.h"

namespace zt {

template <typename Attempt>
bool waitOnSocket(Socket& socket, int events, long milliseconds, Attempt attempt) {
  using Clock = std::chrono::steady_clock;
  WakeDescriptor& wake = threadWake();  // made before anything is begun: it may not be to be had
  const auto until = Clock::now() + std::chrono::milliseconds(std::min(milliseconds, kWaitSliceMs));
  std::shared_ptr<ThreadWatch> watch;
  std::vector<NativeFd> fds(1);
  bool done = false;
  for (;;) {
    {
      Guard guard(socket.mutex);
      if (watch) watch->armed = false;
      done = attempt(Socket::Look::kForRoom);
      if (done || milliseconds <= 0 || socket.closedLocked()) {
        if (watch) socket.unwatchLocked(watch.get());
        socket.settleLocked();
        return done;
      }
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      if (left <= 0) {
        if (watch) socket.unwatchLocked(watch.get());
        socket.settleLocked();
        return false;
      }
      if (!watch) {
        watch = std::make_shared<ThreadWatch>(wake);
        watch->mask = events;
        socket.watchLocked(watch);
      }
      const bool sends = (events & ZMQ_POLLOUT) != 0;
      const bool tells = socket.pollOutTellsLocked();
      // An attempt to receive that failed has processed libzmq's commands; one to send not always.
      if (sends && tells) {
        int error = 0;
        const int now = socket.eventsLocked(error);
        if (now < 0 || (now & events) != 0) continue;  // room since, or the attempt says why not
      }
      watch->armed = true;
      socket.settleLocked(watch.get(), sends && !tells ? ZMQ_POLLOUT : 0);
      // As in Attachment::service(): that look may have processed the very command that announced
      // room. Only a send tells, and no look comes after it.
      if (sends && !tells) {
        done = attempt(Socket::Look::kNo);
        if (done) {
          socket.unwatchLocked(watch.get());
          socket.settleLocked();
          return true;
        }
        if (socket.othersArmedLocked(watch.get()))
          socket.touched.store(true, std::memory_order_relaxed);
      }
      fds[0] = socket.fdLocked();
      milliseconds = left;
    }
    waitForDescriptors(wake, fds, milliseconds);
  }
}

}  // namespace zt
