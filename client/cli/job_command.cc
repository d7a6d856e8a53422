#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/cli/run_report.h"
#include "client/cli/scheduler_options.h"
#include "internode/cluster.h"
#include "internode/job_handle.h"
#include "internode/segment_file.h"

namespace internode::cli {
namespace {

struct JobArguments {
  ExecutorOptions scheduler;
  std::string id;
  std::string out;
  bool overwrite = false;
  int64_t max_fails = 0;
  std::string progress = "auto";
  std::string timeout;
  std::string reason;
  int64_t limit = 1000;
  int64_t from_task = 0;
  std::optional<int64_t> task;
};

Json StatusJson(const JobStatus& job) {
  return {{"id", job.id},
          {"name", job.name},
          {"state", std::string(JobStateName(job.state))},
          {"function", job.function},
          {"cube", job.cube_path},
          {"priority", job.priority},
          {"tasks", job.tasks},
          {"tasks_done", job.tasks_done},
          {"tasks_failed", job.tasks_failed},
          {"tasks_leased", job.tasks_leased},
          {"pixels", job.pixels},
          {"task_s", std::chrono::duration<double>(job.task_time).count()},
          {"spool_bytes", job.spool_bytes},
          {"submitted", TimeJson(job.submitted_ns)},
          {"started", TimeJson(job.started_ns)},
          {"ended", TimeJson(job.ended_ns)},
          {"message", job.message}};
}

Json WithSchema(const Json& json) {
  Json result = {{"schema", 1}};
  result.update(json);
  return result;
}

// "j000017 running 62% 620/1000 tasks, 0 failed".
std::string StatusLine(const JobStatus& job) {
  const int64_t ended = job.tasks_done + job.tasks_failed;
  std::string text = absl::StrFormat(
      "%s %s %d%% %d/%d tasks, %d failed", job.id, JobStateName(job.state),
      job.tasks == 0 ? 100
                     : static_cast<int>(100.0 * static_cast<double>(ended) /
                                        static_cast<double>(job.tasks)),
      ended, job.tasks, job.tasks_failed);
  if (!job.message.empty()) absl::StrAppend(&text, ": ", job.message);
  return text;
}

// What a job that ended means for a script.
int ExitCodeOf(JobState state) {
  switch (state) {
    case JobState::kCompletedWithFailures:
      return 3;
    case JobState::kFailed:
      return 1;
    case JobState::kCancelled:
      return 5;
    default:
      return 0;
  }
}

void PrintStatus(const JobStatus& job, OutputFormat format) {
  if (format == OutputFormat::kJson) PrintJson(WithSchema(StatusJson(job)));
  if (format == OutputFormat::kTable) {
    std::printf("%s\n", StatusLine(job).c_str());
  }
}

absl::StatusOr<int> List(Executor* executor, const JobArguments&,
                         OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<JobStatus> jobs,
                             ListJobs(executor));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"JOB", "STATE", "FUNCTION",
                                                 "DONE", "TASKS", "FAILED",
                                                 "SUBMITTED", "NAME"}};
  for (const JobStatus& job : jobs) {
    list.push_back(StatusJson(job));
    rows.push_back({job.id, std::string(JobStateName(job.state)), job.function,
                    absl::StrCat(job.tasks_done), absl::StrCat(job.tasks),
                    absl::StrCat(job.tasks_failed), TimeText(job.submitted_ns),
                    job.name});
  }
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"jobs", list}});
  }
  if (format == OutputFormat::kTable) {
    std::fputs(TableText(rows).c_str(), stdout);
  }
  return 0;
}

