// What libzmq's messages and chunks come from: the C library's allocator.
#pragma once

#include <cstddef>

namespace zt {

// From here on bytes are large enough that giving their memory back to the system, and taking it
// anew, costs more than all else that is done with them.
constexpr size_t kLargeBytes = 16 * 1024;

// Has the C library keep memory of freed large blocks for the next ones, up to 64 MiB. Any thread,
// any number of times; does nothing where that is the allocator's way anyhow, or where somebody
// told it otherwise (mallopt, MALLOC_TRIM_THRESHOLD_, ...).
void keepFreedMemory();

}  // namespace zt
