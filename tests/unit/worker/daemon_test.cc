// The program internode-worker against a scheduler that is a test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/types.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "rpc/peer.h"
#include "tests/unit/worker/daemon_testutil.h"
#include "tests/unit/worker/fake_scheduler.h"
#include "worker/exit_code.h"

namespace internode::worker {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Worker = FakeScheduler::Worker;

TEST_F(DaemonTest, SaysWhoItIsAndIsReady) {
  Program program(Arguments(
      {"--nworkers", "2", "--name", "node7", "--memory-limit", "1GiB"}));
  EXPECT_THAT(program.AwaitReady(), HasSubstr("\"processes\":2,\"threads\":1"));
  const int supervisor = scheduler_->AwaitSupervisor(
      [](const Worker& worker) { return !worker.gone; });
  ASSERT_GE(supervisor, 0);
  const v1::Hello boss = scheduler_->Get(supervisor).hello;
  EXPECT_EQ(boss.process_id(), boss.supervisor_id());
  EXPECT_THAT(boss.process_id(), SizeIs(16));
  for (const char* name : {"node7-1", "node7-2"}) {
    const int number = scheduler_->AwaitWorker([&](const Worker& worker) {
      return worker.hello.name() == name && Attached(worker);
    });
    ASSERT_GE(number, 0) << name;
    const v1::Hello hello = scheduler_->Get(number).hello;
    EXPECT_EQ(hello.peer().version(), rpc::LocalPeer().version());
    EXPECT_EQ(hello.slots(), 1u);
    EXPECT_EQ(hello.memory_limit_bytes(), int64_t{512} << 20);
    EXPECT_EQ(hello.supervisor_id(), boss.process_id());
    EXPECT_NE(hello.process_id(), boss.process_id());
    EXPECT_THAT(hello.functions_json(),
                testing::Contains(HasSubstr("\"name\":\"ccdc\"")));
  }
}

TEST_F(DaemonTest, RunsLeasesAndSendsHeartbeats) {
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  scheduler_->Send(worker, LeaseOf(0, 400'000));
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& w) {
    return w.done.ContainsAll({0, 400'000});
  }),
            0);
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& w) {
    return !w.messages.empty() && w.messages.back().has_heartbeat() &&
           w.messages.back().heartbeat().tasks_done() == 400'000 &&
           w.messages.back().heartbeat().held_bytes() == 0;
  }),
            0);
  const Worker seen = scheduler_->Get(worker);
  for (const v1::Frame& frame : seen.frames) {
    EXPECT_EQ(frame.job(), 17u);
    EXPECT_EQ(frame.lease_id(), 1u);
    EXPECT_GT(frame.busy_ns(), 0);
  }
  EXPECT_GT(seen.messages.back().heartbeat().memory_bytes(), 1'000'000);
}

TEST_F(DaemonTest, ConnectsAgainAndOffersWhatWasNotAcknowledged) {
  scheduler_->set_acknowledge(false);
  Program program(Arguments());
  const int first = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(first, 0);
  scheduler_->Send(first, LeaseOf(0, 1000));
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& worker) {
    return worker.done.ContainsAll({0, 1000});
  }),
            0);
  scheduler_->Close(first);
  const int second = scheduler_->AwaitWorker([](const Worker& worker) {
    return Attached(worker) && worker.hello.offers_size() > 0;
  });
  ASSERT_GE(second, 0);
  const v1::Hello hello = scheduler_->Get(second).hello;
  EXPECT_EQ(hello.process_id(), scheduler_->Get(first).hello.process_id());
  ASSERT_EQ(hello.offers_size(), 1);
  EXPECT_EQ(hello.offers(0).job(), 17u);
  EXPECT_EQ(hello.offers(0).tasks(0).begin(), 0);
  EXPECT_EQ(hello.offers(0).tasks(0).end(), 1000);
  v1::SchedulerMessage message;
  v1::OfferAnswer* const answer = message.mutable_offer_answer();
  answer->set_job(17);
  answer->set_lease_id(5);
  answer->add_wanted()->set_begin(10);
  answer->mutable_wanted(0)->set_end(20);
  *answer->mutable_plan() = NoopPlan();
  scheduler_->Send(second, message);
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& worker) {
    return worker.frames.size() == 1 && worker.frames[0].lease_id() == 5 &&
           worker.done.ContainsAll({10, 20}) && worker.done.size() == 10;
  }),
            0);
}

