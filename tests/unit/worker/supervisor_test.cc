#include "worker/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "worker/child_process.h"
#include "worker/exit_code.h"
#include "worker/watcher.h"

namespace internode::worker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const char kProgram[] = INTERNODE_SUPERVISED_PROGRAM;

// A supervisor of programs that do what a test says, until it ends.
class SupervisorTest : public testing::Test {
 protected:
  // Before any thread is started.
  static void SetUpTestSuite() { BlockSignals(); }

  void SetUp() override {
    std::string name = testing::TempDir() + "/supervisor_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }

  SupervisorOptions Options(const std::string& mode, int processes = 1) {
    SupervisorOptions options;
    options.worker.scheduler = "127.0.0.1:1";
    options.worker.num_processes = processes;
    options.worker.name = "test";
    options.program = kProgram;
    options.first_arguments = {kProgram, mode};
    options.first_backoff = absl::Milliseconds(1);
    return options;
  }
  std::string Once(const std::string& what) {
    return absl::StrCat("once:", what, ":", folder_, "/was-here");
  }

  // Runs until the supervisor ends by itself; returns the exit code.
  int Run(const SupervisorOptions& options) {
    int exit_code = -1;
    supervisor_ = std::make_unique<Supervisor>(
        &loop_, options,
        Supervisor::Events{.on_death =
                               [this](const Death& death) {
                                 deaths_.push_back(death);
                                 if (on_death_) on_death_();
                               },
                           .on_ready =
                               [this] {
                                 ++ready_;
                                 if (on_ready_) on_ready_();
                               },
                           .on_end =
                               [&](int code) {
                                 exit_code = code;
                                 loop_.Stop();
                               }});
    {
      const Watcher watcher(
          {SIGCHLD},
          [this](int) { loop_.Post([this] { supervisor_->Reap(); }); }, {});
      supervisor_->Start();
      loop_.Run();
    }
    for (const pid_t pid : supervisor_->pids()) EXPECT_EQ(pid, 0);
    supervisor_ = nullptr;
    return exit_code;
  }

  void Drain() { supervisor_->Drain("the test ends"); }
  // Drains when both have happened.
  void DrainWhen(size_t deaths) {
    on_death_ = on_ready_ = [this, deaths] {
      if (deaths_.size() >= deaths && ready_ > 0) Drain();
    };
  }

  std::string folder_;
  EventLoop loop_;
  std::unique_ptr<Supervisor> supervisor_;
  std::vector<Death> deaths_;
  int ready_ = 0;
  std::function<void()> on_death_;
  std::function<void()> on_ready_;
};

// What a process has read counts when it is gone.
TEST_F(SupervisorTest, CountsWhatADeadProcessRead) {
  DrainWhen(1);
  cube::ReadCounters read;
  on_death_ = [this, &read, then = on_death_] {
    read = supervisor_->read_counters();
    then();
  };
  EXPECT_EQ(Run(Options(Once("crash"))), kExitDrained);
  EXPECT_EQ(read.chunks_decoded, 10);
  EXPECT_EQ(read.read_bytes, 3000);
  EXPECT_EQ(read.chunks_reused, 0);
}

TEST_F(SupervisorTest, DrainsItsProcesses) {
  on_ready_ = [this] { Drain(); };
  EXPECT_EQ(Run(Options("run", 3)), kExitDrained);
  EXPECT_EQ(ready_, 1);
  EXPECT_THAT(deaths_, IsEmpty());
}

TEST_F(SupervisorTest, EndsWhenAllHaveDrainedByThemselves) {
  EXPECT_EQ(Run(Options("drained", 2)), kExitDrained);
  EXPECT_THAT(deaths_, IsEmpty());
}

TEST_F(SupervisorTest, ReportsASignalWithWhatRanAndStartsAnother) {
  DrainWhen(1);
  EXPECT_EQ(Run(Options(Once("crash"))), kExitDrained);
  ASSERT_THAT(deaths_, SizeIs(1));
  EXPECT_EQ(deaths_[0].cause, "signal 11 (SIGSEGV)");
  EXPECT_THAT(deaths_[0].process_id, SizeIs(16));
  ASSERT_THAT(deaths_[0].running, SizeIs(1));
  EXPECT_EQ(deaths_[0].running[0].job, 4u);
  EXPECT_EQ(deaths_[0].running[0].task, 17);
  EXPECT_GT(deaths_[0].running[0].start_ns, 0);
  EXPECT_GE(deaths_[0].time_ns, deaths_[0].running[0].start_ns);
}

TEST_F(SupervisorTest, ReportsAnExitCode) {
  DrainWhen(1);
  EXPECT_EQ(Run(Options(Once("exit"))), kExitDrained);
  ASSERT_THAT(deaths_, SizeIs(1));
  EXPECT_EQ(deaths_[0].cause, "exit code 7");
}

TEST_F(SupervisorTest, ReportsWhyTheSchedulerWantedARestart) {
  DrainWhen(1);
  EXPECT_EQ(Run(Options(Once("restart"))), kExitDrained);
  ASSERT_THAT(deaths_, SizeIs(1));
  EXPECT_EQ(deaths_[0].cause, "task 17 of job 4 ran longer than 1s");
}

TEST_F(SupervisorTest, KillsAProcessThatIsOverItsMemoryLimit) {
  SupervisorOptions options = Options(Once("hog"));
  // More than what a sanitizer adds to a program that does nothing.
  options.worker.memory_limit = int64_t{192} << 20;
  options.memory_interval = absl::Milliseconds(5);
  DrainWhen(1);
  EXPECT_EQ(Run(options), kExitDrained);
  ASSERT_THAT(deaths_, SizeIs(1));
  EXPECT_EQ(deaths_[0].cause, "over the memory limit of 192 MiB");
}

TEST_F(SupervisorTest, KeepsStartingAProcessThatCrashes) {
  on_death_ = [this] {
    if (deaths_.size() == 5) Drain();
  };
  EXPECT_EQ(Run(Options("crash")), kExitDrained);
  ASSERT_THAT(deaths_, SizeIs(5));
  // Each is a process of its own.
  EXPECT_NE(deaths_[0].process_id, deaths_[1].process_id);
}

TEST_F(SupervisorTest, DoesNotStartAgainWhatDiesWhileItDrains) {
  on_ready_ = [this] {
    const std::vector<pid_t> pids = supervisor_->pids();
    kill(pids[0], SIGSTOP);
    Drain();
    kill(pids[0], SIGKILL);
  };
  EXPECT_EQ(Run(Options("run", 2)), kExitDrained);
  EXPECT_THAT(deaths_, SizeIs(1));
}

TEST_F(SupervisorTest, KillsWhatDoesNotDrainInTime) {
  SupervisorOptions options = Options("stubborn");
  options.worker.drain_timeout = absl::Milliseconds(10);
  on_ready_ = [this] { Drain(); };
  EXPECT_EQ(Run(options), kExitFailed);
  // Its tasks are not to blame.
  EXPECT_THAT(deaths_, IsEmpty());
}

TEST_F(SupervisorTest, EndsAtOnceWhenToldTwice) {
  on_ready_ = [this] {
    Drain();
    supervisor_->KillAll(kExitFailed);
  };
  EXPECT_EQ(Run(Options("stubborn", 2)), kExitFailed);
}

TEST_F(SupervisorTest, EndsWhenTheSchedulerRefusesItsProcesses) {
  EXPECT_EQ(Run(Options("refused", 2)), kExitFailed);
  EXPECT_THAT(deaths_, IsEmpty());
}

TEST_F(SupervisorTest, EndsWhenItsProcessesCannotStart) {
  EXPECT_EQ(Run(Options("exit-2")), kExitWrongUse);
}

TEST_F(SupervisorTest, AProgramThatIsNotThereIsTriedAgain) {
  SupervisorOptions options = Options("run");
  options.program = "/nonexistent/program";
  loop_.PostAfter(absl::Milliseconds(20), [this] { Drain(); });
  EXPECT_EQ(Run(options), kExitDrained);
}

TEST_F(SupervisorTest, AllAreGoneWhenTheSupervisorIsKilled) {
  int output[2];
  int held[2];
  ASSERT_EQ(pipe2(output, O_CLOEXEC), 0);
  // Inherited by all, as long as they live.
  ASSERT_EQ(pipe2(held, O_CLOEXEC), 0);
  const auto pid = StartChild(
      {"/bin/sh",
       {"sh", "-c", absl::StrCat("exec ", kProgram, " supervise >&3")},
       {output[1], held[1], held[1], held[1]}});
  ASSERT_TRUE(pid.ok());
  close(output[1]);
  close(held[1]);
  char text[16] = {};
  ASSERT_GT(read(output[0], text, sizeof(text)), 0);
  EXPECT_THAT(text, HasSubstr("ready"));
  kill(*pid, SIGKILL);
  EXPECT_EQ(waitpid(*pid, nullptr, 0), *pid);
  // The end of the pipe comes when its last holder is gone.
  EXPECT_EQ(read(held[0], text, sizeof(text)), 0);
  close(output[0]);
  close(held[0]);
}

TEST(ChildProcessTest, TellsTheCauseOfDeath) {
  EXPECT_EQ(CauseOfDeath(7 << 8), "exit code 7");
  EXPECT_EQ(CauseOfDeath(SIGKILL), "signal 9 (SIGKILL)");
  EXPECT_EQ(CauseOfDeath(SIGABRT | 0x80), "signal 6 (SIGABRT)");
}

// The wait status of a child that runs `script`.
int StatusOf(const std::string& script) {
  const auto pid = StartChild({"/bin/sh", {"sh", "-c", script}, {}});
  EXPECT_TRUE(pid.ok());
  int status = -1;
  EXPECT_EQ(waitpid(*pid, &status, 0), *pid);
  return status;
}

TEST(ChildProcessTest, AChildSeesNoOptionsInItsEnvironment) {
  setenv("INTERNODE_WORKER_NWORKERS", "3", 1);
  EXPECT_EQ(StatusOf("test -z \"$INTERNODE_WORKER_NWORKERS\""), 0);
  unsetenv("INTERNODE_WORKER_NWORKERS");
}

TEST(ChildProcessTest, TheHeapOfAChildAsksForHugePages) {
  unsetenv("GLIBC_TUNABLES");
  EXPECT_EQ(StatusOf("test \"$GLIBC_TUNABLES\" = glibc.malloc.hugetlb=1"), 0);
  // The user's come later, and so count.
  setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0", 1);
  EXPECT_EQ(StatusOf("test \"$GLIBC_TUNABLES\" = "
                     "glibc.malloc.hugetlb=1:glibc.malloc.hugetlb=0"),
            0);
  unsetenv("GLIBC_TUNABLES");
}

}  // namespace
}  // namespace internode::worker
