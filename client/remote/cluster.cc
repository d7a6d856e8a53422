#include "internode/cluster.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/remote/connection.h"
#include "client/remote/local_cluster.h"
#include "client/remote/remote_executor.h"
#include "client/remote/scheduler_address.h"
#include "client/remote/wire.h"
#include "internode/version.h"
#include "rpc/peer.h"

namespace internode {
namespace {

using client::CallLimits;
using client::Connection;
using Stub = Connection::Stub;

// A round number that only a slip of the pen exceeds.
constexpr int kMaxWorkers = 4096;

absl::StatusOr<v1::GetClusterResponse> AskCluster(Connection* connection,
                                                  const CallLimits& limits) {
  v1::GetClusterRequest request;
  *request.mutable_peer() = rpc::LocalPeer();
  v1::GetClusterResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(&Stub::PrepareAsyncGetCluster,
                                             request, &response, limits));
  return response;
}

absl::StatusOr<std::unique_ptr<Executor>> Connect(const SetupOptions& options) {
  Connection::Options connect;
  INTERNODE_ASSIGN_OR_RETURN(connect.address, client::AddressOf(options));
  connect.security = client::SecurityOf(options);
  connect.connect_timeout = absl::FromChrono(options.connect_timeout);
  connect.patience = absl::FromChrono(options.patience);
  client::RemoteExecutor::Parts parts;
  INTERNODE_ASSIGN_OR_RETURN(parts.connection,
                             Connection::Open(std::move(connect)));
  INTERNODE_ASSIGN_OR_RETURN(const v1::GetClusterResponse cluster,
                             AskCluster(parts.connection.get(), {}));
  parts.num_workers = static_cast<int>(cluster.workers());
  return std::make_unique<client::RemoteExecutor>(std::move(parts));
}

// Waits until all workers of a local cluster have joined it.
absl::Status AwaitWorkers(Connection* connection, int64_t cores) {
  CallLimits limits;
  limits.deadline = absl::Now() + absl::Seconds(20);
  while (true) {
    INTERNODE_ASSIGN_OR_RETURN(const v1::GetClusterResponse cluster,
                               AskCluster(connection, limits));
    if (cluster.cores() >= cores) return absl::OkStatus();
    INTERNODE_RETURN_IF_ERROR(connection->Interrupted(limits));
    connection->Pause(absl::Milliseconds(2));
  }
}

absl::Status CheckCount(absl::string_view what, int count) {
  if (count >= 1 && count <= kMaxWorkers) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "a local cluster has 1 to ", kMaxWorkers, " ", what, ", not ", count));
}

absl::StatusOr<std::unique_ptr<Executor>> StartLocally(
    const SetupOptions& options) {
  client::LocalCluster::Options local;
  local.num_workers =
      options.num_workers == 0 ? UsableCores() : options.num_workers;
  local.threads_per_worker = options.threads_per_worker;
  local.function_path = options.function_path;
  INTERNODE_RETURN_IF_ERROR(CheckCount("workers", local.num_workers));
  INTERNODE_RETURN_IF_ERROR(
      CheckCount("threads per worker", local.threads_per_worker));
  client::RemoteExecutor::Parts parts;
  parts.kind = ExecutorKind::kProcesses;
  INTERNODE_ASSIGN_OR_RETURN(parts.cluster, client::LocalCluster::Start(local));
  Connection::Options connect;
  connect.address = parts.cluster->address();
  connect.security.token_file = parts.cluster->token_file();
  connect.patience = absl::FromChrono(options.patience);
  connect.check = [cluster = parts.cluster] { return cluster->Check(); };
  INTERNODE_ASSIGN_OR_RETURN(parts.connection,
                             Connection::Open(std::move(connect)));
  parts.num_workers = local.num_workers;
  parts.function_path = options.function_path;
  INTERNODE_RETURN_IF_ERROR(
      AwaitWorkers(parts.connection.get(),
                   int64_t{local.num_workers} * local.threads_per_worker));
  return std::make_unique<client::RemoteExecutor>(std::move(parts));
}

std::string HostName() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0) return "unknown";
  return name;
}