absl::StatusOr<int> Info(const JobHandle& handle, const JobArguments&,
                         OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const JobStatus job, handle.Status());
  INTERNODE_ASSIGN_OR_RETURN(const Job plan, handle.Plan());
  if (format == OutputFormat::kJson) {
    Json json = WithSchema(StatusJson(job));
    json["history"] = plan.canonical_command();
    json["notes"] = plan.notes();
    PrintJson(json);
  }
  if (format != OutputFormat::kTable) return 0;
  std::vector<std::vector<std::string>> rows = {
      {"job", job.id},
      {"name", job.name},
      {"state", std::string(JobStateName(job.state))},
      {"message", job.message},
      {"command", plan.canonical_command()},
      {"priority", absl::StrCat(job.priority)},
      {"tasks",
       absl::StrCat(job.tasks_done, " done, ", job.tasks_failed, " failed, ",
                    job.tasks_leased, " running, of ", job.tasks)},
      {"pixels", absl::StrCat(job.pixels)},
      {"results", FormatBytes(job.spool_bytes)},
      {"submitted", TimeText(job.submitted_ns)},
      {"started", TimeText(job.started_ns)},
      {"ended", TimeText(job.ended_ns)}};
  std::fputs(TableText(rows).c_str(), stdout);
  return 0;
}

absl::StatusOr<CallOptions> Limits(const JobArguments& arguments) {
  CallOptions options;
  options.cancel = Interrupt::flag();
  if (!arguments.timeout.empty()) {
    const absl::StatusOr<absl::Duration> timeout =
        ParseDuration(arguments.timeout);
    if (!timeout.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--timeout: ", timeout.status().message()));
    }
    options.deadline = absl::ToChronoTime(absl::Now() + *timeout);
  }
  return options;
}

absl::StatusOr<int> Wait(const JobHandle& handle, const JobArguments& arguments,
                         OutputFormat format) {
  const Interrupt interrupt("");
  INTERNODE_ASSIGN_OR_RETURN(const CallOptions limits, Limits(arguments));
  INTERNODE_ASSIGN_OR_RETURN(const JobStatus job, handle.Wait(limits));
  PrintStatus(job, format);
  return ExitCodeOf(job.state);
}

absl::StatusOr<int> Follow(const JobHandle& handle,
                           const JobArguments& arguments, OutputFormat format) {
  const Interrupt interrupt("");
  INTERNODE_ASSIGN_OR_RETURN(const CallOptions limits, Limits(arguments));
  const bool terminal =
      format == OutputFormat::kTable && isatty(STDOUT_FILENO) == 1;
  JobStatus last;
  const absl::Status watched = handle.Watch(
      [&](const JobStatus& job) {
        last = job;
        if (terminal) {
          std::printf("\r%s\x1b[K", StatusLine(job).c_str());
        } else {
          PrintStatus(job, format);
        }
        std::fflush(stdout);
        return true;
      },
      limits);
  if (terminal) std::printf("\n");
  INTERNODE_RETURN_IF_ERROR(watched);
  return ExitCodeOf(last.state);
}

absl::StatusOr<int> Fetch(const JobHandle& handle,
                          const JobArguments& arguments, OutputFormat format) {
  const absl::Time start = absl::Now();
  const Interrupt interrupt(absl::StrCat(arguments.out, ".partial"));
  INTERNODE_ASSIGN_OR_RETURN(const Job job, handle.Plan());
  Progress progress(
      ProgressModeOf(arguments.progress, isatty(STDERR_FILENO) == 1),
      handle.id(), job.num_pixels(), start);
  SegmentFileOptions options;
  options.overwrite = arguments.overwrite;
  options.cancel = Interrupt::flag();
  options.progress = [&progress](const JobSummary& summary) {
    progress.Update(summary, absl::Now());
  };
  absl::StatusOr<JobSummary> summary =
      WriteSegmentFile(handle, arguments.out, options);
  if (summary.ok()) progress.Finish(absl::Now());
  if (!summary.ok()) return summary.status();
  RunReport report;
  report.out = arguments.out;
  report.executor = "distributed";
  report.job = handle.id();
  report.workers = 0;
  report.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  report.max_fails = arguments.max_fails;
  report.summary = *std::move(summary);
  std::fputs(FailuresText(job, report.summary).c_str(), stderr);
  if (format == OutputFormat::kJson) PrintJson(ReportJson(job, report));
  if (format == OutputFormat::kTable) {
    std::fputs(ReportText(job, report).c_str(), stdout);
  }
  return report.exit_code();
}

