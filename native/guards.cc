#include "guards.h"

#include <cerrno>
#include <thread>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#endif

namespace zt {

#ifdef __linux__

int lowestPriority(int policy) {
  return policy == SCHED_FIFO || policy == SCHED_RR ? sched_get_priority_min(policy) : -1;
}

namespace {

// Does what libzmq's threads do to themselves, with the calling thread.
int apply(const Scheduling& wanted) {
  sched_param param{};
  int policy = 0;
  int error = pthread_getschedparam(pthread_self(), &policy, &param);
  if (error != 0) return error;
  if (wanted.policy != -1) policy = wanted.policy;
  const bool realtime = policy == SCHED_FIFO || policy == SCHED_RR;
  if (!realtime)
    param.sched_priority = 0;
  else if (wanted.priority != -1)
    param.sched_priority = wanted.priority;
  error = pthread_setschedparam(pthread_self(), policy, &param);
  if (error != 0) return error;
  // Without a real-time policy libzmq takes any priority for the wish to be as nice to this thread
  // as can be.
  if (!realtime && wanted.priority > 0 && setpriority(PRIO_PROCESS, 0, -20) != 0) return errno;
  if (wanted.cpus.empty()) return 0;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (int cpu : wanted.cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
    CPU_SET(cpu, &cpus);
  }
  return pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
}

}  // namespace

int checkScheduling(const Scheduling& wanted) {
  int error = 0;
  std::thread([&] { error = apply(wanted); }).join();
  return error;
}

int gatheringPolicy() {
  static const int policy = [] {
    Scheduling wanted;
    wanted.policy = SCHED_BATCH;
    return checkScheduling(wanted) == 0 ? SCHED_BATCH : -1;
  }();
  return policy;
}

int gather() {
  sched_param param{};
  return pthread_setschedparam(pthread_self(), SCHED_BATCH, &param);
}

int checkListening(NativeFd fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0) return EBADF;
  return listening != 0 ? 0 : EBADF;
}

#else

int lowestPriority(int) {
  return -1;
}
int checkScheduling(const Scheduling&) {
  return 0;
}
int gatheringPolicy() {
  return -1;
}
int gather() {
  return 0;
}
int checkListening(NativeFd) {
  return 0;
}

#endif

void stayLoaded() {
#ifdef _WIN32
  HMODULE module;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&stayLoaded), &module);
#else
  Dl_info addon;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &addon) != 0) {
    dlopen(addon.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }
#endif
}

}  // namespace zt
