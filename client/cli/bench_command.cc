#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/process_stats.h"
#include "client/cli/scheduler_options.h"
#include "internode/cluster.h"
#include "internode/job_handle.h"

// Measures a cluster with jobs that read nothing: function noop on a shape.

namespace internode::cli {
namespace {

struct BenchArguments {
  ExecutorOptions executor;
  int64_t tasks = 1'000'000;
  int64_t submit_tasks = 10'000'000;
  int64_t rounds = 1000;
  int64_t mebibytes = 1024;
  int64_t repeat = 1;
};

// What was started, and how long that took.
struct BenchCluster {
  std::unique_ptr<Executor> executor;
  double start_ms = 0;
};

absl::StatusOr<BenchCluster> StartCluster(const BenchArguments& arguments) {
  ExecutorOptions options = arguments.executor;
  if (!options.connects() && !options.nprocs.has_value() &&
      options.executor.empty()) {
    options.nprocs = UsableCores();
  }
  const absl::Time start = absl::Now();
  BenchCluster cluster;
  INTERNODE_ASSIGN_OR_RETURN(cluster.executor, MakeExecutor(options));
  cluster.start_ms = absl::ToDoubleMilliseconds(absl::Now() - start);
  if (cluster.executor->connection() == nullptr) {
    return absl::InvalidArgumentError(
        "bench measures a scheduler and its workers; use --nprocs N or "
        "--scheduler HOST:PORT");
  }
  return cluster;
}

class CountingSink : public JobSink {
 public:
  absl::Status OnChunk(const ChunkResult& result) override {
    ++chunks;
    records += result.num_records();
    bytes += static_cast<int64_t>(result.bytes().size());
    failed += result.error().ok() ? 0 : 1;
    return absl::OkStatus();
  }

