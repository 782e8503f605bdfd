#include "waits.h"

#include <mutex>
#include <set>

namespace zt {

namespace {

constexpr long kHurriedMs = 5;

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
  std::vector<zmq_pollitem_t> items;
  items.reserve(fds.size() + 1);
  items.push_back({nullptr, wake.fd(), ZMQ_POLLIN, 0});
  for (NativeFd fd : fds) items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    directory().waiting.insert(&wake);
    if (directory().hurried) milliseconds = std::min(milliseconds, kHurriedMs);
  }
  zmq_poll(items.data(), static_cast<int>(items.size()), std::min(milliseconds, kWaitSliceMs));
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
