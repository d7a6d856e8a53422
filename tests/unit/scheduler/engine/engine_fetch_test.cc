#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/engine/engine_driver.h"

namespace internode::scheduler {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Interval = internode::core::Interval;

TEST(EngineFetchTest, WaitsForTheTaskThatIsNext) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  auto step = std::make_shared<std::optional<absl::StatusOr<FetchStep>>>();
  driver.engine().NextFetch(
      "j000001", 0, -1, false, driver.engine().NewId(),
      [step](absl::StatusOr<FetchStep> next) { *step = std::move(next); });
  driver.Run();
  EXPECT_FALSE(step->has_value());
  const v1::Lease lease = worker.leases()[0];
  worker.SendFrame(job, lease.lease_id(),
                   {lease.tasks().begin(), lease.tasks().end()});
  driver.Run();
  ASSERT_TRUE(step->has_value());
  ASSERT_TRUE((*step)->ok());
  EXPECT_EQ((**step)->ready, (Interval{0, lease.tasks().end()}));
  EXPECT_EQ((**step)->end, 1000);
  EXPECT_TRUE((**step)->spool->Find(0).has_value());
}

TEST(EngineFetchTest, GoesOnFromAnyTaskToAnyTask) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(4);
  FakeWorker worker = driver.Join(1, kProcess);
  for (size_t i = 0; i < worker.leases().size(); ++i) {
    const v1::Lease lease = worker.leases()[i];
    worker.SendFrame(job, lease.lease_id(),
                     {lease.tasks().begin(), lease.tasks().end()});
    driver.Run();
  }
  EXPECT_EQ((*driver.Fetch(job, 1, 3))->ready, (Interval{1, 3}));
  EXPECT_EQ((*driver.Fetch(job, 2))->ready, (Interval{2, 4}));
  // Nothing more comes.
  for (const int64_t end : {-1, 4}) {
    const auto step = driver.Fetch(job, 4, end);
    ASSERT_TRUE(step->ok());
    EXPECT_EQ((*step)->ready.size(), 0);
    EXPECT_THAT((*step)->failures, IsEmpty());
  }
}

TEST(EngineFetchTest, RefusesTasksOutsideTheJob) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(4);
  const std::pair<int64_t, int64_t> wrong[] = {
      {-1, -1}, {5, -1}, {3, 2}, {0, 5}};
  for (const auto& [task, end] : wrong) {
    EXPECT_EQ(driver.Fetch(job, task, end)->status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(driver.Fetch(17, 0)->status().code(), absl::StatusCode::kNotFound);
}

TEST(EngineFetchTest, DoneOnlyDoesNotWait) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(4);
  const auto step = driver.Fetch(job, 0, -1, true);
  ASSERT_TRUE(step.has_value() && step->ok());
  EXPECT_EQ((*step)->ready.size(), 0);
  EXPECT_THAT((*step)->failures, IsEmpty());
}

TEST(EngineFetchTest, FailedTasksComeAsFailures) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(6);
  FakeWorker worker = driver.Join(1, kProcess);
  for (size_t i = 0; i < worker.leases().size(); ++i) {
    const v1::Lease lease = worker.leases()[i];
    v1::WorkerMessage message;
    v1::TasksFailed* const failed = message.mutable_tasks_failed();
    failed->set_job(job);
    failed->set_lease_id(lease.lease_id());
    *failed->mutable_tasks() = lease.tasks();
    failed->set_message("no such chunk");
    worker.Say(std::move(message));
    driver.Run();
  }
  // All of them, in order, from any one on.
  for (int64_t first = 0; first < 6; ++first) {
    int64_t next = first;
    while (next < 6) {
      const auto step = driver.Fetch(job, next);
      ASSERT_TRUE(step->ok()) << step->status();
      ASSERT_FALSE((*step)->failures.empty());
      for (const FetchStep::Failure& failure : (*step)->failures) {
        EXPECT_EQ(failure.tasks.begin, next);
        EXPECT_EQ(failure.failure.task(), next);
        EXPECT_EQ(failure.failure.message(), "no such chunk");
        next = failure.tasks.end;
      }
    }
    EXPECT_EQ(next, 6);
  }
}

TEST(EngineFetchTest, AStoppedJobEndsTheFetchWithAnError) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(4);
  v1::CancelJobRequest request;
  request.set_job_id("j000001");
  driver.Call<v1::CancelJobResponse>([&](auto reply) {
    driver.engine().CancelJob(request, std::move(reply));
  });
  EXPECT_EQ(driver.Fetch(job, 0)->status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(driver.Fetch(job, 0, -1, true)->ok());
}

TEST(EngineFetchTest, WhoStopsWaitingIsLetGo) {
  EngineDriver driver;
  driver.SubmitTasks(4);
  const auto held = std::make_shared<int>(0);
  const uint64_t waiter = driver.engine().NewId();
  driver.engine().NextFetch("j000001", 0, -1, false, waiter,
                            [held](const absl::StatusOr<FetchStep>&) {});
  driver.Run();
  EXPECT_EQ(held.use_count(), 2);
  driver.engine().StopWaiting(waiter);
  driver.Run();
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace internode::scheduler
