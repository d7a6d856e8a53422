#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
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
#include "client/cli/arguments.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/cli/report.h"
#include "client/cli/run_report.h"
#include "functions/parameter.h"
#include "internode/cluster.h"
#include "internode/executor.h"
#include "internode/job.h"
#include "internode/job_handle.h"
#include "internode/segment_file.h"

namespace internode::cli {
namespace {

struct RunArguments {
  std::string function;
  CubeArguments cube;
  std::string out;
  std::vector<std::string> parameters;
  std::string parameter_file;
  std::vector<std::string> function_path;
  std::string progress = "auto";
  bool overwrite = false;
  bool dry_run = false;
  int64_t max_fails = 0;
  ExecutorOptions executor;
  JobPartOptions part;
  // What only a scheduler can do.
  bool detach = false;
  JobPolicy policy;
  bool policy_given = false;
};

using ParameterList = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<ParameterList> ReadParameterFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the parameter file '", path, "'"));
  }
  const std::string text((std::istreambuf_iterator<char>(in)),
                         std::istreambuf_iterator<char>());
  absl::StatusOr<ParameterList> parameters =
      functions::ParametersFromJson(text);
  if (!parameters.ok()) {
    return absl::Status(parameters.status().code(),
                        absl::StrCat("parameter file '", path,
                                     "': ", parameters.status().message()));
  }
  return parameters;
}

// The file's parameters, those of the command line in their place.
absl::StatusOr<ParameterList> Parameters(const RunArguments& arguments) {
  ParameterList given;
  for (const std::string& text : arguments.parameters) {
    INTERNODE_ASSIGN_OR_RETURN(auto parameter, ParseParameter(text));
    given.push_back(std::move(parameter));
  }
  if (arguments.parameter_file.empty()) return given;
  INTERNODE_ASSIGN_OR_RETURN(const ParameterList from_file,
                             ReadParameterFile(arguments.parameter_file));
  ParameterList all;
  for (const auto& parameter : from_file) {
    bool replaced = false;
    for (const auto& other : given) {
      replaced = replaced || other.first == parameter.first;
    }
    if (!replaced) all.push_back(parameter);
  }
  all.insert(all.end(), given.begin(), given.end());
  return all;
}

absl::StatusOr<Job> OpenJob(const RunArguments& arguments, Executor* executor) {
  JobOptions options;
  options.function = arguments.function;
  INTERNODE_ASSIGN_OR_RETURN(options.cube, arguments.cube.Parse());
  INTERNODE_ASSIGN_OR_RETURN(options.parameters, Parameters(arguments));
  options.function_path = arguments.function_path;
  return Job::Open(options, executor);
}

// "--scheduler 127.0.0.1:8786", as it was given.
std::string SchedulerText(const ExecutorOptions& options, Executor* executor) {
  return options.scheduler_file.empty()
             ? absl::StrCat("--scheduler ", SchedulerAddress(executor))
             : absl::StrCat("--scheduler-file ", options.scheduler_file);
}

// How to go on with a job that was left alone.
std::string ComeBackText(const RunArguments& arguments, Executor* executor,
                         const std::string& id) {
  const std::string scheduler = SchedulerText(arguments.executor, executor);
  return absl::StrCat("  internode job wait ", id, " ", scheduler, "\n",
                      "  internode job fetch ", id, " -o ",
                      arguments.out.empty() ? "OUT.nc" : arguments.out, " ",
                      scheduler, "\n");
}

// Whether the job outlives this command: it runs on a scheduler that is not
// ours.
bool Outlives(const Executor& executor) {
  return executor.kind() == ExecutorKind::kDistributed;
}

absl::StatusOr<JobSummary> Write(const RunArguments& arguments, const Job& job,
                                 Executor* executor,
                                 const SegmentFileOptions& options,
                                 std::string* id) {
  if (!Outlives(*executor) || arguments.part.job_total != 1) {
    return WriteSegmentFile(job, executor, arguments.out, options);
  }
  CallOptions call;
  call.cancel = options.cancel;
  INTERNODE_ASSIGN_OR_RETURN(const JobHandle handle,
                             Submit(executor, job, arguments.policy, call));
  *id = handle.id();
  Interrupt::Ask(absl::StrCat("press Ctrl-C again within 5 s to detach; job ",
                              *id, " goes on"));
  return WriteSegmentFile(handle, arguments.out, options);
}

// Leaves the job to the scheduler.
absl::StatusOr<int> Detach(const RunArguments& arguments, const Job& job,
                           Executor* executor, OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const JobHandle handle,
                             Submit(executor, job, arguments.policy));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1},
               {"job", handle.id()},
               {"scheduler", SchedulerAddress(executor)},
               {"history", job.canonical_command()},
               {"chunks", job.num_chunks()},
               {"pixels", job.num_pixels()},
               {"notes", job.notes()}});
    return 0;
  }
  std::printf("%s\n", handle.id().c_str());
  if (format == OutputFormat::kTable) {
    std::fputs(absl::StrCat("job ", handle.id(), " runs without this command; ",
                            "go on with\n",
                            ComeBackText(arguments, executor, handle.id()))
                   .c_str(),
               stderr);
  }
  return 0;
}

