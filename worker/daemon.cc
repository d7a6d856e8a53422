#include "worker/daemon.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/quantity.h"
#include "base/resident_memory.h"
#include "base/service_manager.h"
#include "rpc/credentials.h"
#include "rpc/peer.h"
#include "worker/data_roots.h"
#include "worker/engine/monotonic_clock.h"
#include "worker/exit_code.h"
#include "worker/http/endpoint.h"
#include "worker/rpc/connection.h"
#include "worker/rpc/event_loop.h"
#include "worker/rpc/worker_proto.h"
#include "worker/supervisor.h"
#include "worker/watcher.h"

namespace internode::worker {
namespace {

// Between the end of draining and the batch system's own end.
constexpr absl::Duration kBatchMargin = absl::Seconds(10);

// Between the end of draining and the service manager's patience.
constexpr absl::Duration kStopMargin = absl::Seconds(15);

// Deaths so old are known to the scheduler, or of no use to it.
constexpr int64_t kRememberDeathNs = 60'000'000'000;

// How long from now on the worker is to take tasks: it ends, drained, within
// `left`.
absl::Duration TimeToDrain(absl::Duration left, absl::Duration drain_timeout) {
  return std::max(absl::ZeroDuration(),
                  std::max(left / 2, left - drain_timeout));
}

// When the batch system ends the job that this process is part of.
absl::Duration TimeToBatchEnd() {
  const char* const text = std::getenv("SLURM_JOB_END_TIME");
  int64_t seconds = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &seconds)) {
    return absl::InfiniteDuration();
  }
  return absl::FromUnixSeconds(seconds) - absl::Now() - kBatchMargin;
}

absl::Status CheckFolders(absl::string_view what,
                          const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) {
      return absl::NotFoundError(
          absl::StrCat(what, " '", folder, "' is not a folder"));
    }
  }
  return absl::OkStatus();
}

class Daemon final : public ConnectionUser {
 public:
  Daemon(const WorkerOptions& options,
         std::shared_ptr<const rpc::Credentials> credentials)
      : options_(options),
        connection_(&loop_,
                    {.address = [options] { return SchedulerAddress(options); },
                     .credentials = std::move(credentials),
                     .data = false},
                    this),
        supervisor_(&loop_,
                    {.worker = options,
                     .program = "/proc/self/exe",
                     .first_arguments = {"internode-worker"}},
                    {.on_death = [this](const Death& death) { Tell(death); },
                     .on_ready = [this] { SayReady(); },
                     .on_end = [this](int code) { Finish(code); }}) {}

  int Run() {
    const Watcher watcher(
        {SIGTERM, SIGINT, SIGHUP, SIGCHLD},
        [this](int signal) { loop_.Post([this, signal] { On(signal); }); },
        {{options_.lifeline_fd, [this](const char*, size_t size) {
            if (size > 0) return;
            loop_.Post([this] {
              LogInfo("the process that started this worker is gone");
              supervisor_.KillAll(kExitFailed);
            });
          }}});
    const absl::StatusOr<std::unique_ptr<http::Server>> http = StartHttp();
    if (!http.ok()) {
      LogError(http.status().message());
      return kExitFailed;
    }
    connection_.Start();
    supervisor_.Start();
    // A worker waits for its scheduler as long as it takes: it has started.
    manager_.Ready("waits for the scheduler");
    StayAlive();
    DrainIn(options_.lifetime, "its lifetime ends");
    DrainIn(TimeToBatchEnd(), "the batch system's time ends");
    WatchScheduler();
    loop_.Run();
    return exit_code_;
  }

 private:
  void On(int signal) {
    if (signal == SIGCHLD) {
      supervisor_.Reap();
    } else if (!signalled_) {
      signalled_ = true;
      manager_.Stopping(options_.drain_timeout + kStopMargin);
      supervisor_.Drain(
          absl::StrCat("signal ", signal, "; a second one ends it at once"));
    } else {
      supervisor_.KillAll(kExitFailed);
    }
  }

  // Null: none is wanted.
  absl::StatusOr<std::unique_ptr<http::Server>> StartHttp() {
    if (!options_.http.has_value()) return nullptr;
    EndpointOptions endpoint;
    endpoint.host = options_.http->host;
    endpoint.port = options_.http->port;
    endpoint.names = options_.http_names;
    endpoint.tokens = options_.http_tokens;
    if (!IsLoopback(endpoint.host)) endpoint.tls = options_.security.tls;
    absl::StatusOr<std::unique_ptr<http::Server>> server = StartEndpoint(
        endpoint, [this](std::function<void(const DaemonFacts&)> reply) {
          loop_.Post([this, reply = std::move(reply)] { reply(Facts()); });
        });
    if (server.ok()) {
      http_url_ = (*server)->url();
      LogInfo("probes and metrics at ", http_url_);
    }
    return server;
  }

  DaemonFacts Facts() const {
    DaemonFacts facts;
    facts.connected = connection_.connected();
    facts.draining = supervisor_.draining();
    facts.memory_bytes = ResidentBytes(getpid());
    for (const pid_t pid : supervisor_.pids()) {
      if (pid == 0) continue;
      ++facts.processes_running;
      facts.memory_bytes += ResidentBytes(pid);
    }
    facts.processes = options_.num_processes;
    facts.threads_per_process = options_.num_slots;
    facts.threads_busy = supervisor_.busy_slots();
    facts.processes_died = processes_died_;
    facts.read = supervisor_.read_counters();
    facts.memory_limit_bytes = options_.memory_limit;
    return facts;
  }