  int64_t chunks = 0;
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t failed = 0;
};

JobOptions BenchJob(int64_t pixels, ChunkChoice chunks, int64_t records) {
  JobOptions job;
  job.function = "noop";
  job.parameters = {{"records", absl::StrCat(records)}};
  job.shape = {{"task", pixels}};
  job.cube.chunks = std::move(chunks);
  return job;
}

// Submits, fetches everything, and returns the seconds that this took.
absl::StatusOr<double> TimeJob(Executor* executor, const Job& job,
                               CountingSink* sink) {
  const absl::Time start = absl::Now();
  INTERNODE_ASSIGN_OR_RETURN(const JobHandle handle, Submit(executor, job));
  INTERNODE_RETURN_IF_ERROR(handle.Fetch(sink).status());
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  INTERNODE_RETURN_IF_ERROR(handle.Wait().status());
  INTERNODE_RETURN_IF_ERROR(handle.Forget());
  if (sink->failed > 0) {
    return absl::InternalError(
        absl::StrCat(sink->failed, " tasks of the benchmark failed"));
  }
  return seconds;
}

std::vector<ProcessStats> Processes(const Executor& executor) {
  std::vector<int64_t> roots = LocalClusterPids(executor);
  roots.push_back(getpid());
  return ReadProcessTree(roots);
}

// CPU seconds of each process between two readings.
Json CpuJson(const std::vector<ProcessStats>& before,
             const std::vector<ProcessStats>& after) {
  Json list = Json::array();
  for (const ProcessStats& process : after) {
    double cpu = process.cpu_seconds;
    for (const ProcessStats& earlier : before) {
      if (earlier.pid == process.pid) cpu -= earlier.cpu_seconds;
    }
    list.push_back({{"pid", process.pid},
                    {"name", process.name},
                    {"cpu_s", cpu},
                    {"rss_bytes", process.rss_bytes}});
  }
  return list;
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double last = static_cast<double>(values.size() - 1);
  return values[static_cast<size_t>(std::lround(q * last))];
}

Json ClusterJson(const BenchCluster& cluster, Executor* executor) {
  const absl::StatusOr<ClusterStatus> status = GetCluster(executor);
  Json json = {{"scheduler", SchedulerAddress(executor)},
               {"start_ms", cluster.start_ms}};
  if (status.ok()) {
    json["workers"] = status->workers;
    json["cores"] = status->cores;
  }
  return json;
}

// The scheduler's memory; 0 when it is not a child of ours.
int64_t SchedulerRss(const Executor& executor) {
  const std::vector<int64_t> pids = LocalClusterPids(executor);
  for (const ProcessStats& process : ReadProcessTree(pids)) {
    if (process.pid == pids.front()) return process.rss_bytes;
  }
  return 0;
}

// How long one message for many tasks takes, and what it costs.
absl::StatusOr<Json> MeasureSubmit(Executor* executor, int64_t tasks) {
  INTERNODE_ASSIGN_OR_RETURN(const Job job,
                             executor->OpenJob(BenchJob(tasks, NoChunks(), 1)));
  const int64_t before = SchedulerRss(*executor);
  const absl::Time start = absl::Now();
  INTERNODE_ASSIGN_OR_RETURN(const JobHandle handle, Submit(executor, job));
  const double ms = absl::ToDoubleMilliseconds(absl::Now() - start);
  const int64_t after = SchedulerRss(*executor);
  INTERNODE_RETURN_IF_ERROR(handle.Cancel("measured").status());
  INTERNODE_RETURN_IF_ERROR(handle.Forget());
  Json json = {{"tasks", tasks}, {"ms", ms}};
  if (before > 0) json["scheduler_rss_growth_bytes"] = after - before;
  return json;
}

absl::StatusOr<Json> BenchTasks(const BenchArguments& arguments,
                                const BenchCluster& cluster) {
  Executor* const executor = cluster.executor.get();
  INTERNODE_ASSIGN_OR_RETURN(
      const Job warm_up, executor->OpenJob(BenchJob(10'000, NoChunks(), 1)));
  CountingSink dropped;
  INTERNODE_RETURN_IF_ERROR(TimeJob(executor, warm_up, &dropped).status());
  INTERNODE_ASSIGN_OR_RETURN(
      const Job job,
      executor->OpenJob(BenchJob(arguments.tasks, NoChunks(), 1)));
  std::vector<double> seconds;
  const std::vector<ProcessStats> before = Processes(*executor);
  for (int64_t run = 0; run < arguments.repeat; ++run) {
    CountingSink sink;
    INTERNODE_ASSIGN_OR_RETURN(const double taken,
                               TimeJob(executor, job, &sink));
    seconds.push_back(taken);
  }
  const std::vector<ProcessStats> after = Processes(*executor);
  const double median = Quantile(seconds, 0.5);
  const auto tasks = static_cast<double>(arguments.tasks);
  Json json = {{"schema", 1},
               {"bench", "tasks"},
               {"cluster", ClusterJson(cluster, executor)},
               {"tasks", arguments.tasks},
               {"seconds", seconds},
               {"tasks_per_s", tasks / median},
               {"us_per_task", median / tasks * 1e6},
               {"processes", CpuJson(before, after)}};
  if (arguments.submit_tasks > 0) {
    INTERNODE_ASSIGN_OR_RETURN(json["submit"],
                               MeasureSubmit(executor, arguments.submit_tasks));
  }
  return json;
}

absl::StatusOr<Json> BenchLatency(const BenchArguments& arguments,
                                  const BenchCluster& cluster) {
  Executor* const executor = cluster.executor.get();
  INTERNODE_ASSIGN_OR_RETURN(const Job job,
                             executor->OpenJob(BenchJob(1, NoChunks(), 1)));
  std::vector<double> ms;
  // The first ones warm the workers up.
  constexpr int64_t kWarmUp = 20;
  const std::vector<ProcessStats> before = Processes(*executor);
  for (int64_t round = -kWarmUp; round < arguments.rounds; ++round) {
    CountingSink sink;
    INTERNODE_ASSIGN_OR_RETURN(const double seconds,
                               TimeJob(executor, job, &sink));
    if (round >= 0) ms.push_back(seconds * 1e3);
  }
  const std::vector<ProcessStats> after = Processes(*executor);
  return Json{{"schema", 1},
              {"bench", "latency"},
              {"cluster", ClusterJson(cluster, executor)},
              {"rounds", arguments.rounds},
              {"p50_ms", Quantile(ms, 0.5)},
              {"p90_ms", Quantile(ms, 0.9)},
              {"p99_ms", Quantile(ms, 0.99)},
              {"min_ms", Quantile(ms, 0)},
              {"max_ms", Quantile(ms, 1)},
              {"processes", CpuJson(before, after)}};
}

absl::StatusOr<Json> BenchSpool(const BenchArguments& arguments,
                                const BenchCluster& cluster) {
  Executor* const executor = cluster.executor.get();
  // 1,024 pixels of 64 records of 4 bytes are a task of 256 KiB.
  constexpr int64_t kPixels = 1024;
  constexpr int64_t kRecords = 64;
  INTERNODE_ASSIGN_OR_RETURN(
      const Job job,
      executor->OpenJob(
          BenchJob(arguments.mebibytes * 4 * kPixels, kPixels, kRecords)));
  std::vector<double> seconds;
  int64_t bytes = 0;
  const std::vector<ProcessStats> before = Processes(*executor);
  for (int64_t run = 0; run < arguments.repeat; ++run) {
    CountingSink sink;
    INTERNODE_ASSIGN_OR_RETURN(const double taken,
                               TimeJob(executor, job, &sink));
    seconds.push_back(taken);
    bytes = sink.bytes;
  }
  const std::vector<ProcessStats> after = Processes(*executor);
  return Json{
      {"schema", 1},
      {"bench", "spool"},
      {"cluster", ClusterJson(cluster, executor)},
      {"bytes", bytes},
      {"seconds", seconds},
      {"mb_per_s", static_cast<double>(bytes) / Quantile(seconds, 0.5) / 1e6},
      {"processes", CpuJson(before, after)}};
}

using Bench = absl::StatusOr<Json> (*)(const BenchArguments&,
                                       const BenchCluster&);

absl::StatusOr<int> RunBench(const BenchArguments& arguments, Bench bench) {
  INTERNODE_ASSIGN_OR_RETURN(const BenchCluster cluster,
                             StartCluster(arguments));
  const absl::StatusOr<Json> result = bench(arguments, cluster);
  CloseExecutor(cluster.executor.get());
  if (!result.ok()) return result.status();
  PrintJson(*result);
  return 0;
}

CLI::App* AddBench(CLI::App* group, CommandLine* line,
                   const std::shared_ptr<BenchArguments>& arguments,
                   const std::string& name, const std::string& summary,
                   Bench bench) {
  CLI::App* command =
      AddCommand(group, line, name, summary,
                 absl::StrCat("  internode bench ", name, " --nprocs 2"));
  AddExecutorOptions(command, &arguments->executor);
  command->callback([arguments, line, bench] {
    line->action = [arguments, bench] { return RunBench(*arguments, bench); };
  });
  return command;
}

}  // namespace

void AddBenchCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group = AddCommand(
      root, line, "bench", "Measure reading, or a scheduler and its workers",
      "  internode bench tasks --nprocs 2\n"
      "Prints JSON. Without options: a local cluster on all cores.");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<BenchArguments>();
  const auto at_least_one = CLI::Range(int64_t{1}, int64_t{1} << 40);
  CLI::App* tasks = AddBench(
      group, line, arguments, "tasks",
      "Tasks that do nothing, of one record each, per second", BenchTasks);
  tasks->add_option("--tasks", arguments->tasks, "Of one run")
      ->check(at_least_one)
      ->type_name("N");
  tasks
      ->add_option("--submit-tasks", arguments->submit_tasks,
                   "Tasks of the job whose submission is measured; 0: none")
      ->type_name("N");
  CLI::App* latency =
      AddBench(group, line, arguments, "latency",
               "From a task's submission to its result", BenchLatency);
  latency->add_option("--rounds", arguments->rounds, "How often")
      ->check(at_least_one)
      ->type_name("N");
  CLI::App* spool =
      AddBench(group, line, arguments, "spool",
               "Results through the scheduler, in MB/s", BenchSpool);
  spool->add_option("--mib", arguments->mebibytes, "MiB of results")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24))
      ->type_name("N");
  for (CLI::App* command : {tasks, spool}) {
    command
        ->add_option("--repeat", arguments->repeat,
                     "Runs, of which the median counts")
        ->check(CLI::Range(1, 1000))
        ->type_name("N");
  }
  AddBenchReadCommand(group, line);
}

}  // namespace internode::cli