TEST_F(DaemonTest, FindsASchedulerThatWasStartedAgain) {
  Program program(Arguments());
  ASSERT_GE(scheduler_->AwaitWorker(Attached), 0);
  const int port = scheduler_->port();
  scheduler_ = nullptr;
  scheduler_ = std::make_unique<FakeScheduler>(port);
  ASSERT_GE(scheduler_->AwaitWorker(Attached), 0);
  ASSERT_GE(scheduler_->AwaitSupervisor(
                [](const Worker& worker) { return !worker.gone; }),
            0);
}

TEST_F(DaemonTest, ReadsTheSchedulerFileAnewAtEachAttempt) {
  std::string folder = testing::TempDir() + "/file_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/scheduler.json";
  const auto write = [&] {
    std::ofstream(path + ".new")
        << "{\"address\":\"" << scheduler_->address() << "\"}";
    std::filesystem::rename(path + ".new", path);
  };
  Program program({"--scheduler-file", path, "--nthreads", "1"});
  write();
  ASSERT_GE(scheduler_->AwaitWorker(Attached), 0);
  scheduler_ = std::make_unique<FakeScheduler>();
  write();
  ASSERT_GE(scheduler_->AwaitWorker(Attached), 0);
}

TEST_F(DaemonTest, AProcessThatIsKilledIsReportedAndReplaced) {
  Program program(Arguments());
  const int first = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(first, 0);
  const v1::Hello hello = scheduler_->Get(first).hello;
  kill(static_cast<pid_t>(hello.peer().pid()), SIGKILL);
  const int supervisor = scheduler_->AwaitSupervisor([](const Worker& worker) {
    for (const v1::WorkerMessage& message : worker.messages) {
      if (message.has_process_died()) return true;
    }
    return false;
  });
  ASSERT_GE(supervisor, 0);
  for (const v1::WorkerMessage& message :
       scheduler_->Get(supervisor).messages) {
    if (!message.has_process_died()) continue;
    EXPECT_EQ(message.process_died().process_id(), hello.process_id());
    EXPECT_EQ(message.process_died().cause(), "signal 9 (SIGKILL)");
    EXPECT_TRUE(message.process_died().running_known());
    EXPECT_EQ(message.process_died().running_size(), 0);
  }
  EXPECT_GE(scheduler_->AwaitWorker([&](const Worker& worker) {
    return Attached(worker) && worker.hello.process_id() != hello.process_id();
  }),
            0);
}

TEST_F(DaemonTest, ARestartIsReportedWithItsReason) {
  Program program(Arguments());
  const int first = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(first, 0);
  v1::SchedulerMessage message;
  message.mutable_restart()->set_reason("task 3 ran too long");
  scheduler_->Send(first, message);
  EXPECT_GE(scheduler_->AwaitSupervisor([](const Worker& worker) {
    for (const v1::WorkerMessage& died : worker.messages) {
      if (died.process_died().cause() == "task 3 ran too long") return true;
    }
    return false;
  }),
            0);
}

TEST_F(DaemonTest, ARefusalIsFinal) {
  scheduler_->Refuse(grpc::Status(
      grpc::StatusCode::FAILED_PRECONDITION,
      "the worker is of version 0.1.0, the scheduler of version 9.9.9"));
  Program program(Arguments());
  EXPECT_EQ(program.Wait(), ExitCode(kExitFailed));
  EXPECT_THAT(program.log(),
              HasSubstr("refuses this worker: the worker is of version 0.1.0, "
                        "the scheduler of version 9.9.9"));
}

