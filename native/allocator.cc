#include "allocator.h"

#include <cstdlib>
#include <mutex>

namespace zt {

void keepFreedMemory() {
#ifdef __GLIBC__
  static std::once_flag once;
  std::call_once(once, [] {
    // glibc gives the end of its heap back to the system whenever 128 KiB are free there, unless it
    // has seen a larger block come and go: then it keeps twice as much as that, up to 64 MiB. So
    // receivers that free a message before the next one comes would have new pages for every
    // message, which cost ten times as much as to copy it. This block shows it one; nothing is
    // ever written to it.
    constexpr size_t kMostThatCounts = 32 * 1024 * 1024;
    constexpr size_t kRoomForItsHeader = 64 * 1024;
    void* volatile block = std::malloc(kMostThatCounts - kRoomForItsHeader);
    std::free(block);
  });
#endif
}

}  // namespace zt
