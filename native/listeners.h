// Where sockets of this process have just stopped listening.
//
//  1. libzmq closes a listener in its I/O thread, some time after zmq_unbind() or zmq_close() has
//     returned. Until then the address is in use: who binds there waits for it, for a moment.
//  2. Any thread may call these functions; they take a lock of their own, under which nothing else
//     is done.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace zt {

// Listeners at these endpoints are being closed, as of now.
void noteStoppedListening(const std::vector<std::string>& endpoints);

// The result of `bind`, which gives 0 or errno; it is called again for a while when the address is
// in use and a listener of this process was just there.
int bindOnceFree(const std::string& endpoint, const std::function<int()>& bind);

}  // namespace zt
