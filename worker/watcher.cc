#include "worker/watcher.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace internode::worker {
namespace {

sigset_t SetOf(const std::vector<int>& signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

int OpenSignals(const std::vector<int>& signals) {
  const sigset_t set = SetOf(signals);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

void BlockSignals() {
  const sigset_t set = SetOf({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

Watcher::Watcher(const std::vector<int>& signals,
                 std::function<void(int)> on_signal, std::vector<Pipe> pipes)
    : on_signal_(std::move(on_signal)),
      pipes_(std::move(pipes)),
      signal_fd_(OpenSignals(signals)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

Watcher::~Watcher() {
  const uint64_t one = 1;
  // Eight bytes always fit into an event counter.
  if (write(stop_fd_, &one, sizeof(one)) != sizeof(one)) std::abort();
  thread_.join();
  close(stop_fd_);
  close(signal_fd_);
}

void Watcher::ReadPipe(Pipe* pipe) {
  char bytes[4096];
  const ssize_t size = read(pipe->fd, bytes, sizeof(bytes));
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size <= 0) pipe->fd = -1;
  pipe->on_bytes(bytes, size > 0 ? static_cast<size_t>(size) : 0);
}

void Watcher::Run() {
  for (;;) {
    // poll leaves out negative descriptors.
    std::vector<pollfd> fds = {{stop_fd_, POLLIN, 0}, {signal_fd_, POLLIN, 0}};
    fds.reserve(2 + pipes_.size());
    for (const Pipe& pipe : pipes_) fds.push_back({pipe.fd, POLLIN, 0});
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[0].revents != 0) return;
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
      on_signal_(static_cast<int>(info.ssi_signo));
    }
    for (size_t i = 0; i < pipes_.size(); ++i) {
      if (fds[i + 2].revents != 0) ReadPipe(&pipes_[i]);
    }
  }
}

}  // namespace internode::worker
