#include "scheduler/daemon.h"

#include <grpc/support/log.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/service_manager.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "rpc/credentials.h"
#include "rpc/server.h"
#include "scheduler/access/attempt_budget.h"
#include "scheduler/access/gate.h"
#include "scheduler/access/token_book.h"
#include "scheduler/announcement.h"
#include "scheduler/engine/engine.h"
#include "scheduler/exposure.h"
#include "scheduler/http/http_server.h"
#include "scheduler/journal/sqlite_journal.h"
#include "scheduler/rpc/client_service.h"
#include "scheduler/rpc/worker_service.h"
#include "scheduler/spool/spool.h"
#include "scheduler/spool/state_lock.h"

namespace internode::scheduler {
namespace {

// Connections are cut so long after all calls on them were ended: clients that
// are idle need not notice.
constexpr absl::Duration kStopGrace = absl::Seconds(1);
// Longer, and the service manager may lose its patience: results that have come
// are being written to a slow disk.
constexpr absl::Duration kStopMost = absl::Minutes(1);
// Memory that is held besides what is in use, programs and libraries included,
// and how often it is looked at.
constexpr int64_t kKeptMemoryBytes = int64_t{64} << 20;
constexpr absl::Duration kMemoryInterval = absl::Seconds(5);
constexpr char kParentEnded[] = "the end of its parent";

// What gRPC complains of, at a limited rate: whoever connects and does not
// speak TLS is worth a line to it.
class GrpcLog {
 public:
  void Tell(absl::string_view message) {
    int64_t denied = 0;
    {
      MutexLock lock(&mu_);
      if (!budget_.Take(absl::Now())) return;
      denied = budget_.TakeDenied();
    }
    LogWarning("grpc: ", message,
               denied == 0 ? ""
                           : absl::StrCat("; and ", denied,
                                          " lines since the last one"));
  }

 private:
  Mutex mu_;
  AttemptBudget budget_ ABSL_GUARDED_BY(mu_){20, absl::Seconds(3)};
};

void LogOfGrpc(gpr_log_func_args* args) {
  // gRPC takes a function, and nothing besides.
  static GrpcLog log;
  if (args->severity == GPR_LOG_SEVERITY_ERROR) {
    log.Tell(args->message);
  } else {
    LogDebug("grpc: ", args->message);
  }
}

// The signals that stop the daemon, as a descriptor that can be read when one
// has come.
class StopSignals {
 public:
  absl::Status Block() {
    // A peer that is gone is an error of a write, not the end.
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0) {
      fd_ = signalfd(-1, &signals, SFD_CLOEXEC);
    }
    return fd_ >= 0 ? absl::OkStatus()
                    : absl::InternalError("cannot wait for signals");
  }
  ~StopSignals() {
    if (fd_ >= 0) close(fd_);
  }

  // Waits for a signal, or for the end of `lifeline`, unless that is -1;
  // returns what it was. Calls `meanwhile` every `interval` (finite).
  std::string Wait(int lifeline, absl::Duration interval,
                   const std::function<void()>& meanwhile) const {
    std::array<pollfd, 2> waits = {pollfd{fd_, POLLIN, 0},
                                   pollfd{lifeline, POLLIN, 0}};
    const int timeout = static_cast<int>(absl::ToInt64Milliseconds(interval));
    while (true) {
      const int come = poll(waits.data(), waits.size(), timeout);
      if (come == 0) meanwhile();
      if (come <= 0) continue;
      if (waits[0].revents != 0) {
        signalfd_siginfo info{};
        const ssize_t size = read(fd_, &info, sizeof(info));
        return size == sizeof(info) && info.ssi_signo == SIGINT ? "SIGINT"
                                                                : "SIGTERM";
      }
      std::array<char, 64> ignored{};
      const ssize_t size = waits[1].revents == 0
                               ? 1
                               : read(lifeline, ignored.data(), ignored.size());
      if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN)) {
        return kParentEnded;
      }
    }
  }

 private:
  int fd_ = -1;
};

