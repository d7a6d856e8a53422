#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/engine/engine_driver.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Watcher final : public JobWatcher {
 public:
  void Update(const v1::JobInfo& info) override { updates.push_back(info); }
  void End(const absl::Status& status) override { end = status; }

  std::vector<v1::JobInfo> updates;
  std::optional<absl::Status> end;
};

std::optional<absl::StatusOr<v1::CancelJobResponse>> Cancel(
    EngineDriver* driver, const std::string& id) {
  v1::CancelJobRequest request;
  request.set_job_id(id);
  request.set_reason("not needed");
  return driver->Call<v1::CancelJobResponse>([&](auto reply) {
    driver->engine().CancelJob(request, std::move(reply));
  });
}

std::optional<absl::StatusOr<v1::ForgetJobResponse>> Forget(
    EngineDriver* driver, const std::string& id) {
  v1::ForgetJobRequest request;
  request.set_job_id(id);
  return driver->Call<v1::ForgetJobResponse>([&](auto reply) {
    driver->engine().ForgetJob(request, std::move(reply));
  });
}

// Fails all that the worker was given from its lease number `first` on.
void FailAll(EngineDriver* driver, FakeWorker* worker, size_t first = 0) {
  for (size_t i = first; i < worker->leases().size(); ++i) {
    const v1::Lease lease = worker->leases()[i];
    v1::WorkerMessage message;
    v1::TasksFailed* const failed = message.mutable_tasks_failed();
    failed->set_job(lease.job());
    failed->set_lease_id(lease.lease_id());
    *failed->mutable_tasks() = lease.tasks();
    failed->set_message("the file is gone");
    worker->Say(std::move(message));
    driver->Run();
  }
}

TEST(EngineJobsTest, ASubmissionIsAnsweredWhenItIsDurable) {
  EngineDriver driver;
  driver.journal().Fail(absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(driver.Submit(Submission(5, kRequest)).has_value());
  EXPECT_EQ(driver.Job(1).status().code(), absl::StatusCode::kNotFound);
  // The same request again waits for the same job; another is refused.
  EXPECT_FALSE(driver.Submit(Submission(5, kRequest)).has_value());
  EXPECT_EQ(driver.Submit(Submission(5, std::string(16, 'q')))->status().code(),
            absl::StatusCode::kResourceExhausted);
  // A worker that joins meanwhile gets nothing that is not durable.
  FakeWorker worker = driver.Join(1, kProcess);
  EXPECT_THAT(worker.leases(), IsEmpty());
  driver.journal().Fail(absl::OkStatus());
  driver.Advance(absl::Seconds(1));
  EXPECT_EQ(driver.Job(1)->state(), v1::JOB_STATE_RUNNING);
  EXPECT_THAT(worker.leases(), ::testing::Not(IsEmpty()));
  EXPECT_EQ(**driver.Submit(Submission(5, kRequest)), "j000001");
}

TEST(EngineJobsTest, ARequestThatIsSentAgainGivesTheSameJob) {
  EngineDriver driver;
  EXPECT_EQ(**driver.Submit(Submission(5, kRequest)), "j000001");
  EXPECT_EQ(**driver.Submit(Submission(5, kRequest)), "j000001");
  EXPECT_EQ(**driver.Submit(Submission(5, std::string(16, 'q'))), "j000002");
  driver.Restart();
  EXPECT_EQ(**driver.Submit(Submission(5, kRequest)), "j000001");
}

TEST(EngineJobsTest, TakesSoManyJobsAndNoMore) {
  EngineOptions options;
  options.most_active_jobs = 3;
  EngineDriver driver(options);
  for (int i = 0; i < 3; ++i) driver.SubmitTasks(1);
  const auto refused = driver.Submit(Submission(1, kRequest));
  EXPECT_EQ(refused->status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(Cancel(&driver, "j000002")->ok());
  EXPECT_TRUE(driver.Submit(Submission(1, kRequest))->ok());
}

std::string RequestId(int number) {
  return absl::StrFormat("request %08d", 1'000'000 + number);
}

TEST(EngineJobsTest, TakesSoManyJobsOfAnOwner) {
  EngineOptions options;
  options.most_active_jobs_of_owner = 2;
  EngineDriver driver(options);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(driver.Submit(Submission(1, RequestId(i)), "alice")->ok());
  }
  const auto refused = driver.Submit(Submission(1, RequestId(2)), "alice");
  EXPECT_EQ(refused->status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused->status().message()),
              ::testing::HasSubstr("'alice' has 2 jobs"));
  EXPECT_TRUE(driver.Submit(Submission(1, RequestId(3)), "bob")->ok());
  // Whose jobs they are is known after a restart too.
  driver.Restart();
  EXPECT_FALSE(driver.Submit(Submission(1, RequestId(4)), "alice")->ok());
  EXPECT_EQ(driver.Job(1)->owner(), "alice");
  ASSERT_TRUE(Cancel(&driver, "j000001")->ok());
  EXPECT_TRUE(driver.Submit(Submission(1, RequestId(5)), "alice")->ok());
}

