#include "scheduler/engine/submitted_job.h"

#include <cstdint>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/scheduler/engine/engine_driver.h"
#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;

absl::StatusCode CodeOf(const v1::SubmitJobRequest& request) {
  return CheckSubmission(request, "me").status().code();
}

TEST(SubmittedJobTest, TakesWhatTheSchedulerNeeds) {
  v1::SubmitJobRequest request = Submission(100, kRequest);
  request.mutable_plan()->mutable_grid()->mutable_cuts(0)->set_chunk(30);
  request.mutable_policy()->set_priority(-7);
  request.mutable_policy()->set_name("north");
  const SubmittedJob job = CheckSubmission(request, "me").value();
  EXPECT_EQ(job.num_tasks, 4);
  EXPECT_EQ(job.num_pixels, 100);
  EXPECT_EQ(job.priority, -7);
  EXPECT_EQ(job.name, "north");
  EXPECT_EQ(job.policies.max_retries, 3);
  EXPECT_EQ(job.policies.max_failed_tasks, -1);
  EXPECT_EQ(job.LocationOf(3), "sample=90:100");
}

TEST(SubmittedJobTest, IsReadAgainFromTheJournal) {
  v1::SubmitJobRequest request = Submission(100, kRequest);
  request.mutable_policy()->set_fail_fast(true);
  const SubmittedJob job = CheckSubmission(request, "me").value();
  const SubmittedJob again = ParseStoredJob(job.bytes).value();
  EXPECT_EQ(again.num_tasks, job.num_tasks);
  EXPECT_EQ(again.request_id, kRequest);
  EXPECT_EQ(again.policies, job.policies);
  EXPECT_EQ(again.plan->SerializeAsString(), job.plan->SerializeAsString());
  EXPECT_EQ(ParseStoredJob("\xff\xff\xff").status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(SubmittedJobTest, SelectionsAreTasks) {
  v1::SubmitJobRequest request = Submission(100, kRequest);
  for (const int64_t begin : {5, 5, 70}) {
    v1::Selection::Extent* const extent =
        request.mutable_plan()->add_selections()->add_extents();
    extent->set_begin(begin);
    extent->set_end(begin + 2);
  }
  const SubmittedJob job = CheckSubmission(request, "me").value();
  EXPECT_EQ(job.num_tasks, 3);
  EXPECT_EQ(job.num_pixels, 6);
  EXPECT_EQ(job.LocationOf(2), "sample=70:72");
  request.mutable_plan()->mutable_selections(1)->mutable_extents(0)->set_end(
      101);
  EXPECT_EQ(CodeOf(request), absl::StatusCode::kInvalidArgument);
}

TEST(SubmittedJobTest, RefusesMoreTasksThanItCanCount) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  const absl::Status status =
      CheckSubmission(Submission(most, kRequest), "me").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("larger chunks"));
}

TEST(SubmittedJobTest, RefusesAGridThatOverflows) {
  v1::SubmitJobRequest request = Submission(int64_t{1} << 40, kRequest);
  v1::ChunkGrid* const grid = request.mutable_plan()->mutable_grid();
  *grid->add_dims() = grid->dims(0);
  grid->mutable_dims(1)->set_name("x");
  *grid->add_cuts() = grid->cuts(0);
  EXPECT_EQ(CodeOf(request), absl::StatusCode::kInvalidArgument);
}

TEST(SubmittedJobTest, RefusesWhatIsOutOfRange) {
  const auto broken = [](auto change) {
    v1::SubmitJobRequest request = Submission(10, kRequest);
    change(&request);
    return CodeOf(request);
  };
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(broken([](auto* r) { r->clear_plan(); }), kInvalid);
  EXPECT_EQ(broken([](auto* r) { r->set_request_id("short"); }), kInvalid);
  EXPECT_EQ(broken([](auto* r) { r->mutable_policy()->set_priority(101); }),
            kInvalid);
  EXPECT_EQ(broken([](auto* r) { r->mutable_policy()->set_max_retries(101); }),
            kInvalid);
  EXPECT_EQ(broken([](auto* r) {
              r->mutable_policy()->set_name(std::string(257, 'n'));
            }),
            kInvalid);
  EXPECT_EQ(broken([](auto* r) {
              auto* parameter =
                  r->mutable_plan()->mutable_spec()->add_parameters();
              parameter->set_name("p");
              parameter->set_value(std::string((1 << 20) + 1, 'v'));
            }),
            kInvalid);
  EXPECT_EQ(broken([](auto* r) {
              r->mutable_plan()->mutable_grid()->mutable_cuts(0)->set_chunk(0);
            }),
            kInvalid);
  EXPECT_EQ(
      broken([](auto* r) { r->mutable_plan()->mutable_grid()->clear_cuts(); }),
      kInvalid);
}

TEST(CheckFrameTest, TakesFramesThatFitTheJob) {
  const absl::StatusOr<SubmittedJob> job =
      CheckSubmission(Submission(100, std::string(16, 'r')), "me");
  ASSERT_TRUE(job.ok()) << job.status();
  for (const internode::core::Interval tasks :
       {internode::core::Interval{0, 100}, {0, 1}, {99, 100}, {6, 8}}) {
    const std::string bytes = MakeFrame(tasks);
    EXPECT_TRUE(
        job->CheckFrame(*internode::core::FrameView::Parse(bytes)).ok());
  }
}

TEST(CheckFrameTest, RefusesTasksPixelsAndRecordsOfAnother) {
  // Chunks of 30 pixels.
  v1::SubmitJobRequest request = Submission(100, std::string(16, 'r'));
  request.mutable_plan()->mutable_grid()->mutable_cuts(0)->set_chunk(30);
  const absl::StatusOr<SubmittedJob> coarse = CheckSubmission(request, "me");
  ASSERT_TRUE(coarse.ok()) << coarse.status();
  const std::string one = MakeFrame({3, 4});
  EXPECT_EQ(
      coarse->CheckFrame(*internode::core::FrameView::Parse(one)).message(),
      "a frame of 1 pixels holds tasks 3 to 4, which have 10");
  const std::string outside = MakeFrame({3, 5});
  EXPECT_EQ(
      coarse->CheckFrame(*internode::core::FrameView::Parse(outside)).message(),
      "a frame holds tasks 3 to 5 of a job of 4");

  request = Submission(100, std::string(16, 'r'));
  request.mutable_plan()->mutable_schema()->mutable_fields(0)->set_type(
      "int32");
  const absl::StatusOr<SubmittedJob> narrow = CheckSubmission(request, "me");
  ASSERT_TRUE(narrow.ok()) << narrow.status();
  const std::string wide = MakeFrame({1, 2});
  EXPECT_EQ(
      narrow->CheckFrame(*internode::core::FrameView::Parse(wide)).message(),
      "a frame has records of 8 bytes; those of its job have 4");
}

}  // namespace
}  // namespace internode::scheduler