// Creates the folder and those above it.
absl::Status CreateStateDir(const std::string& path) {
  FileSystem* const files = PosixFileSystem();
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    absl::Status created = files->CreateFolder(parent);
    // What is there may lie in a folder that cannot be written.
    if (created.ok() || absl::IsAlreadyExists(created)) continue;
    if (access(parent.c_str(), F_OK) != 0) return created;
  }
  return EnsureFolder(files, path);
}

// What a daemon is made of, in the order in which it is destroyed backwards.
struct Parts {
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<TokenBook> tokens;
  std::unique_ptr<Gate> gate;
  std::unique_ptr<rpc::BufferQuota> buffers;
  std::unique_ptr<ClientServiceImpl> clients;
  std::unique_ptr<WorkerServiceImpl> workers;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<HttpServer> http;
  SchedulerFile file;
};

absl::Status OpenState(const Config& config, Parts* parts) {
  INTERNODE_RETURN_IF_ERROR(CreateStateDir(config.state_dir));
  INTERNODE_ASSIGN_OR_RETURN(parts->lock,
                             LockStateDir(PosixFileSystem(), config.state_dir));
  INTERNODE_ASSIGN_OR_RETURN(
      parts->journal,
      SqliteJournal::Open(absl::StrCat(config.state_dir, "/journal.db"),
                          {.sync = config.durability == Durability::kFsync}));
  INTERNODE_ASSIGN_OR_RETURN(
      parts->spool,
      Spool::Open(PosixFileSystem(), absl::StrCat(config.state_dir, "/spool"),
                  {.durability = config.durability,
                   .reserve_bytes = config.reserve_bytes}));
  EngineOptions options;
  options.worker_timeout = config.worker_timeout;
  options.heartbeat_interval = config.heartbeat_interval;
  options.retain = config.retain;
  options.task_timeout = config.task_timeout;
  options.most_active_jobs_of_owner = config.max_jobs;
  options.most_tasks = config.max_tasks;
  options.most_spool_bytes_of_job = config.max_job_spool;
  options.most_spool_bytes_of_owner = config.max_client_spool;
  INTERNODE_ASSIGN_OR_RETURN(
      parts->engine, Engine::Open(options, RealClock(), parts->journal.get(),
                                  parts->spool.get()));
  return absl::OkStatus();
}

absl::Status OpenGate(const Config& config, Parts* parts) {
  GateOptions options;
  if (!config.tokens.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(parts->tokens, TokenBook::Open(config.tokens));
    options.tokens = parts->tokens.get();
  }
  options.certificates = !config.tls_client_ca.empty();
  parts->gate = std::make_unique<Gate>(options);
  return absl::OkStatus();
}