absl::StatusOr<int> Cancel(const JobHandle& handle,
                           const JobArguments& arguments, OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const JobStatus job,
                             handle.Cancel(arguments.reason));
  PrintStatus(job, format);
  return 0;
}

absl::StatusOr<int> Retry(const JobHandle& handle, const JobArguments&,
                          OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const JobStatus job, handle.Retry());
  PrintStatus(job, format);
  return 0;
}

absl::StatusOr<int> Forget(const JobHandle& handle, const JobArguments&,
                           OutputFormat format) {
  INTERNODE_RETURN_IF_ERROR(handle.Forget());
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"id", handle.id()}, {"forgotten", true}});
  } else if (format == OutputFormat::kTable) {
    std::printf("job %s and its results are deleted\n", handle.id().c_str());
  }
  return 0;
}

absl::StatusOr<int> Failures(const JobHandle& handle,
                             const JobArguments& arguments,
                             OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(
      const TaskFailures failures,
      handle.Failures(arguments.limit, arguments.from_task));
  if (format == OutputFormat::kJson) {
    Json list = Json::array();
    for (const TaskFailure& failure : failures.failures) {
      list.push_back({{"task", failure.task},
                      {"location", failure.location},
                      {"message", failure.message},
                      {"attempts", failure.attempts},
                      {"poisonous", failure.poisonous},
                      {"history", failure.history}});
    }
    PrintJson({{"schema", 1},
               {"id", handle.id()},
               {"total", failures.total},
               {"failures", list}});
  }
  if (format != OutputFormat::kTable) return 0;
  for (const TaskFailure& failure : failures.failures) {
    std::printf("task %lld at %s: %s%s\n", static_cast<long long>(failure.task),
                failure.location.c_str(),
                failure.poisonous ? "poisonous: " : "",
                failure.message.c_str());
    for (const std::string& event : failure.history) {
      std::printf("  %s\n", event.c_str());
    }
  }
  std::printf("%zu of %lld failed tasks\n", failures.failures.size(),
              static_cast<long long>(failures.total));
  return 0;
}

absl::StatusOr<int> Explain(const JobHandle& handle,
                            const JobArguments& arguments,
                            OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const Explanation explanation,
                             handle.Explain(arguments.task));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1},
               {"id", handle.id()},
               {"reasons", explanation.reasons},
               {"history", explanation.history}});
  }
  if (format != OutputFormat::kTable) return 0;
  for (const std::string& reason : explanation.reasons) {
    std::printf("%s\n", reason.c_str());
  }
  for (const std::string& event : explanation.history) {
    std::printf("  %s\n", event.c_str());
  }
  return 0;
}

using JobAction = absl::StatusOr<int> (*)(const JobHandle&, const JobArguments&,
                                          OutputFormat);

// A command about one job.
CLI::App* AddJobAction(CLI::App* group, CommandLine* line,
                       const std::shared_ptr<JobArguments>& arguments,
                       const std::string& name, const std::string& summary,
                       const std::string& options, JobAction action) {
  CLI::App* command =
      AddCommand(group, line, name, summary,
                 absl::StrCat("  internode job ", name, " j000017", options,
                              " --scheduler node1:8786"));
  command->add_option("JOB", arguments->id, "Its id; see job list")->required();
  AddSchedulerOptions(command, &arguments->scheduler);
  command->callback([arguments, line, action] {
    line->action = [arguments, line, action] {
      return WithScheduler(
          arguments->scheduler, [&](Executor* executor) -> absl::StatusOr<int> {
            INTERNODE_ASSIGN_OR_RETURN(const JobHandle handle,
                                       FindJob(executor, arguments->id));
            return action(handle, *arguments, line->global.output_format());
          });
    };
  });
  return command;
}