absl::StatusOr<RunReport> Execute(const RunArguments& arguments, const Job& job,
                                  Executor* executor, ProgressMode mode) {
  const absl::Time start = absl::Now();
  Progress progress(mode, arguments.function,
                    arguments.part.job_total == 1
                        ? job.num_pixels()
                        : job.num_pixels() / arguments.part.job_total,
                    start);
  SegmentFileOptions options;
  options.overwrite = arguments.overwrite;
  options.part_id = arguments.part.job_id;
  options.part_total = arguments.part.job_total;
  options.cancel = Interrupt::flag();
  options.progress = [&progress](const JobSummary& summary) {
    progress.Update(summary, absl::Now());
  };
  std::string id;
  absl::StatusOr<JobSummary> summary =
      Write(arguments, job, executor, options, &id);
  if (summary.ok() || Interrupt::signal() != 0) progress.Finish(absl::Now());
  if (!summary.ok() && Interrupt::signal() != 0 && !id.empty()) {
    std::fputs(absl::StrCat("detached; job ", id, " goes on; take it up with\n",
                            ComeBackText(arguments, executor, id))
                   .c_str(),
               stderr);
    return absl::CancelledError(absl::StrCat("detached from job ", id));
  }
  if (!summary.ok()) return summary.status();
  RunReport report;
  report.job = id;
  report.out = arguments.out;
  report.executor = std::string(ExecutorKindName(executor->kind()));
  report.workers = executor->num_workers();
  report.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  report.max_fails = arguments.max_fails;
  report.summary = *std::move(summary);
  return report;
}

// Options that the executor, or each other, leave without a meaning.
absl::Status CheckOptions(const RunArguments& arguments,
                          const Executor& executor) {
  if ((arguments.detach || arguments.policy_given) && !Outlives(executor)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--detach, --priority, --max-retries, --fail-fast, --task-timeout and ",
        "--job-name are for a scheduler that runs already; name it with "
        "--scheduler ",
        "HOST:PORT"));
  }
  if (arguments.detach && arguments.part.job_total != 1) {
    return absl::InvalidArgumentError(
        "--detach leaves the whole job to the scheduler; --job-total is for "
        "runs that are waited for");
  }
  if (arguments.policy_given && arguments.part.job_total != 1) {
    return absl::InvalidArgumentError(
        "--priority, --max-retries, --fail-fast, --task-timeout and --job-name "
        "are of a whole job, not of a part (--job-total)");
  }
  return absl::OkStatus();
}

// The workers of a local cluster have the folders of this process.
ExecutorOptions ExecutorOf(const RunArguments& arguments) {
  ExecutorOptions options = arguments.executor;
  options.function_path = arguments.function_path;
  return options;
}

absl::StatusOr<int> RunOn(Executor* executor, const RunArguments& arguments,
                          const GlobalOptions& global) {
  INTERNODE_RETURN_IF_ERROR(CheckOptions(arguments, *executor));
  INTERNODE_ASSIGN_OR_RETURN(const Job job, OpenJob(arguments, executor));
  const OutputFormat format = global.output_format();
  if (arguments.dry_run) {
    if (format == OutputFormat::kJson) PrintJson(PlanJson(job, arguments.out));
    if (format == OutputFormat::kTable) {
      std::fputs(PlanText(job, arguments.out).c_str(), stdout);
    }
    return 0;
  }
  if (arguments.detach) return Detach(arguments, job, executor, format);
  const bool silent =
      global.verbosity.level() < 0 && arguments.progress == "auto";
  Interrupt interrupt(absl::StrCat(arguments.out, ".partial"),
                      Outlives(*executor) ? Interrupt::Mode::kAskFirst
                                          : Interrupt::Mode::kCooperative);
  const absl::StatusOr<RunReport> report = Execute(
      arguments, job, executor,
      silent ? ProgressMode::kNone
             : ProgressModeOf(arguments.progress, isatty(STDERR_FILENO) == 1));
  if (!report.ok()) return report.status();
  std::fputs(FailuresText(job, report->summary).c_str(), stderr);
  if (format == OutputFormat::kJson) PrintJson(ReportJson(job, *report));
  if (format == OutputFormat::kTable) {
    std::fputs(ReportText(job, *report).c_str(), stdout);
  }
  return report->exit_code();
}

absl::StatusOr<int> Run(const RunArguments& arguments,
                        const GlobalOptions& global) {
  INTERNODE_RETURN_IF_ERROR(arguments.part.Check());
  if (arguments.out.empty() && !arguments.dry_run && !arguments.detach) {
    return absl::InvalidArgumentError(
        "run needs a file for its segments; give one with -o OUT.nc");
  }
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<Executor> executor,
                             MakeExecutor(ExecutorOf(arguments)));
  absl::StatusOr<int> exit_code = RunOn(executor.get(), arguments, global);
  CloseExecutor(executor.get());
  return exit_code;
}

