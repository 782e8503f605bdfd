#include "context.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "socket.h"

namespace zt {

namespace {

constexpr int kShutdownLingerMs = 1000;
constexpr int64_t kEarlyMs = 2;  // libzmq's timers count whole milliseconds

// Leaked on purpose: threads of libzmq may outlive static destruction at exit.
struct Directory {
  std::mutex mutex;
  std::vector<std::weak_ptr<Context>> contexts;
  std::shared_ptr<Context> shared;
  uint32_t nextId = 1;
  int orphans = 0;  // terminated by nobody, because nobody had them any more
  std::condition_variable orphansLeft;
};
Directory& directory() {
  static Directory* instance = new Directory;
  return *instance;
}

template <typename T>
void dropExpired(std::vector<std::weak_ptr<T>>& list) {
  list.erase(std::remove_if(list.begin(), list.end(), [](auto& entry) { return entry.expired(); }),
             list.end());
}

}  // namespace

std::shared_ptr<Context> Context::create(int& error) {
  void* handle = zmq_ctx_new();
  if (handle == nullptr) {
    error = zmq_errno();
    return nullptr;
  }
  std::lock_guard<std::mutex> lock(directory().mutex);
  std::shared_ptr<Context> context(new Context(handle, directory().nextId++));
  // What its I/O threads are unless told; measured in docs/architecture.md.
  const int policy = gatheringPolicy();
  if (policy != -1 && zmq_ctx_set(handle, ZMQ_THREAD_SCHED_POLICY, policy) == 0) {
    context->scheduling_.policy = policy;
  }
  dropExpired(directory().contexts);
  directory().contexts.push_back(context);
  return context;
}

std::shared_ptr<Context> Context::processDefault(int& error) {
  static std::mutex making;  // so that two threads do not both make one
  std::lock_guard<std::mutex> only(making);
  {
    std::lock_guard<std::mutex> lock(directory().mutex);
    auto& shared = directory().shared;
    if (shared && !shared->closed()) return shared;
  }
  auto made = create(error);
  std::lock_guard<std::mutex> lock(directory().mutex);
  directory().shared = made;
  return made;
}

std::shared_ptr<Context> Context::find(uint32_t id) {
  for (auto& context : all()) {
    if (context->id == id) return context->closed() ? nullptr : context;
  }
  return nullptr;
}

std::vector<std::shared_ptr<Context>> Context::all() {
  std::vector<std::shared_ptr<Context>> result;
  std::lock_guard<std::mutex> lock(directory().mutex);
  for (auto& entry : directory().contexts) {
    if (auto context = entry.lock()) result.push_back(std::move(context));
  }
  return result;
}

Context::~Context() {
  // The last reference is gone, so no socket of ours is open; nobody is left to wait for what
  // lingers.
  if (handle_ != nullptr && !closed_) {
    {
      std::lock_guard<std::mutex> lock(directory().mutex);
      ++directory().orphans;
    }
    std::thread([handle = handle_] {
      while (zmq_ctx_term(handle) != 0 && zmq_errno() == EINTR) {
      }
      std::lock_guard<std::mutex> lock(directory().mutex);
      --directory().orphans;
      directory().orphansLeft.notify_all();
    }).detach();
  }
}

int Context::set(int option, int value) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return ETERM;
  Scheduling wanted = scheduling_;
  bool schedules = true;
  if (option == ZMQ_THREAD_SCHED_POLICY) {
    wanted.policy = value;
    if (wanted.priority == -1) wanted.priority = lowestPriority(value);
  } else if (option == ZMQ_THREAD_PRIORITY) {
    wanted.priority = value;
  } else if (option == ZMQ_THREAD_AFFINITY_CPU_ADD) {
    wanted.cpus.insert(value);
  } else if (option == ZMQ_THREAD_AFFINITY_CPU_REMOVE) {
    wanted.cpus.erase(value);
  } else {
    schedules = false;
  }
  if (schedules) {
    const int error = checkScheduling(wanted);
    if (error != 0) return error;
  }
  if (zmq_ctx_set(handle_, option, value) != 0) return zmq_errno();
  if (wanted.priority != scheduling_.priority && option == ZMQ_THREAD_SCHED_POLICY) {
    zmq_ctx_set(handle_, ZMQ_THREAD_PRIORITY, wanted.priority);
  }
  scheduling_ = std::move(wanted);
  return 0;
}