ClusterStatus StatusOfProcess(const Executor& executor) {
  ClusterStatus status;
  status.host = HostName();
  status.version = std::string(Version());
  status.workers = 1;
  status.cores = executor.num_workers();
  status.memory_bytes =
      int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Executor>> SetupExecutor(
    const SetupOptions& options) {
  if (!options.address.empty() && !options.scheduler_file.empty()) {
    return absl::InvalidArgumentError(
        "a scheduler is named by its address or by its file, not by both");
  }
  if (options.address.empty() && options.scheduler_file.empty()) {
    return StartLocally(options);
  }
  if (!options.function_path.empty()) {
    return absl::InvalidArgumentError(
        "the function path is for a local cluster; workers that run already "
        "have their own: internode-worker --function-path");
  }
  return Connect(options);
}

absl::StatusOr<ClusterStatus> GetCluster(Executor* executor) {
  const std::shared_ptr<Connection> connection = executor->connection();
  if (connection == nullptr) return StatusOfProcess(*executor);
  INTERNODE_ASSIGN_OR_RETURN(const v1::GetClusterResponse response,
                             AskCluster(connection.get(), {}));
  ClusterStatus status;
  status.address = response.address();
  status.host = response.scheduler().host();
  status.version = response.scheduler().version();
  status.dashboard = response.dashboard();
  status.workers = response.workers();
  status.cores = response.cores();
  status.memory_bytes = response.memory_bytes();
  status.started_ns = response.started_ns();
  status.not_ready = response.not_ready();
  return status;
}

std::string SchedulerAddress(const Executor* executor) {
  const std::shared_ptr<Connection> connection = executor->connection();
  return connection == nullptr ? "" : connection->address();
}

absl::StatusOr<std::vector<std::string>> ExecutorInfo(
    Executor* executor, const ExecutorInfoOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(const ClusterStatus status, GetCluster(executor));
  const auto or_none = [](const std::string& text) {
    return text.empty() ? "none" : text;
  };
  std::vector<std::string> lines;
  if (options.ip) {
    lines.push_back(absl::StrCat("Scheduler: ", or_none(status.address)));
    lines.push_back(absl::StrCat("Host: ", or_none(status.host)));
  }
  if (options.dashboard) {
    lines.push_back(absl::StrCat("Dashboard: ", or_none(status.dashboard)));
  }
  if (options.stats) {
    const bool unlimited = status.memory_bytes == 0 && status.workers > 0;
    lines.push_back(absl::StrCat("Workers: ", status.workers));
    lines.push_back(absl::StrCat("Cores: ", status.cores));
    lines.push_back(
        absl::StrCat("Memory: ", unlimited ? "unlimited"
                                           : FormatBytes(status.memory_bytes)));
  }
  return lines;
}

absl::StatusOr<std::vector<WorkerStatus>> ListWorkers(Executor* executor) {
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<Connection> connection,
                             client::ConnectionOf(executor, "listing workers"));
  v1::ListWorkersResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(
      &Stub::PrepareAsyncListWorkers, v1::ListWorkersRequest(), &response));
  std::vector<WorkerStatus> workers;
  workers.reserve(static_cast<size_t>(response.workers_size()));
  for (const v1::WorkerInfo& info : response.workers()) {
    workers.push_back({info.id(), info.name(), info.host(), info.pid(),
                       info.state(), info.cores(), info.memory_limit_bytes(),
                       info.memory_bytes(), info.tasks_done(),
                       info.tasks_leased(), info.joined_ns(), info.heard_ns()});
  }
  return workers;
}

absl::Status DrainWorker(Executor* executor, const std::string& worker_id) {
  INTERNODE_ASSIGN_OR_RETURN(
      const std::shared_ptr<Connection> connection,
      client::ConnectionOf(executor, "draining a worker"));
  v1::DrainWorkerRequest request;
  request.set_worker_id(worker_id);
  v1::DrainWorkerResponse response;
  return connection->Call(&Stub::PrepareAsyncDrainWorker, request, &response);
}

std::vector<int64_t> LocalClusterPids(const Executor& executor) {
  return executor.pids();
}

}  // namespace internode