TEST_F(DaemonTest, ASchedulerOfAnotherVersionIsRefused) {
  v1::Peer peer = rpc::LocalPeer();
  peer.set_version("9.9.9");
  scheduler_->SetPeer(peer);
  Program program(Arguments());
  EXPECT_EQ(program.Wait(), ExitCode(kExitFailed));
  EXPECT_THAT(program.log(), HasSubstr("9.9.9"));
}

TEST_F(DaemonTest, ABusySchedulerIsTriedAgain) {
  scheduler_->Refuse(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "not ready yet"));
  Program program(Arguments());
  EXPECT_TRUE(scheduler_->AwaitHellos(6));
  EXPECT_EQ(kill(program.pid(), 0), 0);
}

TEST_F(DaemonTest, AnswersQuestions) {
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  v1::SchedulerMessage message;
  v1::Question* const question = message.mutable_question();
  question->set_question_id(1);
  *question->mutable_plan() = NoopPlan().spec();
  scheduler_->Send(worker, message);
  question->set_question_id(2);
  question->mutable_plan()->set_function("nop");
  scheduler_->Send(worker, message);
  question->set_question_id(3);
  question->clear_plan();
  question->mutable_describe()->set_path("/no/such/cube.nc");
  scheduler_->Send(worker, message);
  const auto answers = [](const Worker& w) {
    std::vector<v1::Answer> found;
    for (const v1::WorkerMessage& sent : w.messages) {
      if (sent.has_answer()) found.push_back(sent.answer());
    }
    return found;
  };
  ASSERT_GE(scheduler_->AwaitWorker(
                [&](const Worker& w) { return answers(w).size() == 3; }),
            0);
  const std::vector<v1::Answer> all = answers(scheduler_->Get(worker));
  EXPECT_EQ(all[0].question_id(), 1u);
  EXPECT_EQ(all[0].code(), 0);
  EXPECT_EQ(all[0].plan().fingerprint(), NoopPlan().fingerprint());
  EXPECT_EQ(all[1].code(), static_cast<int>(absl::StatusCode::kNotFound));
  EXPECT_THAT(all[1].message(), HasSubstr("noop"));
  EXPECT_EQ(all[2].code(), static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(DaemonTest, AJobThatChangedFailsItsTasksRetryably) {
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  v1::SchedulerMessage message = LeaseOf(0, 10);
  v1::JobPlan* const plan = message.mutable_lease()->mutable_plan();
  plan->set_fingerprint(plan->fingerprint() + 1);
  scheduler_->Send(worker, message);
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& w) {
    for (const v1::WorkerMessage& sent : w.messages) {
      if (!sent.has_tasks_failed()) continue;
      EXPECT_TRUE(sent.tasks_failed().retryable());
      EXPECT_EQ(sent.tasks_failed().tasks().end(), 10);
      EXPECT_THAT(sent.tasks_failed().message(),
                  HasSubstr("changed since the job was planned"));
      return true;
    }
    return false;
  }),
            0);
}

TEST_F(DaemonTest, AJobWithThePlanOfAnotherFailsItsTasks) {
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  v1::SchedulerMessage message = LeaseOf(0, 10);
  v1::JobPlan* const plan = message.mutable_lease()->mutable_plan();
  plan->mutable_schema()->mutable_fields(0)->set_name("other");
  scheduler_->Send(worker, message);
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& w) {
    for (const v1::WorkerMessage& sent : w.messages) {
      if (!sent.has_tasks_failed()) continue;
      EXPECT_EQ(sent.tasks_failed().tasks().end(), 10);
      EXPECT_THAT(sent.tasks_failed().message(),
                  HasSubstr("its schema is another"));
      return true;
    }
    return false;
  }),
            0);
}

