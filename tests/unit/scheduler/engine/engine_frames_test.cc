#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/engine/engine_driver.h"

namespace internode::scheduler {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Call = testing::MemoryFileSystem::Call;

// Leases cover few tasks while nothing was measured: goes on until the job has
// ended, a frame for each lease.
void WorkOff(EngineDriver* driver, FakeWorker* worker, size_t first_lease = 0) {
  for (size_t i = first_lease; i < worker->leases().size(); ++i) {
    const v1::Lease lease = worker->leases()[i];
    worker->SendFrame(lease.job(), lease.lease_id(),
                      {lease.tasks().begin(), lease.tasks().end()});
    driver->Run();
  }
}

TEST(EngineFramesTest, AJobIsDoneWhenItsFramesAreDurable) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(100);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_QUEUED);
  FakeWorker worker = driver.Join(2, kProcess);
  ASSERT_FALSE(worker.leases().empty());
  EXPECT_TRUE(worker.leases()[0].has_plan());
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_RUNNING);
  WorkOff(&driver, &worker);
  const v1::JobInfo info = *driver.Job(job);
  EXPECT_EQ(info.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(info.tasks_done(), 100);
  EXPECT_GT(info.spool_bytes(), 0);
  EXPECT_EQ(worker.acknowledged(), worker.leases().size());
}

TEST(EngineFramesTest, ThePlanIsSentWithTheFirstLeaseAlone) {
  EngineDriver driver;
  driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  WorkOff(&driver, &worker);
  int plans = 0;
  for (const v1::Lease& lease : worker.leases()) plans += lease.has_plan();
  EXPECT_EQ(plans, 1);
  EXPECT_TRUE(worker.told().back().has_forget_job());
}

TEST(EngineFramesTest, NothingIsAcknowledgedBeforeItIsDurable) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(10);
  FakeWorker worker = driver.Join(1, kProcess);
  driver.files().Fail(Call::kAppendSync, absl::UnavailableError("disk fails"));
  const v1::Lease lease = worker.leases()[0];
  worker.SendFrame(job, lease.lease_id(),
                   {lease.tasks().begin(), lease.tasks().end()});
  driver.Run();
  EXPECT_EQ(worker.acknowledged(), 0u);
  EXPECT_EQ(driver.Job(job)->tasks_done(), 0);
  driver.files().SetFault(nullptr);
  driver.Advance(SpoolWriter::kProbeInterval);
  EXPECT_EQ(worker.acknowledged(), 1u);
  EXPECT_EQ(driver.Job(job)->tasks_done(), lease.tasks().end());
}

TEST(EngineFramesTest, AcknowledgesInOrder) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(4, kProcess);
  ASSERT_GE(worker.leases().size(), 2u);
  const v1::Lease first = worker.leases()[0];
  driver.files().Fail(Call::kAppendSync, absl::UnavailableError("disk fails"));
  worker.SendFrame(job, first.lease_id(),
                   {first.tasks().begin(), first.tasks().end()});
  // Not wanted: the same tasks again.
  worker.SendFrame(job, first.lease_id(),
                   {first.tasks().begin(), first.tasks().end()});
  driver.Run();
  // Nothing is said of the second before the first is durable.
  EXPECT_EQ(worker.acknowledged(), 0u);
  driver.files().SetFault(nullptr);
  driver.Advance(SpoolWriter::kProbeInterval);
  EXPECT_EQ(worker.acknowledged(), 2u);
}

TEST(EngineFramesTest, ADuplicateIsAcknowledgedAndNotStored) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(100);
  FakeWorker worker = driver.Join(1, kProcess);
  const v1::Lease lease = worker.leases()[0];
  const internode::core::Interval tasks = {lease.tasks().begin(),
                                           lease.tasks().end()};
  worker.SendFrame(job, lease.lease_id(), tasks);
  driver.Run();
  const int64_t bytes = driver.Job(job)->spool_bytes();
  const uint64_t again = worker.SendFrame(job, lease.lease_id(), tasks);
  driver.Run();
  EXPECT_EQ(worker.acknowledged(), again);
  EXPECT_EQ(driver.Job(job)->spool_bytes(), bytes);
  EXPECT_FALSE(worker.closed().has_value());
}

TEST(EngineFramesTest, AFullDiskHoldsFramesAndLeasesBackUntilThereIsRoom) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  driver.files().SetCapacity(0);
  WorkOff(&driver, &worker);
  EXPECT_EQ(worker.acknowledged(), 0u);
  const size_t leases = worker.leases().size();
  const auto cluster = driver.Call<v1::GetClusterResponse>(
      [&](auto reply) { driver.engine().GetCluster(std::move(reply)); });
  EXPECT_THAT((*cluster)->not_ready(), ::testing::HasSubstr("full"));
  EXPECT_THAT(driver.Job(job)->message(), ::testing::HasSubstr("full"));
  // A new job is refused with the reason.
  const auto refused = driver.Submit(Submission(1, std::string(16, 'x')));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status().code(), absl::StatusCode::kResourceExhausted);
  // It is tried now and then, …
  driver.Advance(SpoolWriter::kProbeInterval);
  EXPECT_EQ(worker.acknowledged(), 0u);
  EXPECT_EQ(worker.leases().size(), leases);
  // … and goes on when there is room.
  driver.files().SetCapacity(int64_t{1} << 30);
  worker.Heartbeat();
  driver.Advance(SpoolWriter::kProbeInterval);
  EXPECT_EQ(worker.acknowledged(), leases);
  WorkOff(&driver, &worker, leases);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
}