int Context::get(int option, int& value) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return ETERM;
  errno = 0;
  value = zmq_ctx_get(handle_, option);
  return value == -1 && zmq_errno() != 0 ? zmq_errno() : 0;
}

void* Context::openSocket(int type, int& error) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || shutDown_) {
    error = ETERM;
    return nullptr;
  }
  void* socket = zmq_socket(handle_, type);
  if (socket == nullptr) error = zmq_errno();
  return socket;
}

bool Context::add(const std::shared_ptr<Socket>& socket) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || shutDown_) return false;
  if (sockets_.size() >= 64 && (sockets_.size() & (sockets_.size() - 1)) == 0)
    dropExpired(sockets_);
  sockets_.push_back(socket);
  return true;
}

std::vector<std::shared_ptr<Socket>> Context::sockets() {
  std::vector<std::shared_ptr<Socket>> result;
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& entry : sockets_) {
    if (auto socket = entry.lock()) result.push_back(std::move(socket));
  }
  return result;
}

void Context::closingBegins() {
  std::lock_guard<std::mutex> lock(mutex_);
  ++closing_;
}

void Context::closingEnds() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--closing_ == 0) changed_.notify_all();
}

bool Context::closed() {
  std::lock_guard<std::mutex> lock(mutex_);
  return closed_;
}

void Context::shutdown() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    shutDown_ = true;
  }
  const auto open = sockets();
  // libzmq's sockets look whether they are shut down only now and then, but for those that block.
  for (auto& socket : open) socket->shutDown(kShutdownLingerMs);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    zmq_ctx_shutdown(handle_);
  }
  for (auto& socket : open) socket->wakeAll();
}

bool Context::terminate(long lingerCapMs, bool capOnlyInfinite, const std::function<void()>& done) {
  bool closed, terminated;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed = std::exchange(closed_, true);
    terminated = terminated_;
    if (done && !terminated) done_.push_back(done);
  }
  if (terminated && done) done();
  if (closed) return false;
  for (auto& socket : sockets()) socket->close(kLingerUnchanged, lingerCapMs, capOnlyInfinite);
  const auto finish = [self = shared_from_this()] {
    {
      std::unique_lock<std::mutex> lock(self->mutex_);
      self->changed_.wait(lock, [&] { return self->closing_ == 0; });
    }
    while (zmq_ctx_term(self->handle_) != 0 && zmq_errno() == EINTR) {
    }
    std::vector<std::function<void()>> done;
    {
      std::lock_guard<std::mutex> lock(self->mutex_);
      self->terminated_ = true;
      self->terminatedAt_ = nowMs();
      self->changed_.notify_all();
      done.swap(self->done_);
    }
    for (auto& call : done) call();
  };
  try {
    std::thread(finish).detach();
  } catch (const std::system_error&) {
    finish();  // no thread to be had: the caller waits
  }
  return true;
}

void Context::lingersUntil(int64_t deadline) {
  std::lock_guard<std::mutex> lock(mutex_);
  lingersUntil_ = std::max(lingersUntil_, deadline);
}

Unsent Context::unsentAt(int64_t asked, int64_t granted) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (lingersUntil_ <= asked) return Unsent::kNone;
  if (!terminated_) return Unsent::kWaiting;
  const bool early = terminatedAt_ < std::min(granted, lingersUntil_) - kEarlyMs;
  return early ? Unsent::kNone : Unsent::kDropped;
}

bool Context::waitTerminated(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return terminated_ || !closed_; }) &&
         terminated_;
}

bool Context::waitOrphans(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(directory().mutex);
  return directory().orphansLeft.wait_until(lock, deadline,
                                            [] { return directory().orphans == 0; });
}

}  // namespace zt
