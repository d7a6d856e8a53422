#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/launch_options.h"
#include "client/cli/scheduler_options.h"
#include "client/launch/adapter.h"
#include "client/launch/run_program.h"
#include "client/launch/slurm_queue.h"
#include "client/launch/slurm_script.h"
#include "client/launch/slurm_time.h"
#include "client/remote/local_cluster.h"
#include "internode/cluster.h"
#include "internode/job_handle.h"

namespace internode::cli {
namespace {

using launch::AdaptRule;
using launch::AdaptStep;
using launch::SlurmJob;
using launch::SlurmJobSpec;

// Slurm's controller may be busy; longer, and something is wrong.
constexpr absl::Duration kSlurmTimeout = absl::Minutes(1);

absl::Status WrongValue(absl::string_view flag, absl::string_view value,
                        absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " '", value, "': ", why));
}

absl::StatusOr<absl::Duration> Duration(absl::string_view flag,
                                        const std::string& text) {
  const absl::StatusOr<absl::Duration> parsed = ParseDuration(text);
  if (!parsed.ok()) return WrongValue(flag, text, parsed.status().message());
  return *parsed;
}

// As sbatch takes it, or with units, `2h`. Slurm counts in minutes.
absl::StatusOr<absl::Duration> WallTime(const std::string& text) {
  absl::StatusOr<absl::Duration> time = launch::ParseSlurmTime(text);
  if (!time.ok()) {
    if (const auto other = ParseDuration(text); other.ok()) time = other;
  }
  if (!time.ok())
    return WrongValue("--walltime", text, time.status().message());
  if (*time < absl::Minutes(1)) {
    return WrongValue("--walltime", text, "it is at least a minute");
  }
  return *time;
}

absl::StatusOr<AdaptRule> Rule(const SlurmArguments& arguments) {
  AdaptRule rule;
  const std::vector<std::string> bounds = absl::StrSplit(arguments.adapt, ':');
  if (bounds.size() != 2 || !absl::SimpleAtoi(bounds[0], &rule.least) ||
      !absl::SimpleAtoi(bounds[1], &rule.most) || rule.least < 0 ||
      rule.most < 1 || rule.most < rule.least || rule.most > 10'000) {
    return WrongValue("--adapt", arguments.adapt,
                      "write MIN:MAX, for example 0:20; MAX is 1 to 10000");
  }
  rule.tasks_per_worker = arguments.spec.cpus;
  rule.lead = std::min(rule.lead, arguments.spec.walltime / 4);
  INTERNODE_ASSIGN_OR_RETURN(
      rule.idle_timeout, Duration("--idle-timeout", arguments.idle_timeout));
  // Nobody remembers between two rounds how long there was no work.
  if (arguments.once) rule.idle_timeout = absl::ZeroDuration();
  return rule;
}

// A path that is the same on the nodes, whatever their working folder.
std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// Where this command has to say who it is, the workers have to, too; with what
// is their own, as nobody else's lets them take tasks.
absl::Status CheckIdentity(const SlurmArguments& arguments) {
  const ExecutorOptions& scheduler = arguments.scheduler;
  if (arguments.worker_tls_cert.empty() != arguments.worker_tls_key.empty()) {
    return absl::InvalidArgumentError(
        "--worker-tls-cert and --worker-tls-key go together");
  }
  if (!arguments.worker_tls_cert.empty() && scheduler.tls_ca.empty()) {
    return absl::InvalidArgumentError(
        "--worker-tls-cert needs --tls-ca: a certificate is shown by TLS");
  }
  const bool shows =
      !scheduler.token_file.empty() || !scheduler.tls_cert.empty();
  if (shows && arguments.worker_token_file.empty() &&
      arguments.worker_tls_cert.empty()) {
    return absl::InvalidArgumentError(
        "the scheduler asks who connects: name what the workers show, with "
        "--worker-token-file, or --worker-tls-cert and --worker-tls-key");
  }
  return absl::OkStatus();
}

