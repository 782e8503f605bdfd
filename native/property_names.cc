#include "property_names.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

namespace zt {

namespace {

constexpr size_t kOwnNames = 4;
constexpr size_t kMostNames = kOwnNames + kMostPropertyNames;

std::mutex adding;
// Leaked on purpose, see context.cc.
auto& names = *new std::array<std::string, kMostNames>{"Peer-Address", "User-Id", "Socket-Type",
                                                       "Routing-Id"};
// Stored under `adding` after the name is in its place; loaded by who reads names, without the
// lock.
std::atomic<size_t> count{kOwnNames};

}  // namespace

bool addPropertyName(const std::string& name) {
  const std::lock_guard<std::mutex> lock(adding);
  const size_t known = count.load(std::memory_order_relaxed);
  const auto end = names.begin() + static_cast<std::ptrdiff_t>(known);
  if (std::find(names.begin(), end, name) != end) return true;
  if (known == kMostNames) return false;
  names[known] = name;
  count.store(known + 1, std::memory_order_release);  // pairs with propertyNameCount
  return true;
}

size_t propertyNameCount() {
  return count.load(std::memory_order_acquire);
}

const char* propertyName(size_t index) {
  return names[index].c_str();
}

}  // namespace zt
