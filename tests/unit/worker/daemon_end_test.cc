// How the program internode-worker ends: drained, at once, or with those that
// it cannot be without.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "absl/strings/str_cat.h"

#include "core/interval_set.h"
#include "tests/unit/worker/daemon_testutil.h"
#include "tests/unit/worker/fake_scheduler.h"
#include "worker/exit_code.h"

namespace internode::worker {
namespace {

using testing::HasSubstr;
using Worker = FakeScheduler::Worker;

class DaemonEndTest : public DaemonTest {
 protected:
  // Until a worker's results of these tasks have come.
  bool AwaitDone(core::Interval tasks) {
    return scheduler_->AwaitWorker([tasks](const Worker& worker) {
      return worker.done.ContainsAll(tasks);
    }) >= 0;
  }
  // Until a worker has said that it drains; it may have said more since.
  bool AwaitDraining() {
    return scheduler_->AwaitWorker([](const Worker& worker) {
      for (const v1::WorkerMessage& message : worker.messages) {
        if (message.has_draining()) return true;
      }
      return false;
    }) >= 0;
  }
};

TEST_F(DaemonEndTest, EndsWhenAllItsProcessesWereDrained) {
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  v1::SchedulerMessage message;
  message.mutable_drain()->set_reason("the operator wishes it");
  scheduler_->Send(worker, message);
  EXPECT_EQ(program.Wait(), ExitCode(kExitDrained));
  const Worker seen = scheduler_->Get(worker);
  bool said = false;
  for (const v1::WorkerMessage& sent : seen.messages) {
    said = said || sent.draining().reason() == "the operator wishes it";
  }
  EXPECT_TRUE(said);
}

TEST_F(DaemonEndTest, DrainsAtSigterm) {
  Program program(Arguments({"--nworkers", "2"}));
  program.AwaitReady();
  kill(program.pid(), SIGTERM);
  EXPECT_EQ(program.Wait(), ExitCode(kExitDrained));
}

TEST_F(DaemonEndTest, WaitsForItsFramesToBeAcknowledgedBeforeItEnds) {
  scheduler_->set_acknowledge(false);
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  scheduler_->Send(worker, LeaseOf(0, 100));
  ASSERT_TRUE(AwaitDone({0, 100}));
  kill(program.pid(), SIGTERM);
  ASSERT_TRUE(AwaitDraining());
  // It is still there.
  EXPECT_EQ(kill(program.pid(), 0), 0);
  EXPECT_FALSE(scheduler_->Get(worker).gone);
  scheduler_->Acknowledge(worker,
                          scheduler_->Get(worker).frames.back().sequence());
  EXPECT_EQ(program.Wait(), ExitCode(kExitDrained));
}

TEST_F(DaemonEndTest, EndsAtOnceAtASecondSignal) {
  scheduler_->set_acknowledge(false);
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  scheduler_->Send(worker, LeaseOf(0, 100));
  ASSERT_TRUE(AwaitDone({0, 100}));
  kill(program.pid(), SIGTERM);
  ASSERT_TRUE(AwaitDraining());
  kill(program.pid(), SIGINT);
  EXPECT_EQ(program.Wait(), ExitCode(kExitFailed));
}

TEST_F(DaemonEndTest, DrainsBeforeItsLifetimeEnds) {
  Program program(Arguments({"--lifetime", "100ms"}));
  EXPECT_EQ(program.Wait(), ExitCode(kExitDrained));
  EXPECT_THAT(program.log(), HasSubstr("its lifetime ends"));
}

TEST_F(DaemonEndTest, DrainsBeforeTheBatchSystemEndsIt) {
  setenv("SLURM_JOB_END_TIME", absl::StrCat(time(nullptr) + 5).c_str(), 1);
  Program program(Arguments());
  unsetenv("SLURM_JOB_END_TIME");
  EXPECT_EQ(program.Wait(), ExitCode(kExitDrained));
  EXPECT_THAT(program.log(), HasSubstr("the batch system's time ends"));
}

TEST_F(DaemonEndTest, EndsWithoutASchedulerForTooLong) {
  const std::string address = scheduler_->address();
  scheduler_ = nullptr;
  Program program({address, "--death-timeout", "100ms"});
  EXPECT_EQ(program.Wait(), ExitCode(kExitFailed));
  EXPECT_THAT(program.log(), HasSubstr("no scheduler for "));
}

TEST_F(DaemonEndTest, AllAreGoneWhenTheLifelineIsCut) {
  Program program(Arguments({"--nworkers", "2"}));
  program.AwaitReady();
  program.CutLifeline();
  EXPECT_EQ(program.Wait(), ExitCode(kExitFailed));
}

TEST_F(DaemonEndTest, AllAreGoneWhenTheSupervisorIsKilled) {
  Program program(Arguments({"--nworkers", "2"}));
  program.AwaitReady();
  kill(program.pid(), SIGKILL);
  EXPECT_EQ(program.Wait(), SIGKILL);
}

}  // namespace
}  // namespace internode::worker