absl::StatusOr<SlurmJobSpec> Spec(const SlurmArguments& arguments) {
  SlurmJobSpec spec = arguments.spec;
  const ExecutorOptions& scheduler = arguments.scheduler;
  if (scheduler.scheduler_file.empty() == scheduler.scheduler.empty()) {
    return absl::InvalidArgumentError(
        "say where the scheduler is: --scheduler-file FILE, on a file system "
        "that the nodes see, or --scheduler HOST:PORT");
  }
  std::vector<std::string>& words = spec.worker_arguments;
  const auto add = [&words](absl::string_view name, absl::string_view value) {
    words.push_back(absl::StrCat("--", name, "=", value));
  };
  std::string where = scheduler.scheduler;
  if (scheduler.scheduler_file.empty()) {
    words.push_back(where);
  } else {
    where = Absolute(scheduler.scheduler_file);
    add("scheduler-file", where);
  }
  if (spec.job_name.empty()) spec.job_name = launch::SlurmJobName(where);
  for (const std::string& root : arguments.data_roots) {
    add("data-root", Absolute(root));
  }
  for (const std::string& path : arguments.function_path) {
    add("function-path", Absolute(path));
  }
  for (const std::string& path : arguments.hdf5_plugins) {
    add("hdf5-plugins", Absolute(path));
  }
  INTERNODE_RETURN_IF_ERROR(CheckIdentity(arguments));
  // The workers trust whom this command trusts, and show what is theirs.
  for (const auto& [flag, file] :
       {std::pair("tls-ca", &scheduler.tls_ca),
        std::pair("tls-cert", &arguments.worker_tls_cert),
        std::pair("tls-key", &arguments.worker_tls_key),
        std::pair("token-file", &arguments.worker_token_file)}) {
    if (!file->empty()) add(flag, Absolute(*file));
  }
  if (!scheduler.tls_name.empty()) add("tls-name", scheduler.tls_name);
  for (const auto& [flag, value] :
       {std::pair("death-timeout", &arguments.death_timeout),
        std::pair("drain-timeout", &arguments.drain_timeout)}) {
    INTERNODE_RETURN_IF_ERROR(
        Duration(absl::StrCat("--", flag), *value).status());
    add(flag, *value);
  }
  if (!arguments.memory.empty()) {
    const absl::StatusOr<int64_t> bytes = ParseBytes(arguments.memory);
    if (!bytes.ok()) {
      return WrongValue("--mem", arguments.memory, bytes.status().message());
    }
    if (*bytes < int64_t{64} << 20) {
      return WrongValue("--mem", arguments.memory, "it is at least 64MiB");
    }
    spec.memory_bytes = *bytes;
  }
  if (!arguments.walltime.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(spec.walltime, WallTime(arguments.walltime));
  }
  if (!spec.log_dir.empty()) spec.log_dir = Absolute(spec.log_dir);
  if (spec.worker_program.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(spec.worker_program,
                               client::FindProgram("internode-worker"));
    spec.worker_program = Absolute(spec.worker_program);
  }
  return spec;
}

// Returns the id of the job, or array, that Slurm made of the script.
absl::StatusOr<std::string> Submit(const SlurmJobSpec& spec, int count) {
  INTERNODE_ASSIGN_OR_RETURN(const std::string script,
                             launch::SlurmScript(spec, count));
  INTERNODE_ASSIGN_OR_RETURN(
      const std::string said,
      launch::RunProgram({"sbatch", "--parsable"}, script, kSlurmTimeout));
  // "17" or "17;cluster".
  const std::string id(
      absl::StripAsciiWhitespace(said.substr(0, said.find(';'))));
  if (id.empty()) return absl::UnavailableError("sbatch gave no job id");
  return id;
}

// ---- Submitting once.

absl::StatusOr<int> SubmitAll(const SlurmJobSpec& spec, int count,
                              OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::string id, Submit(spec, count));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1},
               {"slurm_job", id},
               {"job_name", spec.job_name},
               {"workers", count}});
  } else if (format == OutputFormat::kQuiet) {
    std::printf("%s\n", id.c_str());
  } else {
    std::printf("submitted %d %s as Slurm job %s (%s)\n", count,
                count == 1 ? "worker" : "workers", id.c_str(),
                spec.job_name.c_str());
  }
  return 0;
}

// ---- Keeping up with the work.

struct Work {
  int64_t left = 0;
  int64_t done = 0;
};

absl::StatusOr<Work> AskScheduler(const ExecutorOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<Executor> executor,
                             MakeExecutor(options));
  const absl::StatusOr<std::vector<JobStatus>> jobs = ListJobs(executor.get());
  CloseExecutor(executor.get());
  if (!jobs.ok()) return jobs.status();
  Work work;
  for (const JobStatus& job : *jobs) {
    const int64_t done = job.tasks_done + job.tasks_failed;
    work.done += done;
    if (!job.ended()) work.left += job.tasks - done;
  }
  return work;
}

std::string UserName() {
  const passwd* const entry = getpwuid(geteuid());
  return entry == nullptr ? absl::StrCat(geteuid()) : entry->pw_name;
}

absl::StatusOr<std::vector<SlurmJob>> AskSlurm(const SlurmJobSpec& spec) {
  INTERNODE_ASSIGN_OR_RETURN(
      const std::string text,
      launch::RunProgram(launch::SqueueWords(spec.job_name, UserName()), "",
                         kSlurmTimeout));
  return launch::ParseSqueue(text);
}