void AddSchedulerJobOptions(CLI::App* command, RunArguments* arguments) {
  const std::string group = "Job of a scheduler";
  command
      ->add_flag("--detach", arguments->detach,
                 "Print the job's id and leave it to the scheduler; see "
                 "internode job")
      ->group(group);
  const auto given = [arguments](const std::string&) {
    arguments->policy_given = true;
    return std::string();
  };
  command
      ->add_option("--priority", arguments->policy.priority,
                   "-100 to 100, higher first; default 0")
      ->check(CLI::Range(-100, 100))
      ->check(given)
      ->type_name("N")
      ->group(group);
  command
      ->add_option("--max-retries", arguments->policy.max_retries,
                   "How often a task that fails for a reason that may pass is "
                   "run again; default 3")
      ->check(CLI::Range(0, 100))
      ->check(given)
      ->type_name("N")
      ->group(group);
  command
      ->add_flag_callback(
          "--fail-fast",
          [arguments] {
            arguments->policy.fail_fast = true;
            arguments->policy_given = true;
          },
          "Stop the job at its first failed task")
      ->group(group);
  command
      ->add_option_function<std::string>(
          "--task-timeout",
          [arguments](const std::string& text) {
            const absl::StatusOr<absl::Duration> limit = ParseDuration(text);
            if (!limit.ok() || *limit <= absl::ZeroDuration()) {
              throw CLI::ValidationError(
                  "--task-timeout",
                  limit.ok() ? "must be more than 0"
                             : std::string(limit.status().message()));
            }
            arguments->policy.task_timeout = absl::ToChronoNanoseconds(*limit);
            arguments->policy_given = true;
          },
          "End a worker process that runs one task for longer (30s, 5m); a "
          "task that needs that three times fails; default: no limit")
      ->type_name("DURATION")
      ->group(group);
  command
      ->add_option("--job-name", arguments->policy.name,
                   "What people call the job")
      ->check(given)
      ->type_name("TEXT")
      ->group(group);
}

void AddOptions(CLI::App* command, RunArguments* arguments) {
  command
      ->add_option("FUNCTION", arguments->function,
                   "The function; see internode functions")
      ->required();
  command
      ->add_option("CUBE", arguments->cube.path,
                   "The cube, a NetCDF-4 or HDF5 file")
      ->required();
  command->add_option("-o,--out", arguments->out, "The segment file to write")
      ->type_name("OUT.nc");
  AddCubeOptions(command, &arguments->cube);
  command
      ->add_option("-p,--param", arguments->parameters,
                   "A parameter of the function; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command
      ->add_option("--params", arguments->parameter_file,
                   "Parameters as one JSON object; --param comes first")
      ->type_name("FILE.json");
  command
      ->add_option("--function-path", arguments->function_path,
                   "Folder of shared libraries with functions; may be "
                   "repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("DIR");
  command
      ->add_option("--progress", arguments->progress,
                   "How progress is shown: auto, bar, log, json, none")
      ->check(CLI::IsMember({"auto", "bar", "log", "json", "none"}))
      ->type_name("FORM");
  command->add_flag("--overwrite", arguments->overwrite,
                    "Replace the file if it exists");
  command->add_flag("--dry-run", arguments->dry_run,
                    "Check everything and print the plan, no more");
  command
      ->add_option("--max-fails", arguments->max_fails,
                   "End with 3 when more pixels fail than this")
      ->type_name("N");
  AddExecutorOptions(command, &arguments->executor);
  AddJobPartOptions(command, &arguments->part);
  AddSchedulerJobOptions(command, arguments);
}

}  // namespace

void AddRunCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command = AddCommand(
      root, line, "run", "Run a function over every pixel of a cube",
      "  internode run harmonic cube.nc -o segments.nc\n"
      "  internode run stats cube.nc -o stats.nc --variables nir,red "
      "--chunks y=100,x=100\n"
      "  internode run ccdc cube.nc -o seg.nc --select y=0:100,x=5:10 "
      "--param lambda=20\n"
      "  internode run stats cube.nc -o part2.nc --job-id 2 --job-total 7\n"
      "  internode run ccdc cube.nc -o seg.nc --nprocs 4\n"
      "  internode run ccdc cube.nc --scheduler node1:8786 --detach\n"
      "All cores are used unless --nthreads or --executor says otherwise. "
      "Ends\n"
      "with 3 when pixels failed; the others are in the file.");
  auto arguments = std::make_shared<RunArguments>();
  arguments->executor.default_kind = ExecutorKind::kThreads;
  AddOptions(command, arguments.get());
  command->callback([arguments, line] {
    line->action = [arguments, line] { return Run(*arguments, line->global); };
  });
}

}  // namespace internode::cli
