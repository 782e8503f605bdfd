// What libzmq accepts without a look, and later aborts the process for. Each check returns 0 or an
// errno value.
#pragma once

#include <set>

#include "wake.h"

namespace zt {

// How a context's I/O threads are to be scheduled, in libzmq's terms; -1 for what was not set.
struct Scheduling {
  int policy = -1;
  int priority = -1;
  std::set<int> cpus;
};

// The lowest priority of a real-time policy, -1 for any other. libzmq uses 0 where none is set,
// which is none.
int lowestPriority(int policy);

// Whether a thread of this process may be scheduled like that: tried with one that ends at once.
int checkScheduling(const Scheduling& wanted);

// The policy under which a thread that wakes waits for its turn, so that messages gather meanwhile
// (SCHED_BATCH); -1 where there is none, or this process may not have it.
int gatheringPolicy();

// Whether it is a socket that listens, as ZMQ_USE_FD needs it.
int checkListening(NativeFd fd);

}  // namespace zt