absl::Status Carry(const AdaptStep& step, const SlurmJobSpec& spec) {
  if (!step.waits.empty()) LogWarning(step.waits);
  if (step.submit > 0) {
    INTERNODE_ASSIGN_OR_RETURN(const std::string id, Submit(spec, step.submit));
    LogInfo("submitted ", step.submit, " workers as Slurm job ", id);
  }
  const auto cancel = [](std::vector<std::string> words,
                         const std::vector<std::string>& ids) {
    words.insert(words.end(), ids.begin(), ids.end());
    return launch::RunProgram(words, "", kSlurmTimeout).status();
  };
  if (!step.cancel.empty()) {
    INTERNODE_RETURN_IF_ERROR(
        cancel({"scancel", "--state=PENDING"}, step.cancel));
    LogInfo("took ", step.cancel.size(), " workers out of the queue");
  }
  if (!step.drain.empty()) {
    // To the worker itself, which then drains.
    INTERNODE_RETURN_IF_ERROR(
        cancel({"scancel", "--batch", "--signal=TERM"}, step.drain));
    LogInfo("let ", step.drain.size(),
            " workers go: ", absl::StrJoin(step.drain, " "));
  }
  return absl::OkStatus();
}

absl::Status AdaptOnce(const SlurmArguments& arguments,
                       const SlurmJobSpec& spec, launch::Adapter* adapter) {
  INTERNODE_ASSIGN_OR_RETURN(const Work work,
                             AskScheduler(arguments.scheduler));
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<SlurmJob> jobs, AskSlurm(spec));
  LogDebug(work.left, " tasks are left; ", jobs.size(), " workers in Slurm");
  return Carry(adapter->Next(absl::Now(), work.left, work.done, jobs), spec);
}

// For ever, or once. Neither a scheduler nor a Slurm that does not answer ends
// it: nothing is decided in that round.
absl::StatusOr<int> Adapt(const SlurmArguments& arguments,
                          const SlurmJobSpec& spec) {
  SlurmArguments with_times = arguments;
  with_times.spec = spec;
  INTERNODE_ASSIGN_OR_RETURN(const AdaptRule rule, Rule(with_times));
  INTERNODE_ASSIGN_OR_RETURN(const absl::Duration interval,
                             Duration("--interval", arguments.interval));
  if (interval < absl::Seconds(1) || interval > absl::Hours(1)) {
    return WrongValue("--interval", arguments.interval, "it is 1s to 1h");
  }
  launch::Adapter adapter(rule);
  // What is wrong from the beginning ends it.
  INTERNODE_RETURN_IF_ERROR(AdaptOnce(arguments, spec, &adapter));
  while (!arguments.once) {
    poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(interval)));
    const absl::Status round = AdaptOnce(arguments, spec, &adapter);
    if (!round.ok()) LogWarning(round.message());
  }
  return 0;
}

absl::StatusOr<int> Launch(const SlurmArguments& arguments,
                           OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const SlurmJobSpec spec, Spec(arguments));
  if (arguments.print) {
    INTERNODE_ASSIGN_OR_RETURN(
        const std::string script,
        launch::SlurmScript(spec,
                            arguments.adapt.empty() ? arguments.nworkers : 1));
    std::fputs(script.c_str(), stdout);
    return 0;
  }
  if (arguments.adapt.empty()) {
    return SubmitAll(spec, arguments.nworkers, format);
  }
  return Adapt(arguments, spec);
}

}  // namespace

void AddLaunchCommand(CLI::App* root, CommandLine* line) {
  CLI::App* const group =
      AddCommand(root, line, "launch", "Start workers by a batch system", "");
  group->require_subcommand(1);
  auto arguments = std::make_shared<SlurmArguments>();
  CLI::App* const slurm = AddCommand(
      group, line, "slurm",
      "Submit workers of a running scheduler as jobs of Slurm",
      "  internode launch slurm --scheduler-file /shared/scheduler.json \\\n"
      "      --nworkers 4 --cpus 8 --mem 16GiB --walltime 2:00:00 --print\n"
      "  internode launch slurm --scheduler-file /shared/scheduler.json \\\n"
      "      --adapt 0:20 --cpus 8 --mem 16GiB --walltime 2:00:00\n"
      "Workers drain before their job ends. With --adapt, new ones are\n"
      "submitted while work remains.");
  AddSlurmOptions(slurm, arguments.get());
  slurm->callback([arguments, line] {
    line->action = [arguments, line] {
      return Launch(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
