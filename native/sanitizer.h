// Tells the thread sanitizer of an order that it cannot see, because what establishes it is not
// instrumented: libzmq, or JavaScript, which reads a received frame after an Atomics.load of what
// was published, and may hand its bytes back to us. Nothing in ordinary builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define ZT_HANDED_TO_LIBZMQ(address) __tsan_release(address)
#define ZT_BACK_FROM_LIBZMQ(address) \
  __tsan_acquire(const_cast<void*>(static_cast<const void*>(address)))
#define ZT_SHOWN_TO_JAVASCRIPT(address) ZT_HANDED_TO_LIBZMQ(address)
#define ZT_GIVEN_BY_JAVASCRIPT(address) ZT_BACK_FROM_LIBZMQ(address)
#else
#define ZT_HANDED_TO_LIBZMQ(address) static_cast<void>(address)
#define ZT_BACK_FROM_LIBZMQ(address) static_cast<void>(address)
#define ZT_SHOWN_TO_JAVASCRIPT(address) static_cast<void>(address)
#define ZT_GIVEN_BY_JAVASCRIPT(address) static_cast<void>(address)
#endif
