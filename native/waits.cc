#include "waits.h"

#include <mutex>
#include <set>

#ifndef _WIN32
#include <poll.h>
#endif

namespace zt {

namespace {

constexpr long kHurriedMs = 5;

// zmq_poll() looks without waiting before it waits, which is a system call more.
#ifdef _WIN32
using PollItem = zmq_pollitem_t;
PollItem readable(NativeFd fd) {
  return {nullptr, fd, ZMQ_POLLIN, 0};
}
void pollItems(std::vector<PollItem>& items, int milliseconds) {
  zmq_poll(items.data(), static_cast<int>(items.size()), milliseconds);
}
#else
using PollItem = pollfd;
PollItem readable(NativeFd fd) {
  return {fd, POLLIN, 0};
}
void pollItems(std::vector<PollItem>& items, int milliseconds) {
  poll(items.data(), static_cast<nfds_t>(items.size()), milliseconds);
}
#endif

struct Directory {
  std::mutex mutex;
  std::set<WakeDescriptor*> waiting;
  bool hurried = false;
};
Directory& directory() {
  static Directory* instance = new Directory;  // leaked on purpose, see context.cc
  return *instance;
}

}  // namespace

WakeDescriptor& threadWake() {
  thread_local WakeDescriptor wake;
  return wake;
}

void waitForDescriptors(WakeDescriptor& wake, const std::vector<NativeFd>& fds, long milliseconds) {
  thread_local std::vector<PollItem> items;  // only its capacity outlives the call
  items.clear();
  items.push_back(readable(wake.fd()));
  for (NativeFd fd : fds) items.push_back(readable(fd));
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    directory().waiting.insert(&wake);
    if (directory().hurried) milliseconds = std::min(milliseconds, kHurriedMs);
  }
  pollItems(items, static_cast<int>(std::min(milliseconds, kWaitSliceMs)));
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    directory().waiting.erase(&wake);
  }
  if (items[0].revents != 0) wake.drain();
}

void hurryWaits() {
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    directory().hurried = true;
  }
  interruptWaits();
}

void interruptWaits() {
  std::lock_guard<std::mutex> lock(directory().mutex);
  for (WakeDescriptor* wake : directory().waiting) wake->poke();
}

}  // namespace zt