absl::Status Serve(const Config& config, Parts* parts) {
  Gate* const gate = parts->gate.get();
  parts->clients =
      std::make_unique<ClientServiceImpl>(parts->engine.get(), gate);
  parts->buffers = std::make_unique<rpc::BufferQuota>(config.buffer_bytes);
  parts->workers = std::make_unique<WorkerServiceImpl>(
      parts->engine.get(), gate, parts->buffers.get());
  rpc::ServerOptions server;
  server.host = config.listen_host;
  server.port = config.listen_port;
  server.reflection = config.reflection;
  server.buffers = parts->buffers.get();
  server.max_streams = static_cast<int>(config.max_streams);
  server.max_message_bytes = static_cast<int>(config.max_message_bytes);
  INTERNODE_ASSIGN_OR_RETURN(
      server.credentials,
      rpc::NewServerCredentials(
          {.tls = {.ca = config.tls_client_ca,
                   .certificate = config.tls_cert,
                   .key = config.tls_key},
           // Without one there are tokens.
           .client_certificate_required = config.tokens.empty()},
          gate->guard()));
  INTERNODE_ASSIGN_OR_RETURN(
      parts->server,
      rpc::Server::Start(server, {parts->clients.get(), parts->workers.get()}));
  parts->engine->Start();
  std::string url;
  if (config.http) {
    HttpOptions http;
    http.host = config.http_host;
    http.port = config.http_port;
    http.names = config.http_names;
    if (HttpsServed(config)) {
      http.tls = {
          .ca = "", .certificate = config.tls_cert, .key = config.tls_key};
    }
    http.gate = gate;
    http.asks_readers = AsksReaders(config);
    http.open_to_strangers = OpenToStrangers(config);
    INTERNODE_ASSIGN_OR_RETURN(parts->http,
                               HttpServer::Start(http, parts->engine.get()));
    url = parts->http->url();
  }
  parts->engine->SetAddresses(parts->server->address(),
                              url.empty() ? "" : absl::StrCat(url, "/status"));
  const std::string line = FormatAnnouncement(parts->server->address(), url);
  if (!config.scheduler_file.empty()) {
    INTERNODE_RETURN_IF_ERROR(parts->file.Write(config.scheduler_file, line));
  }
  if (config.ready_fd >= 0) {
    INTERNODE_RETURN_IF_ERROR(WriteAndClose(config.ready_fd, line));
  }
  return absl::OkStatus();
}

// Tells the service manager that the engine's strand goes on, which must not
// be said by anything else.
class Heart {
 public:
  Heart(const ServiceManager* manager, Engine* engine)
      : manager_(manager), engine_(engine) {}

  // One question at a time: an engine that hangs is not asked again.
  void Beat() {
    if (asked_->exchange(true)) return;
    engine_->GetCluster([asked = asked_, manager = *manager_](
                            const absl::StatusOr<v1::GetClusterResponse>&) {
      manager.Alive();
      *asked = false;
    });
  }

 private:
  const ServiceManager* const manager_;
  Engine* const engine_;
  const std::shared_ptr<std::atomic<bool>> asked_ =
      std::make_shared<std::atomic<bool>>(false);
};

}  // namespace

absl::Status RunDaemon(const Config& config) {
  StopSignals signals;
  INTERNODE_RETURN_IF_ERROR(signals.Block());
  gpr_set_log_function(&LogOfGrpc);
  const absl::Time begin = absl::Now();
  Parts parts;
  INTERNODE_RETURN_IF_ERROR(OpenGate(config, &parts));
  INTERNODE_RETURN_IF_ERROR(OpenState(config, &parts));
  INTERNODE_RETURN_IF_ERROR(Serve(config, &parts));
  LogInfo("internode-scheduler ", Version(), " listens on ",
          parts.server->address(), ", state in ", config.state_dir,
          parts.http == nullptr ? "" : absl::StrCat(", ", parts.http->url()),
          ", ready after ", absl::FormatDuration(absl::Now() - begin));
  if (OpenToStrangers(config)) {
    LogWarning(
        "--insecure: whoever can connect may read and write all jobs, and let "
        "the workers read files");
  }
  const ServiceManager manager = ServiceManager::FromEnvironment();
  manager.Ready(absl::StrCat("listens on ", parts.server->address()));
  Heart heart(&manager, parts.engine.get());
  const bool watched = manager.AliveEvery() != absl::InfiniteDuration();
  const std::string why = signals.Wait(
      config.lifeline_fd, std::min(manager.AliveEvery(), kMemoryInterval),
      [&heart, watched] {
        if (watched) heart.Beat();
        ReturnFreedMemory(kKeptMemoryBytes);
      });
  LogInfo("stopping: ", why);
  manager.Stopping(kStopMost);
  parts.server->SetServing(false);
  parts.engine->Stop();
  // Nobody waits for what a scheduler without a parent has to say.
  const bool orphaned = why == kParentEnded;
  parts.server->Stop(absl::Now() +
                     (orphaned ? absl::ZeroDuration() : kStopGrace));
  LogInfo("stopped");
  return absl::OkStatus();
}

}  // namespace internode::scheduler
