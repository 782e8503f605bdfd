// What would end the process later: values that libzmq accepts without a look and aborts for, and
// an addon that is unloaded while threads of its are under way. Each check returns 0 or an errno
// value.
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
// Has this thread wait for its turn like that. 0 or errno; 0 where there is no such policy.
int gather();

// Keeps the addon, and libzmq with it, in memory until the process ends. Node.js unloads an addon
// with the last thread that has loaded it; that may be a Worker, which threads of libzmq's and ours
// outlive.
void stayLoaded();

// Whether it is a socket that listens, as ZMQ_USE_FD needs it.
int checkListening(NativeFd fd);

}  // namespace zt
