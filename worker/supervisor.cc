#include "worker/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "base/quantity.h"
#include "base/resident_memory.h"
#include "worker/child_process.h"
#include "worker/engine/monotonic_clock.h"
#include "worker/exit_code.h"
#include "worker/watcher.h"

namespace internode::worker {
namespace {

// A process that lived so long did not die of its start.
constexpr int64_t kLongLifeNs = 10'000'000'000;

std::vector<RunningTask> Running(SharedPage* page) {
  std::vector<RunningTask> running;
  for (const SlotState& slot : page->slots()) {
    const std::optional<RunningTask> task = slot.Get();
    if (task.has_value()) running.push_back(*task);
  }
  return running;
}

}  // namespace

// What the processes report when they are connected: their numbers, two bytes
// each, which a pipe keeps together.
class Supervisor::ReportReader {
 public:
  ReportReader(int fd, std::function<void(std::string)> on_bytes)
      : watcher_({}, [](int) {},
                 {{fd, [on_bytes = std::move(on_bytes)](const char* bytes,
                                                        size_t size) {
                     on_bytes(std::string(bytes, size));
                   }}}) {}

 private:
  const Watcher watcher_;
};

Supervisor::Supervisor(EventLoop* loop, const SupervisorOptions& options,
                       Events events)
    : loop_(loop),
      options_(options),
      events_(std::move(events)),
      id_(NewProcessId()),
      id_text_(id_.data(), id_.size()) {
  int lifeline[2] = {-1, -1};
  int report[2] = {-1, -1};
  // Without these nothing can be supervised.
  if (pipe2(lifeline, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0) {
    LogError("cannot create pipes");
    over_ = true;
  }
  lifeline_read_ = lifeline[0];
  lifeline_write_ = lifeline[1];
  report_read_ = report[0];
  report_write_ = report[1];
  reports_ = std::make_unique<ReportReader>(
      report_read_, [this](const std::string& bytes) {
        loop_->Post([this, bytes] { OnReports(bytes); });
      });
}

Supervisor::~Supervisor() {
  for (const auto& child : children_) {
    if (child->pid == 0) continue;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, nullptr, 0);
  }
  reports_ = nullptr;
  for (const int fd :
       {lifeline_read_, lifeline_write_, report_read_, report_write_}) {
    if (fd >= 0) close(fd);
  }
}

void Supervisor::Start() {
  if (over_) {
    events_.on_end(kExitFailed);
    return;
  }
  for (int number = 1; number <= options_.worker.num_processes; ++number) {
    children_.push_back(std::make_unique<Child>());
    children_.back()->number = number;
    StartProcess(children_.back().get());
  }
  if (options_.worker.memory_limit > 0) WatchMemory();
}

std::vector<std::string> Supervisor::Arguments(const Child& child) const {
  const WorkerOptions& worker = options_.worker;
  std::vector<std::string> arguments = options_.first_arguments;
  const auto add = [&arguments](const std::string& name,
                                const std::string& value) {
    // One word each: a value may begin with a dash.
    arguments.push_back(absl::StrCat(name, "=", value));
  };
  if (worker.scheduler_file.empty()) {
    arguments.push_back(worker.scheduler);
  } else {
    add("--scheduler-file", worker.scheduler_file);
  }
  add("--process", absl::StrCat(child.number));
  add("--page-fd", "3");
  add("--lifeline-fd", "4");
  add("--report-fd", "5");
  add("--nthreads", absl::StrCat(worker.num_slots));
  for (const std::string& root : worker.data_roots) add("--data-root", root);
  for (const std::string& path : worker.function_path) {
    add("--function-path", path);
  }
  for (const std::string& folder : worker.hdf5_plugins) {
    add("--hdf5-plugins", folder);
  }
  for (const auto& [name, value] :
       {std::pair("--tls-ca", worker.security.tls.ca),
        std::pair("--tls-cert", worker.security.tls.certificate),
        std::pair("--tls-key", worker.security.tls.key),
        std::pair("--tls-name", worker.security.tls_name),
        std::pair("--token-file", worker.security.token_file)}) {
    if (!value.empty()) add(name, value);
  }
  add("--memory-limit",
      worker.memory_limit == 0
          ? std::string("none")
          : absl::StrCat(worker.memory_limit / worker.num_processes));
  add("--name", worker.num_processes == 1
                    ? worker.name
                    : absl::StrCat(worker.name, "-", child.number));
  add("--log-format", worker.log.format == LogFormat::kJson ? "json" : "text");
  if (worker.log.level == LogLevel::kDebug) arguments.push_back("-v");
  if (worker.log.level == LogLevel::kWarning) arguments.push_back("-q");
  if (worker.log.level == LogLevel::kError) arguments.push_back("-qq");
  return arguments;
}

void Supervisor::StartProcess(Child* child) {
  child->restart.reset();
  child->killed.clear();
  child->connected = false;
  child->start_ns = NowNanos();
  absl::StatusOr<std::unique_ptr<SharedPage>> page =
      SharedPage::Create(NewProcessId(), id_, options_.worker.num_slots);
  absl::Status status = page.status();
  if (page.ok()) {
    child->page = *std::move(page);
    const absl::StatusOr<pid_t> pid =
        StartChild({options_.program,
                    Arguments(*child),
                    {child->page->fd(), lifeline_read_, report_write_}});
    status = pid.status();
    if (pid.ok()) child->pid = *pid;
  }
  if (status.ok()) return;
  LogError("worker process ", child->number, ": ", status.message());
  ++child->quick_deaths;
  Restart(child);
}

void Supervisor::Reap() {
  for (const auto& child : children_) {
    int wait_status = 0;
    if (child->pid != 0 &&
        waitpid(child->pid, &wait_status, WNOHANG) == child->pid) {
      child->pid = 0;
      Ended(child.get(), wait_status);
    }
  }
  EndIfAllEnded();
}

void Supervisor::Ended(Child* child, int wait_status) {
  read_before_ += child->page->read_counters();
  const int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
  if (code == kExitDrained || killing_) {
    child->ended = true;
    if (!killing_) {
      LogInfo("worker process ", child->number, " has drained");
    }
    return;
  }
  if (code == kExitRefused ||
      (code == kExitWrongUse && !child->was_connected)) {
    child->ended = true;
    KillAll(code == kExitRefused ? kExitFailed : kExitWrongUse);
    return;
  }
  std::string cause = CauseOfDeath(wait_status);
  if (!child->killed.empty()) cause = child->killed;
  if (code == kExitRestart) {
    const std::string reason = child->page->reason();
    cause = reason.empty() ? "the scheduler asked for another process" : reason;
  }
  LogWarning("worker process ", child->number, " died: ", cause);
  Report(*child, cause);
  if (draining_) {
    child->ended = true;
    return;
  }
  const bool quick = NowNanos() - child->start_ns < kLongLifeNs;
  child->quick_deaths = quick ? child->quick_deaths + 1 : 0;
  Restart(child);
}

void Supervisor::Report(const Child& child, const std::string& cause) {
  events_.on_death(
      {child.page->process_id(), cause, Running(child.page.get()), NowNanos()});
}

void Supervisor::Restart(Child* child) {
  if (draining_ || over_) {
    child->ended = true;
    return;
  }
  // One that could connect can work: what killed it was a task, or somebody.
  const absl::Duration longest =
      child->connected ? std::min(options_.last_backoff, absl::Seconds(1))
                       : options_.last_backoff;
  absl::Duration wait = absl::ZeroDuration();
  for (int death = 1; death < child->quick_deaths; ++death) {
    wait = std::min(longest, std::max(2 * wait, options_.first_backoff));
  }
  if (wait > absl::Seconds(1)) {
    LogWarning("worker process ", child->number, " is started again in ",
               absl::FormatDuration(wait));
  }
  child->restart =
      loop_->PostAfter(wait, [this, child] { StartProcess(child); });
}

void Supervisor::WatchMemory() {
  const int64_t share =
      options_.worker.memory_limit / options_.worker.num_processes;
  for (const auto& child : children_) {
    if (child->pid == 0 || !child->killed.empty() ||
        ResidentBytes(child->pid) <= share) {
      continue;
    }
    child->killed =
        absl::StrCat("over the memory limit of ", FormatBytes(share));
    kill(child->pid, SIGKILL);
  }
  memory_timer_ =
      loop_->PostAfter(options_.memory_interval, [this] { WatchMemory(); });
}

void Supervisor::OnReports(const std::string& bytes) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint16_t number = 0;
    std::memcpy(&number, &bytes[i], sizeof(number));
    for (const auto& child : children_) {
      if (child->number != number) continue;
      child->connected = true;
      child->was_connected = true;
    }
  }
  const bool all =
      std::all_of(children_.begin(), children_.end(),
                  [](const auto& child) { return child->was_connected; });
  if (!all || ready_) return;
  ready_ = true;
  events_.on_ready();
}

