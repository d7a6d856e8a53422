#include "functions/task_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "core/record_schema.h"

namespace internode::functions {
namespace {

using core::BlockResult;
using core::Extent;
using core::PixelStatus;

// Does what a test says.
class LambdaKernel final : public Kernel {
 public:
  using Body = std::function<absl::Status(const core::Block&, BlockResult*)>;
  explicit LambdaKernel(Body body) : body_(std::move(body)) {}
  absl::Status Run(const core::Block& block, BlockResult* result) override {
    return body_(block, result);
  }

 private:
  Body body_;
};

core::Selection TestSelection() {
  core::Selection selection;
  selection.extents = {Extent::Range(4, 6), Extent::Index(7)};
  return selection;
}

absl::Status ReadEmpty(const core::Selection& selection, core::Block* block) {
  static const core::BlockLayout kLayout = {.series = {}, .pixel_stride = 8};
  block->Reset(&kLayout, selection);
  return absl::OkStatus();
}

class TaskRunnerTest : public ::testing::Test {
 protected:
  TaskRunnerTest() : result_(std::make_shared<core::RecordSchema>()) {
    // What was left from the task before.
    result_.AddRecord();
    result_.FinishPixel(PixelStatus::kOk);
  }

  absl::Status Run(LambdaKernel::Body body, ReadBlock read = ReadEmpty) {
    TaskRunner runner(std::move(read),
                      std::make_unique<LambdaKernel>(std::move(body)),
                      {"y", "x"});
    core::Block block;
    return runner.Run(TestSelection(), &block, &result_);
  }

  void ExpectError(const absl::Status& status, absl::StatusCode code,
                   absl::string_view message) {
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message(), message);
    EXPECT_EQ(result_.num_pixels(), 0);
    EXPECT_EQ(result_.records().num_records(), 0);
  }

  BlockResult result_;
};

TEST_F(TaskRunnerTest, RunsTheKernelOnTheBlock) {
  const absl::Status status =
      Run([](const core::Block& block, BlockResult* result) {
        for (int64_t p = 0; p < block.num_pixels(); ++p) {
          result->AddRecord();
          result->FinishPixel(PixelStatus::kOk);
        }
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(result_.num_pixels(), 2);
  EXPECT_EQ(result_.records().num_records(), 2);
}

TEST_F(TaskRunnerTest, SaysWhereReadingFailed) {
  ExpectError(
      Run([](const core::Block&, BlockResult*) { return absl::OkStatus(); },
          [](const core::Selection&, core::Block*) {
            return absl::DataLossError("storage chunk (0, 1) is corrupt");
          }),
      absl::StatusCode::kDataLoss,
      "storage chunk (0, 1) is corrupt, in y=4:6, x=7");
}

TEST_F(TaskRunnerTest, SaysWhereTheFunctionFailed) {
  ExpectError(Run([](const core::Block&, BlockResult* result) {
                result->FinishPixel(PixelStatus::kOk);
                return absl::InvalidArgumentError("no such thing");
              }),
              absl::StatusCode::kInvalidArgument,
              "no such thing, in y=4:6, x=7");
}

TEST_F(TaskRunnerTest, RefusesPixelsNotFinished) {
  ExpectError(Run([](const core::Block&, BlockResult* result) {
                result->FinishPixel(PixelStatus::kOk);
                return absl::OkStatus();
              }),
              absl::StatusCode::kInternal,
              "the function finished 1 of 2 pixels, in y=4:6, x=7");
}

TEST_F(TaskRunnerTest, RefusesTooManyPixels) {
  ExpectError(Run([](const core::Block&, BlockResult* result) {
                for (int p = 0; p < 3; ++p) {
                  result->FinishPixel(PixelStatus::kOk);
                }
                return absl::OkStatus();
              }),
              absl::StatusCode::kInternal,
              "the function finished 3 of 2 pixels, in y=4:6, x=7");
}

TEST_F(TaskRunnerTest, RefusesRecordsOfNoPixel) {
  ExpectError(Run([](const core::Block&, BlockResult* result) {
                result->FinishPixel(PixelStatus::kOk);
                result->FinishPixel(PixelStatus::kOk);
                result->AddRecord();
                return absl::OkStatus();
              }),
              absl::StatusCode::kInternal,
              "the function added 1 records after the last pixel, in y=4:6, "
              "x=7");
}

TEST_F(TaskRunnerTest, CatchesExceptions) {
  ExpectError(Run([](const core::Block&, BlockResult*) -> absl::Status {
                throw std::runtime_error("thrown");
              }),
              absl::StatusCode::kInternal,
              "the function threw an exception: thrown, in y=4:6, x=7");
  ExpectError(
      Run([](const core::Block&, BlockResult*) -> absl::Status { throw 3; }),
      absl::StatusCode::kInternal,
      "the function threw an exception, in y=4:6, x=7");
}

TEST_F(TaskRunnerTest, RefusesAnotherBlock) {
  ExpectError(
      Run([](const core::Block&, BlockResult*) { return absl::OkStatus(); },
          [](const core::Selection&, core::Block* block) {
            return ReadEmpty(core::Selection(), block);
          }),
      absl::StatusCode::kInternal, "another block was read, in y=4:6, x=7");
}

TEST(SelectionTextTest, NamesTheDimensions) {
  EXPECT_EQ(SelectionText(TestSelection(), {"y", "x"}), "y=4:6, x=7");
  EXPECT_EQ(SelectionText(core::Selection(), {}), "");
}

}  // namespace
}  // namespace internode::functions
