#include "listeners.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace zt {

namespace {

using Clock = std::chrono::steady_clock;

// libzmq takes well below a millisecond, unless its I/O thread is busy: all attempts take a second.
constexpr int kMostAttempts = 500;
constexpr auto kRemembered = std::chrono::seconds(2);
constexpr auto kFirstPause = std::chrono::microseconds(50);
constexpr auto kLongestPause = std::chrono::milliseconds(2);

struct Stopped {
  std::mutex mutex;
  std::unordered_map<std::string, Clock::time_point> places;
};

Stopped& stopped() {
  static Stopped* instance = new Stopped;  // leaked on purpose, see context.cc
  return *instance;
}

// What two endpoints that are in each other's way have in common: the port, if they have one, since
// a host has many names.
std::string placeOf(const std::string& endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos || colon + 1 == endpoint.size()) return endpoint;
  const bool isPort = endpoint.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  return isPort ? endpoint.substr(colon) : endpoint;
}

bool justStopped(const std::string& place) {
  std::lock_guard<std::mutex> lock(stopped().mutex);
  const auto found = stopped().places.find(place);
  return found != stopped().places.end() && Clock::now() - found->second < kRemembered;
}

}  // namespace

void noteStoppedListening(const std::vector<std::string>& endpoints) {
  if (endpoints.empty()) return;
  const auto now = Clock::now();
  std::lock_guard<std::mutex> lock(stopped().mutex);
  auto& places = stopped().places;
  for (auto entry = places.begin(); entry != places.end();) {
    entry = now - entry->second < kRemembered ? std::next(entry) : places.erase(entry);
  }
  for (const auto& endpoint : endpoints) places[placeOf(endpoint)] = now;
}

int bindOnceFree(const std::string& endpoint, const std::function<int()>& bind) {
  int result = bind();
  if (result != EADDRINUSE || !justStopped(placeOf(endpoint))) return result;
  Clock::duration pause = kFirstPause;
  for (int attempt = 0; result == EADDRINUSE && attempt < kMostAttempts; ++attempt) {
    std::this_thread::sleep_for(pause);
    pause = std::min<Clock::duration>(2 * pause, kLongestPause);
    result = bind();
  }
  return result;
}

}  // namespace zt