void Supervisor::Drain(const std::string& reason) {
  if (draining_) return;
  draining_ = true;
  LogInfo("draining: ", reason);
  for (const auto& child : children_) {
    if (child->restart.has_value()) {
      loop_->Cancel(*child->restart);
      child->restart.reset();
      child->ended = true;
    }
    if (child->pid != 0) kill(child->pid, SIGTERM);
  }
  drain_timer_ = loop_->PostAfter(options_.worker.drain_timeout, [this] {
    LogWarning("draining took longer than ",
               absl::FormatDuration(options_.worker.drain_timeout),
               "; ending at once");
    KillAll(kExitFailed);
  });
  EndIfAllEnded();
}

void Supervisor::KillAll(int exit_code) {
  draining_ = true;
  if (exit_code_ == 0) exit_code_ = exit_code;
  for (const auto& child : children_) {
    if (child->restart.has_value()) loop_->Cancel(*child->restart);
    child->restart.reset();
    if (child->pid == 0) {
      child->ended = true;
      continue;
    }
    // What it ran is not to blame.
    child->killed = "it was told to end at once";
    kill(child->pid, SIGKILL);
  }
  killing_ = true;
  EndIfAllEnded();
}

void Supervisor::EndIfAllEnded() {
  if (over_) return;
  for (const auto& child : children_) {
    if (!child->ended) return;
  }
  over_ = true;
  if (memory_timer_.has_value()) loop_->Cancel(*memory_timer_);
  if (drain_timer_.has_value()) loop_->Cancel(*drain_timer_);
  events_.on_end(exit_code_);
}

int64_t Supervisor::busy_slots() const {
  int64_t busy = 0;
  for (const auto& child : children_) {
    if (child->pid != 0) busy += std::ssize(Running(child->page.get()));
  }
  return busy;
}

cube::ReadCounters Supervisor::read_counters() const {
  cube::ReadCounters read = read_before_;
  for (const auto& child : children_) {
    if (child->pid != 0) read += child->page->read_counters();
  }
  return read;
}

std::vector<pid_t> Supervisor::pids() const {
  std::vector<pid_t> pids;
  pids.reserve(children_.size());
  for (const auto& child : children_) pids.push_back(child->pid);
  return pids;
}

}  // namespace internode::worker
