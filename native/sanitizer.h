// Tells the thread sanitizer of an order that it cannot see, because libzmq, which establishes it,
// is not instrumented. Nothing in ordinary builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define ZT_HANDED_TO_LIBZMQ(address) __tsan_release(address)
#define ZT_BACK_FROM_LIBZMQ(address) \
  __tsan_acquire(const_cast<void*>(static_cast<const void*>(address)))
#else
#define ZT_HANDED_TO_LIBZMQ(address) static_cast<void>(address)
#define ZT_BACK_FROM_LIBZMQ(address) static_cast<void>(address)
#endif
