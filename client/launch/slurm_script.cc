#include "client/launch/slurm_script.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "base/status_macros.h"
#include "client/launch/slurm_time.h"

namespace internode::launch {
namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;

// One word of the shell.
std::string Quote(absl::string_view word) {
  const bool plain =
      !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               absl::string_view("-_./:=,@%+").find(c) !=
                   absl::string_view::npos;
      });
  if (plain) return std::string(word);
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", R"('\'')"}}), "'");
}

absl::Status CheckLine(absl::string_view what, absl::string_view text) {
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t') {
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": it is more than one line"));
    }
  }
  return absl::OkStatus();
}

// What Slurm takes as one word of a directive.
absl::Status CheckWord(absl::string_view what, absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '"' ||
        c == '\'' || c == '\\') {
      return absl::InvalidArgumentError(
          absl::StrCat(what, " '", absl::StrReplaceAll(text, {{"\n", " "}}),
                       "': it is one word, without blanks and quotes"));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const SlurmJobSpec& spec) {
  INTERNODE_RETURN_IF_ERROR(CheckWord("--job-name", spec.job_name));
  INTERNODE_RETURN_IF_ERROR(CheckWord("--partition", spec.partition));
  INTERNODE_RETURN_IF_ERROR(CheckWord("--account", spec.account));
  INTERNODE_RETURN_IF_ERROR(CheckWord("--qos", spec.qos));
  INTERNODE_RETURN_IF_ERROR(CheckWord("--log-dir", spec.log_dir));
  for (const std::string& text : spec.directives) {
    INTERNODE_RETURN_IF_ERROR(CheckLine("--directive", text));
  }
  for (const std::string& text : spec.prologue) {
    INTERNODE_RETURN_IF_ERROR(CheckLine("--prologue", text));
  }
  for (const std::string& text : spec.worker_arguments) {
    INTERNODE_RETURN_IF_ERROR(CheckLine("an argument of the worker", text));
  }
  if (spec.cpus < spec.processes) {
    return absl::InvalidArgumentError(
        absl::StrCat("--cpus ", spec.cpus, ": fewer than --processes ",
                     spec.processes, ", which share them"));
  }
  return absl::OkStatus();
}

std::string Directives(const SlurmJobSpec& spec, int count) {
  std::string text;
  const auto add = [&text](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&text, "#SBATCH --", name, "=", value, "\n");
  };
  add("job-name", spec.job_name);
  if (count > 1) add("array", absl::StrCat("1-", count));
  add("nodes", "1");
  add("ntasks", "1");
  add("cpus-per-task", absl::StrCat(spec.cpus));
  if (spec.memory_bytes > 0) {
    add("mem",
        absl::StrCat((spec.memory_bytes + kMebibyte - 1) / kMebibyte, "M"));
  }
  if (spec.walltime != absl::InfiniteDuration()) {
    add("time", FormatSlurmTime(spec.walltime));
  }
  if (!spec.partition.empty()) add("partition", spec.partition);
  if (!spec.account.empty()) add("account", spec.account);
  if (!spec.qos.empty()) add("qos", spec.qos);
  add("output", spec.log_dir.empty()
                    ? std::string("%x-%j.log")
                    : absl::StrCat(spec.log_dir, "/%x-%j.log"));
  for (const std::string& directive : spec.directives) {
    absl::StrAppend(&text, "#SBATCH ", directive, "\n");
  }
  return text;
}

// Sets SLURM_JOB_END_TIME, which the worker reads and Slurm before 23.02 does
// not set. Where squeue does not answer, the wall time counts from now on: the
// worker then drains a few seconds later than it should, and is killed in the
// worst case, which loses no result that was acknowledged.
std::string EndTime(const SlurmJobSpec& spec) {
  std::string text =
      "if [[ -z ${SLURM_JOB_END_TIME:-} ]]; then\n"
      "  end=$(squeue --noheader --jobs=\"$SLURM_JOB_ID\" --format=%e)\n"
      "  SLURM_JOB_END_TIME=$(date --date=\"${end:-?}\" +%s 2>/dev/null)";
  if (spec.walltime != absl::InfiniteDuration()) {
    absl::StrAppend(&text, " ||\n    SLURM_JOB_END_TIME=$(($(date +%s) + ",
                    absl::ToInt64Seconds(spec.walltime), "))");
  }
  absl::StrAppend(&text, "\n  export SLURM_JOB_END_TIME\nfi\n");
  return text;
}

}  // namespace

absl::StatusOr<std::string> SlurmScript(const SlurmJobSpec& spec, int count) {
  INTERNODE_RETURN_IF_ERROR(Check(spec));
  std::string text = absl::StrCat("#!/bin/bash\n", Directives(spec, count));
  for (const std::string& line : spec.prologue) {
    absl::StrAppend(&text, line, "\n");
  }
  absl::StrAppend(&text, EndTime(spec));
  // The worker takes the place of the script, so that signals reach it.
  absl::StrAppend(&text, "exec ", Quote(spec.worker_program));
  for (const std::string& argument : spec.worker_arguments) {
    absl::StrAppend(&text, " \\\n  ", Quote(argument));
  }
  absl::StrAppend(&text, " \\\n  --nworkers=", spec.processes,
                  " --nthreads=", spec.cpus / spec.processes);
  if (spec.memory_bytes > 0) {
    // Slurm kills at its limit; the worker is to act before that.
    absl::StrAppend(&text,
                    " --memory-limit=", spec.memory_bytes / 10 * 9 / kMebibyte,
                    "MiB");
  }
  absl::StrAppend(&text,
                  " \\\n  --name=\"${SLURMD_NODENAME:-node}-$SLURM_JOB_ID\"\n");
  return text;
}

std::string SlurmJobName(absl::string_view where) {
  std::string name = "internode-";
  for (const char c : where) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       c == '.' || c == '_';
    if (plain) {
      name += c;
    } else if (name.back() != '-') {
      name += '-';
    }
  }
  return name;
}

}  // namespace internode::launch
