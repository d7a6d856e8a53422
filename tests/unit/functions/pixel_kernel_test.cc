#include "functions/pixel_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

using core::PixelStatus;
using ::testing::ElementsAre;

std::shared_ptr<const core::RecordSchema> OneInt() {
  core::Field field;
  field.name = "sum";
  field.type = core::DataType::kInt32;
  return std::make_shared<const core::RecordSchema>(
      *core::RecordSchema::Create({field}));
}

TEST(PixelKernelTest, CallsOncePerPixel) {
  const TestBlock<int16_t> block({{{1, 2}}, {{3, 4}}});
  core::BlockResult result(OneInt());
  const auto kernel = MakePixelKernel(
      [](const PixelView& pixel,
         core::BlockResult* out) -> absl::StatusOr<PixelStatus> {
        int32_t sum = 0;
        for (const int16_t v : pixel.Series<int16_t>(0)) sum += v;
        core::StoreField(out->AddRecord(), 0, sum);
        return PixelStatus::kOk;
      });
  ASSERT_TRUE(kernel->Run(block.block(), &result).ok());
  EXPECT_EQ(Column<int32_t>(result, "sum", 0), 3);
  EXPECT_EQ(Column<int32_t>(result, "sum", 1), 7);
  EXPECT_THAT(result.statuses(),
              ElementsAre(PixelStatus::kOk, PixelStatus::kOk));
}

TEST(PixelKernelTest, OneBadPixelFailsAlone) {
  const TestBlock<int16_t> block({{{0, 0}}, {{1, 1}}, {{2, 2}}});
  core::BlockResult result(OneInt());
  const auto kernel = MakePixelKernel(
      [](const PixelView& pixel,
         core::BlockResult* out) -> absl::StatusOr<PixelStatus> {
        out->AddRecord();
        if (pixel.pixel() == 0) return absl::InternalError("bad");
        if (pixel.pixel() == 1) throw std::runtime_error("worse");
        return PixelStatus::kOk;
      });
  ASSERT_TRUE(kernel->Run(block.block(), &result).ok());
  EXPECT_THAT(result.statuses(),
              ElementsAre(PixelStatus::kFailed, PixelStatus::kFailed,
                          PixelStatus::kOk));
  EXPECT_THAT(result.record_counts(), ElementsAre(0, 0, 1));
  EXPECT_EQ(result.records().num_records(), 1);
  EXPECT_THAT(result.failures(),
              ElementsAre(core::BlockResult::Failure{0, "bad"},
                          core::BlockResult::Failure{1, "exception: worse"}));
}

TEST(PixelViewTest, KnowsItsIndices) {
  const core::BlockLayout layout = {.series = {}, .pixel_stride = 0};
  core::Selection selection;
  selection.extents = {core::Extent::Range(10, 12), core::Extent::Index(5),
                       core::Extent::Range(3, 6)};
  core::Block block;
  block.Reset(&layout, selection);
  std::vector<std::vector<int64_t>> indices;
  for (int64_t p = 0; p < block.num_pixels(); ++p) {
    const PixelView pixel(&block, p);
    indices.push_back({pixel.Index(0), pixel.Index(1), pixel.Index(2)});
  }
  EXPECT_THAT(indices,
              ElementsAre(ElementsAre(10, 5, 3), ElementsAre(10, 5, 4),
                          ElementsAre(10, 5, 5), ElementsAre(11, 5, 3),
                          ElementsAre(11, 5, 4), ElementsAre(11, 5, 5)));
}

}  // namespace
}  // namespace internode::functions