TEST_F(DaemonTest, ReadsCubesBelowItsDataRootsOnly) {
  Program program(Arguments({"--data-root", testing::TempDir()}));
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  v1::SchedulerMessage message;
  message.mutable_question()->set_question_id(1);
  message.mutable_question()->mutable_describe()->set_path("/etc/passwd");
  scheduler_->Send(worker, message);
  ASSERT_GE(scheduler_->AwaitWorker([](const Worker& w) {
    for (const v1::WorkerMessage& sent : w.messages) {
      if (!sent.has_answer()) continue;
      EXPECT_EQ(sent.answer().code(),
                static_cast<int>(absl::StatusCode::kPermissionDenied));
      return true;
    }
    return false;
  }),
            0);
}

TEST_F(DaemonTest, NonsenseFromTheSchedulerDoesNoHarm) {
  Program program(Arguments());
  const int worker = scheduler_->AwaitWorker(Attached);
  ASSERT_GE(worker, 0);
  scheduler_->Send(worker, LeaseOf(10, 5));
  scheduler_->Send(worker, LeaseOf(-5, 5));
  // A job that cannot be opened; one of the same number and fingerprint as a
  // good one could fail that one's tasks, rightly.
  v1::SchedulerMessage message = LeaseOf(0, 5);
  message.mutable_lease()->set_job(18);
  message.mutable_lease()->mutable_plan()->mutable_spec()->set_chunk_kind(
      v1::JobSpec::CHUNK_KIND_UNIFORM);
  message.mutable_lease()->mutable_plan()->mutable_spec()->set_chunk_size(-1);
  scheduler_->Send(worker, message);
  message.Clear();
  message.mutable_take_back()->set_job(99);
  scheduler_->Send(worker, message);
  message.Clear();
  message.mutable_forget_job()->set_job(99);
  scheduler_->Send(worker, message);
  scheduler_->Send(worker, {});
  scheduler_->Send(worker, LeaseOf(0, 5, 2));
  EXPECT_GE(scheduler_->AwaitWorker([](const Worker& w) {
    return w.done.ContainsAll({0, 5});
  }),
            0);
}

struct WrongUse {
  std::vector<std::string> arguments;
  std::string message;
};

class WrongUseTest : public testing::TestWithParam<WrongUse> {};

TEST_P(WrongUseTest, IsToldInOneLine) {
  Program program(GetParam().arguments);
  EXPECT_EQ(program.Wait(), ExitCode(kExitWrongUse));
  const std::string log = program.log();
  EXPECT_THAT(log, HasSubstr(GetParam().message));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongUseTest,
    testing::Values(
        WrongUse{{}, "no scheduler: give its address"},
        WrongUse{{"localhost"}, "'localhost' is not a scheduler's address"},
        WrongUse{{"localhost:1", "--scheduler-file", "f"}, "not both"},
        WrongUse{{"localhost:1", "--nworkers", "0"}, "--nworkers"},
        WrongUse{{"localhost:1", "--nthreads", "x"}, "--nthreads"},
        WrongUse{{"localhost:1", "--nworker", "2"},
                 "there is no option --nworker (did you mean --nworkers?)"},
        WrongUse{{"localhost:1", "--memory-limit", "much"}, "--memory-limit"},
        WrongUse{{"localhost:1", "--memory-limit", "1MiB"}, "less than 32MiB"},
        WrongUse{{"localhost:1", "--nworkers", "8", "--memory-limit", "64MiB"},
                 "less than 32 MiB for each"},
        WrongUse{{"localhost:1", "--lifetime", "5"}, "--lifetime"},
        WrongUse{{"localhost:1", "--death-timeout", "soon"}, "--death-timeout"},
        WrongUse{{"localhost:1", "--log-format", "xml"}, "--log-format"},
        WrongUse{{"localhost:1", "--data-root", "/no/such/folder"},
                 "cannot use data root '/no/such/folder'"},
        WrongUse{{"localhost:1", "--function-path", "/no/such/folder"},
                 "/no/such/folder"}));

}  // namespace
}  // namespace internode::worker
