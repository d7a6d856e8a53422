#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/launch/run_program.h"
#include "client/launch/slurm_queue.h"
#include "client/launch/slurm_script.h"
#include "client/launch/slurm_time.h"

namespace internode::launch {
namespace {

TEST(SlurmTimeTest, ReadsWhatSbatchTakes) {
  EXPECT_EQ(*ParseSlurmTime("90"), absl::Minutes(90));
  EXPECT_EQ(*ParseSlurmTime("1:30"), absl::Seconds(90));
  EXPECT_EQ(*ParseSlurmTime("0:59"), absl::Seconds(59));
  EXPECT_EQ(*ParseSlurmTime("2:00:00"), absl::Hours(2));
  EXPECT_EQ(*ParseSlurmTime("1-12"), absl::Hours(36));
  EXPECT_EQ(*ParseSlurmTime("1-12:30"), absl::Hours(36.5));
  EXPECT_EQ(*ParseSlurmTime("2-03:04:05"),
            absl::Hours(51) + absl::Minutes(4) + absl::Seconds(5));
  EXPECT_EQ(*ParseSlurmTime("UNLIMITED"), absl::InfiniteDuration());
}

TEST(SlurmTimeTest, RefusesTheRest) {
  for (const char* text : {"",        ":",         "1:",
                           "-1",      "1-",        "-",
                           "1-2-3",   "1:2:3:4",   "1-1:2:3:4",
                           "2h",      "+5",        " 5",
                           "0x10",    "INVALID",   "NOT_SET",
                           "N/A",     "1.5",       "99999999999999999999",
                           "10001-0", "9999999999"}) {
    EXPECT_FALSE(ParseSlurmTime(text).ok()) << text;
  }
}

TEST(SlurmTimeTest, WhatIsWrittenIsReadAgain) {
  EXPECT_EQ(FormatSlurmTime(absl::Hours(2)), "0-02:00:00");
  EXPECT_EQ(FormatSlurmTime(absl::Milliseconds(59'001)), "0-00:01:00");
  for (int64_t seconds = 0; seconds < 400'000; seconds += 997) {
    EXPECT_EQ(*ParseSlurmTime(FormatSlurmTime(absl::Seconds(seconds))),
              absl::Seconds(seconds));
  }
}

TEST(SlurmQueueTest, TellsPendingFromRunningAndLeavesOutWhatIsOver) {
  const auto jobs = ParseSqueue(
      "17_3|PENDING|2:00:00\n17_1|RUNNING|0:59\n18|COMPLETING|0:00\n"
      "19|CONFIGURING|INVALID\n20|FAILED|0:10\n\n");
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 3u);
  EXPECT_EQ((*jobs)[0].id, "17_3");
  EXPECT_TRUE((*jobs)[0].pending);
  EXPECT_EQ((*jobs)[1].left, absl::Seconds(59));
  EXPECT_FALSE((*jobs)[1].pending);
  EXPECT_EQ((*jobs)[2].left, absl::InfiniteDuration());
  EXPECT_TRUE(ParseSqueue("")->empty());
}

TEST(SlurmQueueTest, AnotherAnswerIsAnError) {
  for (const char* text :
       {"slurm_load_jobs error: Invalid job id specified", "17|RUNNING",
        "|RUNNING|1:00", "17|RUNNING|1:00|x"}) {
    EXPECT_FALSE(ParseSqueue(text).ok()) << text;
  }
}

SlurmJobSpec Spec() {
  SlurmJobSpec spec;
  spec.job_name = "internode-x";
  spec.cpus = 8;
  spec.memory_bytes = int64_t{16} << 30;
  spec.walltime = absl::Hours(2);
  spec.partition = "short";
  spec.worker_program = "/opt/internode-worker";
  spec.worker_arguments = {"--scheduler-file=/shared/it's here.json"};
  return spec;
}

bool Has(const std::string& script, const std::string& line) {
  return script.find(line + "\n") != std::string::npos;
}

TEST(SlurmScriptTest, SaysWhatWasAskedFor) {
  const std::string script = *SlurmScript(Spec(), 4);
  EXPECT_EQ(script.find("#!/bin/bash\n#SBATCH "), 0u);
  for (const char* line :
       {"#SBATCH --job-name=internode-x", "#SBATCH --array=1-4",
        "#SBATCH --nodes=1", "#SBATCH --ntasks=1", "#SBATCH --cpus-per-task=8",
        "#SBATCH --mem=16384M", "#SBATCH --time=0-02:00:00",
        "#SBATCH --partition=short", "#SBATCH --output=%x-%j.log",
        "exec /opt/internode-worker \\",
        R"(  '--scheduler-file=/shared/it'\''s here.json' \)",
        "  --nworkers=1 --nthreads=8 --memory-limit=14745MiB \\"}) {
    EXPECT_TRUE(Has(script, line)) << line << "\n" << script;
  }
}

TEST(SlurmScriptTest, LeavesOutWhatWasNot) {
  SlurmJobSpec spec = Spec();
  spec.memory_bytes = 0;
  spec.walltime = absl::InfiniteDuration();
  spec.partition.clear();
  const std::string script = *SlurmScript(spec, 1);
  for (const char* word : {"--array", "--mem", "--time", "--partition",
                           "--account", "--qos", "memory-limit"}) {
    EXPECT_EQ(script.find(word), std::string::npos) << word;
  }
}

TEST(SlurmScriptTest, ProcessesShareTheCpus) {
  SlurmJobSpec spec = Spec();
  spec.processes = 4;
  EXPECT_NE(SlurmScript(spec, 1)->find("--nworkers=4 --nthreads=2"),
            std::string::npos);
  spec.processes = 9;
  EXPECT_FALSE(SlurmScript(spec, 1).ok());
}

TEST(SlurmScriptTest, DirectivesAndPrologueComeBeforeTheWorker) {
  SlurmJobSpec spec = Spec();
  spec.directives = {"--constraint=avx2"};
  spec.prologue = {"module load hdf5"};
  const std::string script = *SlurmScript(spec, 1);
  const size_t directive = script.find("#SBATCH --constraint=avx2\n");
  const size_t prologue = script.find("\nmodule load hdf5\n");
  ASSERT_NE(directive, std::string::npos);
  ASSERT_NE(prologue, std::string::npos);
  EXPECT_LT(directive, prologue);
  EXPECT_LT(prologue, script.find("\nexec "));
}

TEST(SlurmScriptTest, NothingBreaksOutOfItsLine) {
  for (std::string SlurmJobSpec::*word :
       {&SlurmJobSpec::job_name, &SlurmJobSpec::partition,
        &SlurmJobSpec::account, &SlurmJobSpec::qos, &SlurmJobSpec::log_dir}) {
    for (const char* bad : {"a\nrm -rf x", "two words", "quo\"te", "it's"}) {
      SlurmJobSpec spec = Spec();
      spec.*word = bad;
      EXPECT_FALSE(SlurmScript(spec, 1).ok()) << bad;
    }
  }
  for (std::vector<std::string> SlurmJobSpec::*lines :
       {&SlurmJobSpec::directives, &SlurmJobSpec::prologue,
        &SlurmJobSpec::worker_arguments}) {
    SlurmJobSpec spec = Spec();
    (spec.*lines) = {"one\ntwo"};
    EXPECT_FALSE(SlurmScript(spec, 1).ok());
  }
}

TEST(SlurmScriptTest, TheJobsOfASchedulerHaveItsName) {
  EXPECT_EQ(SlurmJobName("/shared/me/sched file.json"),
            "internode-shared-me-sched-file.json");
  EXPECT_EQ(SlurmJobName("[::1]:8786"), "internode-1-8786");
  EXPECT_NE(SlurmJobName("node1:8786"), SlurmJobName("node2:8786"));
}

TEST(RunProgramTest, GivesInputAndOutput) {
  EXPECT_EQ(*RunProgram({"cat"}, std::string(300'000, 'x'), absl::Minutes(1)),
            std::string(300'000, 'x'));
}

TEST(RunProgramTest, SaysHowItFailed) {
  EXPECT_TRUE(absl::IsNotFound(
      RunProgram({"no-such-program-at-all"}, "", absl::Minutes(1)).status()));
  const absl::Status failed =
      RunProgram({"sh", "-c", "echo one >&2; echo two >&2; exit 7"}, "",
                 absl::Minutes(1))
          .status();
  EXPECT_TRUE(absl::IsUnavailable(failed));
  EXPECT_EQ(failed.message(), "sh ended with exit code 7: one | two");
  EXPECT_EQ(RunProgram({"sh", "-c", "kill -9 $$"}, "", absl::Minutes(1))
                .status()
                .message(),
            "sh was killed by signal 9");
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      RunProgram({"tail", "-f", "/dev/null"}, "", absl::Milliseconds(20))
          .status()));
}

}  // namespace
}  // namespace internode::launch
