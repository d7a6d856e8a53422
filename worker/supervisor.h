#ifndef INTERNODE_WORKER_SUPERVISOR_H_
#define INTERNODE_WORKER_SUPERVISOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "cube/read_counters.h"
#include "worker/engine/slot_page.h"
#include "worker/options.h"
#include "worker/rpc/event_loop.h"
#include "worker/shared_page.h"

namespace internode::worker {

// A process that ended by itself, or was killed for its memory.
struct Death {
  std::string process_id;
  std::string cause;
  std::vector<RunningTask> running;
  int64_t time_ns = 0;
};

struct SupervisorOptions {
  WorkerOptions worker;
  // What is started, and what is said besides the options.
  std::string program;
  std::vector<std::string> first_arguments;
  // A process that died is started again at once; one that died again soon
  // after twice as long as the time before, up to the last, or up to a second
  // if it had connected.
  absl::Duration first_backoff = absl::Milliseconds(200);
  absl::Duration last_backoff = absl::Seconds(30);
  absl::Duration memory_interval = absl::Milliseconds(200);
};

// Starts the worker's processes and starts those again that die. On an event
// loop; thread-compatible.
class Supervisor {
 public:
  struct Events {
    std::function<void(const Death&)> on_death;
    // All processes are connected, for the first time.
    std::function<void()> on_ready;
    // No process is left, and none will be started.
    std::function<void(int exit_code)> on_end;
  };
  // `loop` outlives it.
  Supervisor(EventLoop* loop, const SupervisorOptions& options, Events events);
  // Kills what is left.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void Start();

  // Lets the processes finish what they run; kills them after the drain
  // timeout. Idempotent.
  void Drain(const std::string& reason);
  // Kills the processes.
  void KillAll(int exit_code);

  // A process may have ended: SIGCHLD came.
  void Reap();

  const std::string& id() const { return id_text_; }
  std::vector<pid_t> pids() const;
  // Whether the processes are to end.
  bool draining() const { return draining_; }
  // Slots that run a task now.
  int64_t busy_slots() const;
  // What all processes read, also those that have ended.
  cube::ReadCounters read_counters() const;

 private:
  struct Child {
    int number = 0;
    // 0: does not run.
    pid_t pid = 0;
    std::unique_ptr<SharedPage> page;
    int64_t start_ns = 0;
    int quick_deaths = 0;
    // This process, and any of its number.
    bool connected = false;
    bool was_connected = false;
    // Waits to be started again.
    std::optional<EventLoop::TimerId> restart;
    // Will not be started again.
    bool ended = false;
    // Why it was killed from here.
    std::string killed;
  };

  void StartProcess(Child* child);
  std::vector<std::string> Arguments(const Child& child) const;
  void Ended(Child* child, int wait_status);
  void Report(const Child& child, const std::string& cause);
  void Restart(Child* child);
  void WatchMemory();
  void OnReports(const std::string& bytes);
  void EndIfAllEnded();

  EventLoop* const loop_;
  const SupervisorOptions options_;
  const Events events_;
  const ProcessId id_;
  const std::string id_text_;
  std::vector<std::unique_ptr<Child>> children_;
  // Its end closes with this process, which the children see.
  int lifeline_read_ = -1;
  int lifeline_write_ = -1;
  int report_read_ = -1;
  int report_write_ = -1;
  class ReportReader;
  std::unique_ptr<ReportReader> reports_;
  std::optional<EventLoop::TimerId> memory_timer_;
  std::optional<EventLoop::TimerId> drain_timer_;
  // By processes that have ended.
  cube::ReadCounters read_before_;
  bool ready_ = false;
  bool draining_ = false;
  bool killing_ = false;
  bool over_ = false;
  int exit_code_ = 0;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_SUPERVISOR_H_
