#include "wake.h"

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <vector>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#elif defined(__linux__)
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace zt {

namespace {

[[noreturn]] void fail(int error) {
  throw std::system_error(error, std::generic_category(), "cannot create a wake descriptor");
}

}  // namespace

#ifdef _WIN32

// A datagram socket connected to itself on loopback.
WakeDescriptor::WakeDescriptor() {
  readFd_ = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  if (readFd_ == INVALID_SOCKET) fail(EMFILE);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int length = sizeof address;
  u_long nonBlocking = 1;
  if (bind(readFd_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(readFd_, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      connect(readFd_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ioctlsocket(readFd_, FIONBIO, &nonBlocking) != 0) {
    closesocket(readFd_);
    fail(ENOBUFS);
  }
  writeFd_ = readFd_;
}
WakeDescriptor::~WakeDescriptor() {
  closesocket(readFd_);
}
void WakeDescriptor::poke() {
  char byte = 1;
  (void)send(writeFd_, &byte, 1, 0);
}
void WakeDescriptor::drain() {
  char bytes[64];
  while (recv(readFd_, bytes, sizeof bytes, 0) > 0) {
  }
}

#elif defined(__linux__)

WakeDescriptor::WakeDescriptor() {
  readFd_ = writeFd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (readFd_ < 0) fail(errno);
}
WakeDescriptor::~WakeDescriptor() {
  close(readFd_);
}
void WakeDescriptor::poke() {
  const uint64_t one = 1;
  // EAGAIN means that the counter is full: the reader is awake already.
  if (write(writeFd_, &one, sizeof one) < 0) return;
}
void WakeDescriptor::drain() {
  uint64_t count;
  if (read(readFd_, &count, sizeof count) < 0) return;
}

#else

WakeDescriptor::WakeDescriptor() {
  int fds[2];
  if (pipe(fds) != 0) fail(errno);
  for (int fd : fds) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  readFd_ = fds[0];
  writeFd_ = fds[1];
}
WakeDescriptor::~WakeDescriptor() {
  close(readFd_);
  close(writeFd_);
}
void WakeDescriptor::poke() {
  const char byte = 1;
  if (write(writeFd_, &byte, 1) < 0) return;
}
void WakeDescriptor::drain() {
  char bytes[64];
  while (read(readFd_, bytes, sizeof bytes) > 0) {
  }
}

#endif

#ifdef _WIN32

void needDescriptors(size_t) {}  // there is no limit that matters

#else

void needDescriptors(size_t count) {
  const WakeDescriptor one;
  std::vector<int> copies;
  copies.reserve(count);
  int error = 0;
  while (copies.size() + 1 < count && error == 0) {
    const int copy = fcntl(one.fd(), F_DUPFD_CLOEXEC, 0);
    if (copy >= 0)
      copies.push_back(copy);
    else
      error = errno;
  }
  for (const int copy : copies) close(copy);
  if (error != 0) fail(error);
}

#endif

}  // namespace zt
