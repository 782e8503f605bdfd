// How much libzmq reads from a connection, and writes to one, at a time: 8 KiB by itself, so that a
// message of 16 KiB takes two system calls on either side. With the options of its draft API, which
// exist where it was built with that, it is 64 KiB.
//
//  1. Belongs to a socket, and is guarded by its mutex.
//  2. What a batch has is beyond the receive high-water mark. Who sets a small one wants no
//  thousand small requests here that others could answer, or whose peer is gone: then it is 8 KiB
//  again.
//  3. What the application has set stays.
#pragma once

namespace zt {

class BatchSizes {
 public:
  // For a socket that was just opened.
  explicit BatchSizes(void* socket);
  // The application has set an option to this number.
  void noteOption(void* socket, int option, int value);

 private:
  bool ours_;  // the size of what is read
};

}  // namespace zt
