#include "internode/executor.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "client/job_tasks.h"
#include "client/run_ordered.h"
#include "internode/cluster.h"
#include "internode/job.h"

namespace internode {
namespace {

// An upper bound that only a slip of the pen exceeds.
constexpr int kMaxThreads = 4096;

// Runs everything in this process.
class InProcessExecutor final : public Executor {
 public:
  InProcessExecutor(ExecutorKind kind, int num_threads)
      : kind_(kind), num_threads_(num_threads) {}

  ExecutorKind kind() const override { return kind_; }
  int num_workers() const override { return num_threads_; }

  absl::Status RunJob(const Job& job, const RunOptions& options,
                      JobSink* sink) override {
    client::JobTasks tasks(job, sink);
    return RunTasks(&tasks, options);
  }

  absl::Status RunTasks(TaskList* tasks, const RunOptions& options) override {
    return client::RunOrdered(tasks, options, num_threads_);
  }

 private:
  const ExecutorKind kind_;
  const int num_threads_;
};

absl::StatusOr<int> ParseWorkers(absl::string_view kind,
                                 const std::string& value) {
  int workers = 0;
  if (!absl::SimpleAtoi(value, &workers) || workers < 1 ||
      workers > kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("executor ", kind, " takes a number of workers from 1 to ",
                     kMaxThreads, ", not '", value, "'"));
  }
  return workers;
}

}  // namespace

absl::string_view ExecutorKindName(ExecutorKind kind) {
  switch (kind) {
    case ExecutorKind::kSync:
      return "sync";
    case ExecutorKind::kThreads:
      return "threads";
    case ExecutorKind::kProcesses:
      return "processes";
    case ExecutorKind::kDistributed:
      return "distributed";
  }
  return "unknown";
}

absl::StatusOr<ExecutorKind> ParseExecutorKind(absl::string_view name) {
  if (name == "sync" || name == "single-threaded" || name == "synchronous") {
    return ExecutorKind::kSync;
  }
  if (name == "threads") return ExecutorKind::kThreads;
  if (name == "processes") return ExecutorKind::kProcesses;
  if (name == "distributed") return ExecutorKind::kDistributed;
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no executor '", name, "'; ",
      WhatExists("there are", name,
                 {"sync", "threads", "processes", "distributed"})));
}

absl::StatusOr<Job> Executor::OpenJob(const JobOptions& options) {
  return Job::Open(options);
}

absl::Status Executor::Close(std::chrono::milliseconds) {
  return absl::OkStatus();
}

std::shared_ptr<client::Connection> Executor::connection() const {
  return nullptr;
}

std::vector<int64_t> Executor::pids() const { return {}; }

std::unique_ptr<Executor> Executor::Sync() {
  return std::make_unique<InProcessExecutor>(ExecutorKind::kSync, 1);
}

std::unique_ptr<Executor> Executor::Threads(int num_threads) {
  return std::make_unique<InProcessExecutor>(
      ExecutorKind::kThreads, std::clamp(num_threads, 1, kMaxThreads));
}

absl::StatusOr<std::unique_ptr<Executor>> MakeExecutor(
    absl::string_view kind_name, const std::optional<std::string>& value) {
  INTERNODE_ASSIGN_OR_RETURN(const ExecutorKind kind,
                             ParseExecutorKind(kind_name));
  switch (kind) {
    case ExecutorKind::kSync:
      if (value.has_value()) {
        INTERNODE_ASSIGN_OR_RETURN(const int workers,
                                   ParseWorkers(kind_name, *value));
        if (workers != 1) {
          return absl::InvalidArgumentError(
              absl::StrCat("executor sync has one worker, not ", workers,
                           "; executor threads has as many as you say"));
        }
      }
      return Executor::Sync();
    case ExecutorKind::kThreads: {
      int workers = UsableCores();
      if (value.has_value()) {
        INTERNODE_ASSIGN_OR_RETURN(workers, ParseWorkers(kind_name, *value));
      }
      return Executor::Threads(workers);
    }
    case ExecutorKind::kProcesses:
    case ExecutorKind::kDistributed:
      break;
  }
  SetupOptions setup;
  int64_t number = 0;
  if (value.has_value()) {
    if (kind == ExecutorKind::kDistributed && !value->empty() &&
        !absl::SimpleAtoi(*value, &number)) {
      setup.address = *value;
    } else {
      INTERNODE_ASSIGN_OR_RETURN(setup.num_workers,
                                 ParseWorkers(kind_name, *value));
    }
  }
  return SetupExecutor(setup);
}

}  // namespace internode
