#include "tests/unit/scheduler/spool/test_frames.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "core/frame_encoder.h"
#include "scheduler/spool/spool_reader.h"

namespace internode::scheduler {
namespace {

std::shared_ptr<const internode::core::RecordSchema> Schema() {
  internode::core::Field field;
  field.name = "value";
  field.type = internode::core::DataType::kInt64;
  return std::make_shared<const internode::core::RecordSchema>(
      internode::core::RecordSchema::Create({field}).value());
}

}  // namespace

std::string MakeFrame(internode::core::Interval tasks) {
  internode::core::BlockResult result(Schema());
  internode::core::FrameEncoder encoder(tasks.begin, 8);
  for (int64_t task = tasks.begin; task < tasks.end; ++task) {
    if (task % 7 == 6) {
      EXPECT_TRUE(encoder.AppendFailedTask(1, "unreadable").ok());
      continue;
    }
    result.Clear();
    for (int64_t record = 0; record < task % 3; ++record) {
      internode::core::StoreField<int64_t>(result.AddRecord(), 0,
                                           task * 10 + record);
    }
    result.FinishPixel(internode::core::PixelStatus::kOk);
    EXPECT_TRUE(encoder.Append(result).ok());
  }
  return encoder.Finish().value();
}

bool IsRight(absl::string_view frame) {
  const absl::StatusOr<internode::core::FrameView> view =
      internode::core::FrameView::Parse(frame);
  return view.ok() && MakeFrame(view->tasks()) == frame;
}

void ExpectHolds(const JobSpool& spool,
                 const internode::core::IntervalSet& done) {
  EXPECT_EQ(spool.Done(), done);
  const std::shared_ptr<const JobSpool> shared(&spool, [](const JobSpool*) {});
  for (const internode::core::Interval& run : done.intervals()) {
    SpoolReader reader(shared, run.begin);
    while (reader.next_task() < run.end) {
      const int64_t begin = reader.next_task();
      const absl::StatusOr<std::optional<std::string>> frame = reader.Next();
      ASSERT_TRUE(frame.ok()) << frame.status();
      ASSERT_TRUE(frame->has_value());
      ASSERT_TRUE(IsRight(**frame)) << begin;
      EXPECT_EQ(internode::core::ParseFrameHeader(**frame)->tasks.begin, begin);
    }
    EXPECT_EQ(reader.next_task(), run.end);
  }
}

}  // namespace internode::scheduler
