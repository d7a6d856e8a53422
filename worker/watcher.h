#ifndef INTERNODE_WORKER_WATCHER_H_
#define INTERNODE_WORKER_WATCHER_H_

#include <functional>
#include <thread>
#include <vector>

namespace internode::worker {

// Waits on a thread of its own for signals, which must be blocked in all
// threads, and for bytes from pipes.
class Watcher {
 public:
  struct Pipe {
    int fd = -1;
    // Each byte that comes; 0 bytes at the end of the pipe, after which it is
    // not watched any more. Not called for an fd of -1.
    std::function<void(const char* bytes, size_t size)> on_bytes;
  };
  // All handlers are called on the watcher's thread.
  Watcher(const std::vector<int>& signals, std::function<void(int)> on_signal,
          std::vector<Pipe> pipes);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  void Run();
  void ReadPipe(Pipe* pipe);

  const std::function<void(int)> on_signal_;
  std::vector<Pipe> pipes_;
  const int signal_fd_;
  const int stop_fd_;
  std::thread thread_;
};

// Blocks, in the calling thread and those that it starts, the signals that
// watchers wait for.
void BlockSignals();

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_WATCHER_H_