TEST(EngineFramesTest, LateFramesOfALostWorkerCount) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(20);
  FakeWorker worker = driver.Join(1, kProcess);
  const v1::Lease lease = worker.leases()[0];
  // Silent for too long, but its streams are there.
  driver.Advance(absl::Seconds(31));
  ASSERT_TRUE(worker.closed().has_value());
  EXPECT_EQ(worker.closed()->code(), absl::StatusCode::kAborted);
  // It comes back and offers what it has.
  v1::Offer offer;
  offer.set_job(job);
  *offer.add_tasks() = lease.tasks();
  FakeWorker back = driver.Join(1, kProcess, {offer});
  ASSERT_TRUE(back.told()[1].has_offer_answer());
  const v1::OfferAnswer answer = back.told()[1].offer_answer();
  ASSERT_THAT(answer.wanted(), SizeIs(1));
  EXPECT_TRUE(answer.has_plan());
  back.SendFrame(job, answer.lease_id(),
                 {lease.tasks().begin(), lease.tasks().end()});
  driver.Run();
  EXPECT_EQ(back.acknowledged(), 1u);
  EXPECT_EQ(driver.Job(job)->tasks_done(), lease.tasks().end());
}

TEST(EngineFramesTest, FramesOfAForgottenJobAreAcknowledged) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(20);
  FakeWorker worker = driver.Join(1, kProcess);
  v1::CancelJobRequest cancel;
  cancel.set_job_id("j000001");
  driver.Call<v1::CancelJobResponse>(
      [&](auto reply) { driver.engine().CancelJob(cancel, std::move(reply)); });
  v1::ForgetJobRequest forget;
  forget.set_job_id("j000001");
  const auto forgotten = driver.Call<v1::ForgetJobResponse>(
      [&](auto reply) { driver.engine().ForgetJob(forget, std::move(reply)); });
  ASSERT_TRUE((*forgotten).ok());
  const v1::Lease lease = worker.leases()[0];
  worker.SendFrame(job, lease.lease_id(), {0, 1});
  driver.Run();
  EXPECT_EQ(worker.acknowledged(), 1u);
  EXPECT_THAT(driver.files().FilesBelow("/state/spool"), IsEmpty());
  EXPECT_EQ(driver.Job(job).status().code(), absl::StatusCode::kNotFound);
}

// ---- lies ----

TEST(EngineFramesTest, FramesBeyondTheLeaseEndTheConnection) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  const v1::Lease lease = worker.leases()[0];
  worker.SendFrame(job, lease.lease_id(), {500, 600});
  driver.Run();
  ASSERT_TRUE(worker.closed().has_value());
  EXPECT_TRUE(worker.data_closed().has_value());
  EXPECT_EQ(driver.Job(job)->tasks_done(), 0);
  // Its tasks go to another.
  FakeWorker other = driver.Join(1, kOther);
  WorkOff(&driver, &other);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
}

TEST(EngineFramesTest, FramesForALeaseThatNeverWasEndTheConnection) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  worker.SendFrame(job, uint64_t{1} << 60, {0, 1});
  driver.Run();
  EXPECT_TRUE(worker.closed().has_value());
  EXPECT_EQ(driver.Job(job)->tasks_done(), 0);
}

TEST(EngineFramesTest, FramesOutOfSequenceEndTheConnection) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  worker.SendFrameAs(2, job, worker.leases()[0].lease_id(), {0, 1});
  driver.Run();
  ASSERT_TRUE(worker.data_closed().has_value());
  EXPECT_EQ(worker.data_closed()->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(worker.closed().has_value());
  EXPECT_EQ(driver.Job(job)->tasks_done(), 0);
}

TEST(EngineFramesTest, ADataStreamNeedsASession) {
  EngineDriver driver;
  driver.SubmitTasks(10);
  FakeWorker worker = driver.Join(1, kProcess);
  // A second one for the same session is refused, the first goes on.
  FakeWorker twin = worker;
  twin.Attach();
  driver.Run();
  ASSERT_TRUE(worker.data_closed().has_value());
  EXPECT_EQ(worker.data_closed()->code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(worker.closed().has_value());
}

TEST(EngineFramesTest, TheEndOfADataStreamEndsTheConnection) {
  EngineDriver driver;
  driver.SubmitTasks(10);
  FakeWorker worker = driver.Join(1, kProcess);
  worker.CloseData();
  driver.Run();
  ASSERT_TRUE(worker.closed().has_value());
  EXPECT_EQ(worker.closed()->code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace internode::scheduler