void AddFetch(CLI::App* group, CommandLine* line,
              const std::shared_ptr<JobArguments>& arguments) {
  CLI::App* fetch = AddJobAction(
      group, line, arguments, "fetch",
      "Write a job's segment file, waiting for what is not done yet",
      " -o segments.nc", Fetch);
  fetch->add_option("-o,--out", arguments->out, "The segment file to write")
      ->required()
      ->type_name("OUT.nc");
  fetch->add_flag("--overwrite", arguments->overwrite,
                  "Replace the file if it exists");
  fetch
      ->add_option("--progress", arguments->progress,
                   "How progress is shown: auto, bar, log, json, none")
      ->check(CLI::IsMember({"auto", "bar", "log", "json", "none"}))
      ->type_name("FORM");
  fetch
      ->add_option("--max-fails", arguments->max_fails,
                   "End with 3 when more pixels fail than this")
      ->type_name("N");
}

void AddReports(CLI::App* group, CommandLine* line,
                const std::shared_ptr<JobArguments>& arguments) {
  CLI::App* failures =
      AddJobAction(group, line, arguments, "failures",
                   "List the tasks that failed for good", "", Failures);
  failures->add_option("--limit", arguments->limit, "At most so many")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  failures->add_option("--from", arguments->from_task, "From this task on")
      ->type_name("TASK");
  CLI::App* explain = AddJobAction(
      group, line, arguments, "explain",
      "Say why a job, or a task of it, waits or died", " --task 5", Explain);
  explain->add_option("--task", arguments->task, "Of this task")
      ->type_name("TASK");
}

void AddWaits(CLI::App* group, CommandLine* line,
              const std::shared_ptr<JobArguments>& arguments) {
  for (CLI::App* command :
       {AddJobAction(group, line, arguments, "wait",
                     "Wait until a job has ended: 0, or 3 with failures, 1 if "
                     "it failed, 5 if it was cancelled",
                     "", Wait),
        AddJobAction(group, line, arguments, "progress",
                     "Follow a job to its end", "", Follow)}) {
    command
        ->add_option("--timeout", arguments->timeout,
                     "No longer than this: 90s, 1h30m; then it ends with 1")
        ->type_name("DURATION");
  }
}

}  // namespace

void AddJobCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group = AddCommand(
      root, line, "job", "Look at and control the jobs of a scheduler",
      "  internode run ccdc cube.nc --scheduler node1:8786 --detach\n"
      "  internode job wait j000017 --scheduler node1:8786\n"
      "  internode job fetch j000017 -o segments.nc --scheduler node1:8786\n"
      "The scheduler may also be named by INTERNODE_SCHEDULER; without, it "
      "is\n"
      "the one at 127.0.0.1:8786.");
  group->require_subcommand(1);
  auto arguments = std::make_shared<JobArguments>();
  CLI::App* list = AddCommand(group, line, "list", "List the jobs",
                              "  internode job list --scheduler node1:8786");
  AddSchedulerOptions(list, &arguments->scheduler);
  list->callback([arguments, line] {
    line->action = [arguments, line] {
      return WithScheduler(arguments->scheduler, [&](Executor* executor) {
        return List(executor, *arguments, line->global.output_format());
      });
    };
  });
  AddJobAction(group, line, arguments, "info", "Describe a job", "", Info);
  AddWaits(group, line, arguments);
  AddFetch(group, line, arguments);
  CLI::App* cancel = AddJobAction(group, line, arguments, "cancel",
                                  "End a job; what is done stays", "", Cancel);
  cancel->add_option("--reason", arguments->reason, "Why, for people")
      ->type_name("TEXT");
  AddReports(group, line, arguments);
  AddJobAction(group, line, arguments, "retry",
               "Run the failed tasks of an ended job again", "", Retry);
  AddJobAction(group, line, arguments, "forget",
               "Delete an ended job and its results", "", Forget);
}

}  // namespace internode::cli
