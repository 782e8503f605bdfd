// The wake descriptor: what gets a thread out of zmq_poll. The one file that differs between
// platforms.
//
//  1. poke() may be called from any thread, any number of times; it never blocks.
//  2. drain() is called by the thread that waits.
//  3. The constructor throws std::system_error, with EMFILE for instance. Bindings whose calls may
//  make one return its number.
//  4. needDescriptors() is for any thread. It has them itself for a moment, and what it has seen to
//  be there another thread may take.
#pragma once

#include <zmq.h>

#include <cstddef>

namespace zt {

#ifdef _WIN32
using NativeFd = SOCKET;
#else
using NativeFd = int;
#endif

class WakeDescriptor {
 public:
  WakeDescriptor();
  ~WakeDescriptor();
  WakeDescriptor(const WakeDescriptor&) = delete;
  WakeDescriptor& operator=(const WakeDescriptor&) = delete;

  void poke();
  void drain();
  NativeFd fd() const { return readFd_; }

 private:
  NativeFd readFd_;
  NativeFd writeFd_;
};

// Throws as the constructor does unless so many descriptors are to be had.
void needDescriptors(size_t count);

}  // namespace zt
