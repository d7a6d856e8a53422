#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/engine/engine_driver.h"

namespace internode::scheduler {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using Call = testing::MemoryFileSystem::Call;

// Delivers what the worker is given, up to `most` leases.
void Work(EngineDriver* driver, FakeWorker* worker, size_t most = 1'000'000) {
  for (size_t i = 0; i < worker->leases().size() && i < most; ++i) {
    const v1::Lease lease = worker->leases()[i];
    worker->SendFrame(lease.job(), lease.lease_id(),
                      {lease.tasks().begin(), lease.tasks().end()});
    driver->Run();
  }
}

TEST(EngineRecoveryTest, GoesOnWhereItWasKilled) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  Work(&driver, &worker, 3);
  const int64_t done = driver.Job(job)->tasks_done();
  ASSERT_GT(done, 0);
  ASSERT_LT(done, 1000);
  driver.Restart();
  EXPECT_EQ(driver.Job(job)->tasks_done(), done);
  FakeWorker other = driver.Join(1, kProcess);
  EXPECT_EQ(other.leases()[0].tasks().begin(), done);
  Work(&driver, &other);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ((*driver.Fetch(job, 0))->ready.end, 1000);
}

TEST(EngineRecoveryTest, FramesOfBeforeTheRestartAreTakenWhenOffered) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  FakeWorker worker = driver.Join(1, kProcess);
  const v1::Lease lease = worker.leases()[0];
  driver.Restart();
  v1::Offer offer;
  offer.set_job(job);
  *offer.add_tasks() = lease.tasks();
  FakeWorker back = driver.Join(1, kProcess, {offer});
  ASSERT_TRUE(back.told()[1].has_offer_answer());
  const v1::OfferAnswer answer = back.told()[1].offer_answer();
  back.SendFrame(job, answer.lease_id(),
                 {lease.tasks().begin(), lease.tasks().end()});
  driver.Run();
  EXPECT_EQ(driver.Job(job)->tasks_done(), lease.tasks().end());
}

TEST(EngineRecoveryTest, AnEndedJobIsThereAtOnceAndItsFramesSoon) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(20);
  FakeWorker worker = driver.Join(1, kProcess);
  Work(&driver, &worker);
  driver.Restart();
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(driver.Job(job)->tasks_done(), 20);
  const auto step = driver.Fetch(job, 0);
  ASSERT_TRUE(step.has_value() && step->ok());
  EXPECT_EQ((*step)->ready.end, 20);
  EXPECT_GT(driver.Job(job)->spool_bytes(), 0);
}

TEST(EngineRecoveryTest, WhatIsDamagedIsRunAgain) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(20);
  FakeWorker worker = driver.Join(1, kProcess);
  Work(&driver, &worker);
  ASSERT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
  const std::string file = driver.files().FilesBelow("/state/spool")[0];
  std::string bytes = driver.files().Contents(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  driver.files().SetContents(file, bytes);
  driver.Restart();
  driver.Run();
  const v1::JobInfo info = *driver.Job(job);
  EXPECT_EQ(info.state(), v1::JOB_STATE_RUNNING);
  EXPECT_LT(info.tasks_done(), 20);
  EXPECT_EQ(info.ended_ns(), 0);
  FakeWorker other = driver.Join(1, kProcess);
  Work(&driver, &other);
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
  driver.Restart();
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED);
}

TEST(EngineRecoveryTest, AJobWhoseFramesCannotBeReadFails) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1000);
  const uint64_t other = driver.SubmitTasks(10);
  FakeWorker worker = driver.Join(1, kProcess);
  Work(&driver, &worker, 1);
  driver.files().SetFault([](Call call, const std::string& path) {
    return call == Call::kList && path == "/state/spool/0000000001"
               ? absl::UnavailableError("cannot read the folder")
               : absl::OkStatus();
  });
  driver.Restart();
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(driver.Job(job)->message(),
              ::testing::HasSubstr("cannot read the folder"));
  EXPECT_EQ(driver.Job(other)->state(), v1::JOB_STATE_QUEUED);
}

TEST(EngineRecoveryTest, FailuresSurvive) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(3);
  FakeWorker worker = driver.Join(1, kProcess);
  for (size_t i = 0; i < worker.leases().size(); ++i) {
    v1::WorkerMessage message;
    v1::TasksFailed* const failed = message.mutable_tasks_failed();
    failed->set_job(job);
    failed->set_lease_id(worker.leases()[i].lease_id());
    *failed->mutable_tasks() = worker.leases()[i].tasks();
    failed->set_message("unreadable");
    worker.Say(std::move(message));
    driver.Run();
  }
  driver.Restart();
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED_WITH_FAILURES);
  EXPECT_EQ(driver.Job(job)->tasks_failed(), 3);
  const auto step = driver.Fetch(job, 1);
  ASSERT_TRUE(step.has_value() && step->ok());
  ASSERT_THAT((*step)->failures, Not(IsEmpty()));
  EXPECT_EQ((*step)->failures[0].failure.message(), "unreadable");
}

TEST(EngineRecoveryTest, AJobThatWasNotAnsweredMayBeGone) {
  EngineDriver driver;
  driver.journal().Fail(absl::ResourceExhaustedError("disk full"));
  EXPECT_FALSE(driver.Submit(Submission(5, std::string(16, 'r'))).has_value());
  driver.journal().Fail(absl::OkStatus());
  driver.Restart();
  EXPECT_EQ(driver.Job(1).status().code(), absl::StatusCode::kNotFound);
  // Its folder in the spool is gone, its id free.
  EXPECT_EQ(**driver.Submit(Submission(5, std::string(16, 'r'))), "j000001");
}

}  // namespace
}  // namespace internode::scheduler
