// How much libzmq reads from a connection, and writes to one, at a time: 8 KiB by itself, so that a
// message of 16 KiB takes two system calls on either side. With the options of its draft API, which
// exist where it was built with that, 64 KiB are written at a time, and what is read depends on the
// receive high-water mark.
//
//  1. Belongs to a socket, and is guarded by its mutex.
//  2. What is read holds about as many small messages as the mark allows, so that libzmq need not
//  stop within it, each time, until somebody has received some. And it is beyond the mark: who sets
//  a small one wants no thousand requests here that others could answer, or whose peer is gone.
//  3. What the application has set stays.
#pragma once

namespace zt {

class BatchSizes {
 public:
  // For a socket that was just opened.
  BatchSizes(void* socket, int type);
  // The application has set an option to this number.
  void noteOption(void* socket, int option, int value);

 private:
  void setIn(void* socket, int mark) const;

  bool ours_;  // the size of what is read
  int bytesOfSmallMessage_;
};

}  // namespace zt