TEST(EngineJobsTest, WhoOwnsAJobIsNotTheClientsToSay) {
  EngineDriver driver;
  v1::SubmitJobRequest request = Submission(1, kRequest);
  request.set_owner("root");
  ASSERT_TRUE(driver.Submit(request, "alice")->ok());
  EXPECT_EQ(driver.Job(1)->owner(), "alice");
}

TEST(EngineJobsTest, TakesSoManyTasksOfAJob) {
  EngineOptions options;
  options.most_tasks = 100;
  EngineDriver driver(options);
  EXPECT_TRUE(driver.Submit(Submission(100, RequestId(1)))->ok());
  const auto refused = driver.Submit(Submission(101, RequestId(2)));
  EXPECT_EQ(refused->status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused->status().message()),
              ::testing::HasSubstr("--max-tasks"));
}

TEST(EngineJobsTest, AJobWhoseResultsBecomeTooLargeFails) {
  EngineOptions options;
  options.most_spool_bytes_of_job = 200;
  options.most_spool_bytes_of_owner = 200;
  EngineDriver driver(options);
  const uint64_t job = driver.SubmitTasks(100);
  FakeWorker worker = driver.Join(1, kProcess);
  const uint64_t lease = worker.leases().at(0).lease_id();
  int64_t task = 0;
  while (driver.Job(job)->state() == v1::JOB_STATE_RUNNING && task < 100) {
    worker.SendFrame(job, lease, {task, task + 1});
    ++task;
    driver.Run();
  }
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_FAILED);
  EXPECT_LT(task, 20);
  EXPECT_THAT(driver.Job(job)->message(),
              ::testing::HasSubstr("--max-job-spool"));
  // All of it still lies there.
  const auto refused = driver.Submit(Submission(1, kRequest));
  EXPECT_EQ(refused->status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused->status().message()),
              ::testing::HasSubstr("--max-client-spool"));
  EXPECT_TRUE(driver.Submit(Submission(1, kRequest), "bob")->ok());
}

TEST(EngineJobsTest, AJobWithoutTasksIsCompleteAtOnce) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(0);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
}

TEST(EngineJobsTest, ACancelledJobSaysWhyAndFreesItsWorkers) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(100);
  FakeWorker worker = driver.Join(1, kProcess);
  const auto cancelled = Cancel(&driver, "j000001");
  ASSERT_TRUE(cancelled->ok());
  EXPECT_EQ((*cancelled)->job().state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(driver.Job(job)->message(), "not needed");
  int revoked = 0;
  for (const auto& message : worker.told()) {
    if (!message.has_revoke()) continue;
    ++revoked;
    EXPECT_EQ(message.revoke().job(), job);
  }
  EXPECT_GT(revoked, 0);
  EXPECT_TRUE(worker.told().back().has_forget_job());
  driver.Restart();
  EXPECT_EQ(driver.Job(job)->message(), "not needed");
}

TEST(EngineJobsTest, OnlyAJobThatEndedIsForgotten) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(10);
  EXPECT_EQ(Forget(&driver, "j000001")->status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Cancel(&driver, "j000001")->ok());
  EXPECT_TRUE(Forget(&driver, "j000001")->ok());
  EXPECT_EQ(Forget(&driver, "j000001")->status().code(),
            absl::StatusCode::kNotFound);
  driver.Restart();
  EXPECT_EQ(driver.Job(job).status().code(), absl::StatusCode::kNotFound);
}