  void DrainIn(absl::Duration left, const std::string& reason) {
    if (left == absl::InfiniteDuration()) return;
    loop_.PostAfter(TimeToDrain(left, options_.drain_timeout),
                    [this, reason] { supervisor_.Drain(reason); });
  }

  // The loop is what does the work of a supervisor.
  void StayAlive() {
    if (manager_.AliveEvery() == absl::InfiniteDuration()) return;
    manager_.Alive();
    loop_.PostAfter(manager_.AliveEvery(), [this] { StayAlive(); });
  }

  void WatchScheduler() {
    if (options_.death_timeout == absl::InfiniteDuration()) return;
    const absl::Duration lost =
        connection_.connected()
            ? absl::ZeroDuration()
            : absl::Nanoseconds(NowNanos() - connection_.lost_since_ns());
    if (lost >= options_.death_timeout) {
      LogError("no scheduler for ", absl::FormatDuration(lost),
               "; ending (--death-timeout)");
      supervisor_.KillAll(kExitFailed);
      return;
    }
    loop_.PostAfter(std::min(absl::Seconds(1), options_.death_timeout - lost),
                    [this] { WatchScheduler(); });
  }

  void SayReady() {
    const std::string connected =
        absl::StrCat(options_.num_processes, " worker processes with ",
                     options_.num_slots, " threads each are connected");
    LogInfo(connected);
    manager_.Status(connected);
    if (options_.ready_fd < 0) return;
    const std::string line = absl::StrCat(
        "{\"pid\":", getpid(), ",\"processes\":", options_.num_processes,
        ",\"threads\":", options_.num_slots, ",\"http\":\"", http_url_,
        "\"}\n");
    if (write(options_.ready_fd, line.data(), line.size()) < 0) {
      LogWarning("nobody reads --ready-fd");
    }
    close(options_.ready_fd);
  }

  v1::Hello MakeHello() override {
    v1::Hello hello;
    *hello.mutable_peer() = rpc::LocalPeer();
    hello.set_name(options_.name);
    hello.set_process_id(supervisor_.id());
    hello.set_supervisor_id(supervisor_.id());
    hello.set_memory_limit_bytes(options_.memory_limit);
    return hello;
  }

  v1::Heartbeat MakeHeartbeat() override {
    v1::Heartbeat heartbeat;
    heartbeat.set_memory_bytes(ResidentBytes(getpid()));
    return heartbeat;
  }

  void Tell(const Death& death) {
    ++processes_died_;
    deaths_.push_back(death);
    if (connection_.connected()) SendDeath(death);
  }

  void SendDeath(const Death& death) {
    v1::WorkerMessage message;
    v1::ProcessDied* const died = message.mutable_process_died();
    died->set_process_id(death.process_id);
    died->set_cause(death.cause);
    for (const RunningTask& running : death.running) {
      *died->add_running() = ToProto(running, death.time_ns);
    }
    died->set_running_known(true);
    connection_.Send(std::move(message));
  }

  void OnWelcome(const v1::Welcome& /*welcome*/) override {
    // Whether the last ones arrived is not known; twice does not matter.
    while (!deaths_.empty() &&
           NowNanos() - deaths_.front().time_ns > kRememberDeathNs) {
      deaths_.pop_front();
    }
    for (const Death& death : deaths_) SendDeath(death);
  }

  void OnMessage(const v1::SchedulerMessage& message) override {
    if (message.has_drain()) supervisor_.Drain(message.drain().reason());
  }

  void OnAck(uint64_t /*sequence*/) override {}
  void OnLost() override {}

  void OnRefused(const absl::Status& status) override {
    LogError("the scheduler refuses this worker: ", status.message());
    supervisor_.KillAll(kExitFailed);
  }

  void Finish(int exit_code) {
    exit_code_ = exit_code;
    // A report of the last death is on its way.
    connection_.Close([this] { loop_.Stop(); });
  }

  const WorkerOptions options_;
  const ServiceManager manager_ = ServiceManager::FromEnvironment();
  EventLoop loop_;
  Connection connection_;
  Supervisor supervisor_;
  std::deque<Death> deaths_;
  uint64_t processes_died_ = 0;
  // Empty: none.
  std::string http_url_;
  bool signalled_ = false;
  int exit_code_ = kExitFailed;
};

}  // namespace

int RunDaemon(const WorkerOptions& options) {
  const int64_t share = options.memory_limit / options.num_processes;
  if (options.memory_limit > 0 && share < int64_t{32} << 20) {
    LogError("a memory limit of ", FormatBytes(options.memory_limit), " for ",
             options.num_processes,
             " processes leaves less than 32 MiB for each");
    return kExitWrongUse;
  }
  // What its processes would end of, each for itself. Libraries are loaded by
  // them alone.
  absl::Status status = DataRoots::Create(options.data_roots).status();
  status.Update(CheckFolders("function path", options.function_path));
  status.Update(CheckFolders("HDF5 plugin path", options.hdf5_plugins));
  absl::StatusOr<std::shared_ptr<const rpc::Credentials>> credentials =
      rpc::Credentials::Create(options.security);
  status.Update(credentials.status());
  if (status.ok() && !options.scheduler.empty()) {
    status = (*credentials)->CheckAddress(options.scheduler);
  }
  if (!status.ok()) {
    LogError(status.message());
    return kExitWrongUse;
  }
  Daemon daemon(options, *std::move(credentials));
  return daemon.Run();
}

}  // namespace internode::worker