TEST(EngineJobsTest, OldJobsAreForgotten) {
  EngineOptions options;
  options.retain = absl::Hours(24);
  EngineDriver driver(options);
  const uint64_t ended = driver.SubmitTasks(0);
  const uint64_t queued = driver.SubmitTasks(10);
  driver.Advance(absl::Hours(23));
  EXPECT_TRUE(driver.Job(ended).ok());
  driver.Advance(absl::Hours(2));
  EXPECT_EQ(driver.Job(ended).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(driver.Job(queued).ok());
}

TEST(EngineJobsTest, FailuresAreListedWithTheirPlaces) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(50);
  FakeWorker worker = driver.Join(1, kProcess);
  FailAll(&driver, &worker);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED_WITH_FAILURES);
  v1::ListFailuresRequest request;
  request.set_job_id("j000001");
  request.set_limit(3);
  request.set_from_task(20);
  const auto failures = driver.Call<v1::ListFailuresResponse>([&](auto reply) {
    driver.engine().ListFailures(request, std::move(reply));
  });
  ASSERT_TRUE(failures->ok());
  EXPECT_EQ((*failures)->total(), 50);
  ASSERT_EQ((*failures)->failures_size(), 3);
  EXPECT_EQ((*failures)->failures(0).task(), 20);
  EXPECT_EQ((*failures)->failures(0).location(), "sample=20:21");
  EXPECT_EQ((*failures)->failures(0).message(), "the file is gone");
  EXPECT_EQ((*failures)->failures(0).attempts(), 1u);
  request.set_limit(10'001);
  EXPECT_EQ(driver
                .Call<v1::ListFailuresResponse>([&](auto reply) {
                  driver.engine().ListFailures(request, std::move(reply));
                })
                ->status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(EngineJobsTest, FailedTasksAreRetried) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(5);
  FakeWorker worker = driver.Join(1, kProcess);
  FailAll(&driver, &worker);
  const size_t leases = worker.leases().size();
  v1::RetryJobRequest request;
  request.set_job_id("j000001");
  const auto retried = driver.Call<v1::RetryJobResponse>(
      [&](auto reply) { driver.engine().RetryJob(request, std::move(reply)); });
  ASSERT_TRUE(retried->ok()) << retried->status();
  EXPECT_EQ((*retried)->job().state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ((*retried)->job().ended_ns(), 0);
  ASSERT_GT(worker.leases().size(), leases);
  // It was told to forget the job: the plan comes again.
  EXPECT_TRUE(worker.leases()[leases].has_plan());
  // A job that runs is not retried.
  EXPECT_EQ(driver
                .Call<v1::RetryJobResponse>([&](auto reply) {
                  driver.engine().RetryJob(request, std::move(reply));
                })
                ->status()
                .code(),
            absl::StatusCode::kFailedPrecondition);
  FailAll(&driver, &worker, leases);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED_WITH_FAILURES);
}

TEST(EngineJobsTest, FailFastStopsAtTheFirstFailure) {
  EngineDriver driver;
  v1::SubmitJobRequest request = Submission(1000, kRequest);
  request.mutable_policy()->set_fail_fast(true);
  ASSERT_TRUE(driver.Submit(request)->ok());
  FakeWorker worker = driver.Join(1, kProcess);
  FailAll(&driver, &worker);
  const v1::JobInfo info = *driver.Job(1);
  EXPECT_EQ(info.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(info.message(), HasSubstr("failed"));
}

TEST(EngineJobsTest, ExplainsWhyAJobWaits) {
  EngineDriver driver;
  driver.SubmitTasks(10);
  v1::ExplainRequest request;
  request.set_job_id("j000001");
  const auto explain = [&] {
    return *driver.Call<v1::ExplainResponse>([&](auto reply) {
      driver.engine().Explain(request, std::move(reply));
    });
  };
  EXPECT_THAT(explain()->reasons(0), HasSubstr("no worker is connected"));
  request.set_task(3);
  EXPECT_THAT(explain()->reasons(0), HasSubstr("no worker is connected"));
  request.set_task(10);
  EXPECT_EQ(explain().status().code(), absl::StatusCode::kInvalidArgument);
  request.set_job_id("j000002");
  EXPECT_EQ(explain().status().code(), absl::StatusCode::kNotFound);
  request.set_job_id("seventeen");
  EXPECT_EQ(explain().status().code(), absl::StatusCode::kInvalidArgument);
}

// ---- watching ----

TEST(EngineJobsTest, WatchersAreToldAtMostTenTimesASecond) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  const auto watcher = std::make_shared<Watcher>();
  driver.engine().WatchJob("j000001", driver.engine().NewId(), watcher);
  driver.Run();
  ASSERT_THAT(watcher->updates, SizeIs(1));
  EXPECT_EQ(watcher->updates[0].state(), v1::JOB_STATE_QUEUED);
  FakeWorker worker = driver.Join(1, kProcess);
  const v1::Lease lease = worker.leases()[0];
  worker.SendFrame(job, lease.lease_id(), {0, 1});
  driver.Run();
  EXPECT_THAT(watcher->updates, SizeIs(1));
  driver.Advance(absl::Milliseconds(100));
  ASSERT_THAT(watcher->updates, SizeIs(2));
  EXPECT_EQ(watcher->updates[1].tasks_done(), 1);
  // Nothing happens, nothing is told.
  driver.Advance(absl::Seconds(1));
  EXPECT_THAT(watcher->updates, SizeIs(2));
  // The end is told at once.
  ASSERT_TRUE(Cancel(&driver, "j000001")->ok());
  EXPECT_EQ(watcher->updates.back().state(), v1::JOB_STATE_CANCELLED);
  ASSERT_TRUE(watcher->end.has_value());
  EXPECT_TRUE(watcher->end->ok());
}

TEST(EngineJobsTest, WatchingAnEndedOrUnknownJobEndsAtOnce) {
  EngineDriver driver;
  driver.SubmitTasks(0);
  const auto ended = std::make_shared<Watcher>();
  driver.engine().WatchJob("j000001", driver.engine().NewId(), ended);
  const auto unknown = std::make_shared<Watcher>();
  driver.engine().WatchJob("j000009", driver.engine().NewId(), unknown);
  driver.Run();
  EXPECT_THAT(ended->updates, SizeIs(1));
  EXPECT_TRUE(ended->end->ok());
  EXPECT_THAT(unknown->updates, IsEmpty());
  EXPECT_EQ(unknown->end->code(), absl::StatusCode::kNotFound);
}

TEST(EngineJobsTest, WhoStopsWatchingIsToldNothingMore) {
  EngineDriver driver;
  driver.SubmitTasks(10);
  const auto watcher = std::make_shared<Watcher>();
  const uint64_t watch = driver.engine().NewId();
  driver.engine().WatchJob("j000001", watch, watcher);
  driver.Run();
  driver.engine().StopWatching(watch);
  ASSERT_TRUE(Cancel(&driver, "j000001")->ok());
  EXPECT_THAT(watcher->updates, SizeIs(1));
  EXPECT_FALSE(watcher->end.has_value());
  EXPECT_EQ(watcher.use_count(), 1);
}

// ---- stopping ----

TEST(EngineJobsTest, AStoppedEngineAnswersThatItIsStopping) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(10);
  FakeWorker worker = driver.Join(1, kProcess);
  const auto watcher = std::make_shared<Watcher>();
  driver.engine().WatchJob("j000001", driver.engine().NewId(), watcher);
  driver.Run();
  const v1::Lease lease = worker.leases()[0];
  worker.SendFrame(job, lease.lease_id(), {0, 1});
  driver.engine().Stop();
  // What had arrived was made durable and acknowledged.
  EXPECT_EQ(worker.acknowledged(), 1u);
  EXPECT_EQ(worker.closed()->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(worker.data_closed()->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(watcher->end->code(), absl::StatusCode::kUnavailable);
  // All that comes later is answered, too.
  EXPECT_EQ(driver.Submit(Submission(1, kRequest))->status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Cancel(&driver, "j000001")->status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(driver.Fetch(job, 5)->status().code(),
            absl::StatusCode::kUnavailable);
  FakeWorker late(&driver.engine(), std::string(16, 'z'));
  late.Connect(1);
  driver.Run();
  EXPECT_EQ(late.closed()->code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace internode::scheduler
