#include "core/frame.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/crc32c.h"
#include "core/frame_encoder.h"
#include "core/frame_reader.h"

namespace internode::core {
namespace {

using ::testing::HasSubstr;

// What one task came to.
struct TaskResult {
  // Set when it failed as a whole.
  std::optional<std::string> failure = std::nullopt;
  // Of a task that failed.
  int64_t num_pixels = 0;
  std::shared_ptr<BlockResult> result = nullptr;
};

std::shared_ptr<const RecordSchema> SchemaOf(int num_fields) {
  std::vector<Field> fields;
  for (int i = 0; i < num_fields; ++i) {
    fields.emplace_back();
    fields.back().name = "f" + std::to_string(i);
    fields.back().type = DataType::kInt16;
  }
  return std::make_shared<const RecordSchema>(
      RecordSchema::Create(std::move(fields)).value());
}

// How wild random results are.
struct Mix {
  int max_pixels = 20;
  double failed_task = 0.1;
  double failed_pixel = 0.1;
  double one_record = 0.5;
};

class ResultMaker {
 public:
  ResultMaker(std::shared_ptr<const RecordSchema> schema, const Mix& mix,
              uint32_t seed)
      : schema_(std::move(schema)), mix_(mix), random_(seed) {}

  TaskResult Make() {
    if (Chance(mix_.failed_task)) {
      return {.failure = Message(), .num_pixels = Below(100)};
    }
    TaskResult task = {.result = std::make_shared<BlockResult>(schema_)};
    const int pixels = Below(mix_.max_pixels + 1);
    for (int i = 0; i < pixels; ++i) AddPixel(task.result.get());
    return task;
  }

  int Below(int n) {
    return static_cast<int>(random_() % static_cast<uint32_t>(n));
  }

 private:
  bool Chance(double p) {
    return static_cast<double>(random_()) < p * 4294967296.0;
  }

  std::string Message() {
    return "what went wrong: " +
           std::string(static_cast<size_t>(Below(3)), '!');
  }

  void AddPixel(BlockResult* result) {
    const int records = Chance(mix_.one_record) ? 1 : Below(5);
    for (int i = 0; i < records; ++i) {
      uint8_t* row = result->AddRecord();
      for (int64_t b = 0; b < schema_->record_bytes(); ++b) {
        row[b] = static_cast<uint8_t>(random_());
      }
    }
    if (Chance(mix_.failed_pixel)) {
      result->FailPixel(Message());
    } else if (records > 0) {
      result->FinishPixel(PixelStatus::kOk);
    } else {
      result->FinishPixel(static_cast<PixelStatus>(Below(5)));
    }
  }

  const std::shared_ptr<const RecordSchema> schema_;
  const Mix mix_;
  std::mt19937 random_;
};

std::string Encode(int64_t first_task, int64_t record_bytes,
                   const std::vector<TaskResult>& tasks) {
  FrameEncoder encoder(first_task, record_bytes);
  for (const TaskResult& task : tasks) {
    const absl::Status added =
        task.failure.has_value()
            ? encoder.AppendFailedTask(task.num_pixels, *task.failure)
            : encoder.Append(*task.result);
    EXPECT_TRUE(added.ok()) << added;
  }
  const int64_t bound = encoder.frame_bytes();
  absl::StatusOr<std::string> frame = encoder.Finish();
  EXPECT_TRUE(frame.ok()) << frame.status();
  EXPECT_LE(static_cast<int64_t>(frame->size()), bound);
  return *std::move(frame);
}

void ExpectEqual(const BlockResult& got, const BlockResult& want) {
  EXPECT_EQ(got.statuses(), want.statuses());
  EXPECT_EQ(got.record_counts(), want.record_counts());
  EXPECT_EQ(got.failures(), want.failures());
  EXPECT_EQ(got.records().num_records(), want.records().num_records());
  EXPECT_EQ(got.records().bytes(), want.records().bytes());
}

void ExpectHolds(const std::string& bytes, int64_t first_task,
                 const std::shared_ptr<const RecordSchema>& schema,
                 const std::vector<TaskResult>& tasks) {
  const absl::StatusOr<FrameView> frame = FrameView::Parse(bytes);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(
      frame->tasks(),
      (Interval{first_task, first_task + static_cast<int64_t>(tasks.size())}));
  FrameReader reader(*frame);
  BlockResult result(schema);
  int64_t records = 0;
  int64_t pixels = 0;
  for (size_t i = 0; i < tasks.size(); ++i) {
    ASSERT_TRUE(reader.Next());
    EXPECT_EQ(reader.task(), first_task + static_cast<int64_t>(i));
    ASSERT_TRUE(reader.CopyTo(&result).ok());
    pixels += reader.num_pixels();
    records += reader.num_records();
    ASSERT_EQ(reader.failed(), tasks[i].failure.has_value());
    if (reader.failed()) {
      EXPECT_EQ(reader.failure(), *tasks[i].failure);
      EXPECT_EQ(reader.num_pixels(), tasks[i].num_pixels);
      EXPECT_EQ(result.num_pixels(), 0);
      continue;
    }
    ExpectEqual(result, *tasks[i].result);
    EXPECT_EQ(reader.rows(), tasks[i].result->records().bytes());
  }
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(frame->num_pixels(), pixels);
  EXPECT_EQ(frame->num_records(), records);
}

TEST(FrameTest, HoldsWhatWasEncoded) {
  const std::vector<Mix> mixes = {
      {.max_pixels = 1, .failed_task = 0, .failed_pixel = 0, .one_record = 1},
      {.max_pixels = 3, .failed_task = 0.5, .failed_pixel = 0.5},
      {.max_pixels = 40},
      {.max_pixels = 5, .failed_task = 1},
      {.max_pixels = 60, .failed_task = 0, .failed_pixel = 0.9},
      {.max_pixels = 0}};
  for (uint32_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(seed);
    const auto schema = SchemaOf(static_cast<int>(seed % 4));
    ResultMaker maker(schema, mixes[seed % mixes.size()], seed);
    std::vector<TaskResult> tasks(static_cast<size_t>(1 + maker.Below(30)));
    for (TaskResult& task : tasks) task = maker.Make();
    const int64_t first_task = maker.Below(1000) * int64_t{1} << (seed % 40);
    const std::string bytes = Encode(first_task, schema->record_bytes(), tasks);
    ExpectHolds(bytes, first_task, schema, tasks);
    EXPECT_EQ(Encode(first_task, schema->record_bytes(), tasks), bytes);
  }
}

TEST(FrameTest, ASliceIsTheFrameOfItsTasks) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const auto schema = SchemaOf(static_cast<int>(seed % 3));
    ResultMaker maker(schema, {.max_pixels = 1 + static_cast<int>(seed % 9)},
                      seed);
    std::vector<TaskResult> tasks(12);
    for (TaskResult& task : tasks) task = maker.Make();
    const std::string bytes = Encode(100, schema->record_bytes(), tasks);
    const FrameView frame = FrameView::Parse(bytes).value();
    for (int begin = 0; begin < 12; ++begin) {
      for (int end = begin + 1; end <= 12; ++end) {
        const absl::StatusOr<std::string> slice =
            SliceFrame(frame, {100 + begin, 100 + end});
        ASSERT_TRUE(slice.ok()) << slice.status();
        const std::vector<TaskResult> part(tasks.begin() + begin,
                                           tasks.begin() + end);
        ASSERT_EQ(*slice, Encode(100 + begin, schema->record_bytes(), part))
            << begin << " " << end;
      }
    }
  }
}

TEST(FrameTest, ASliceLiesWithinItsFrame) {
  FrameEncoder encoder(5, 0);
  ASSERT_TRUE(encoder.AppendFailedTask(3, "no").ok());
  ASSERT_TRUE(encoder.AppendFailedTask(3, "no").ok());
  const std::string bytes = encoder.Finish().value();
  const FrameView frame = FrameView::Parse(bytes).value();
  for (const Interval tasks : {Interval{5, 5}, Interval{4, 6}, Interval{6, 8},
                               Interval{8, 9}, Interval{7, 5}}) {
    EXPECT_EQ(SliceFrame(frame, tasks).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(FrameTest, TenThousandTasksOfOnePixelCostTheirRecordsAlone) {
  const auto schema = SchemaOf(8);
  BlockResult result(schema);
  result.AddRecord();
  result.FinishPixel(PixelStatus::kOk);
  FrameEncoder encoder(0, schema->record_bytes());
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(encoder.Append(result).ok());
  const std::string bytes = encoder.Finish().value();
  EXPECT_EQ(bytes.size(), kFrameHeaderBytes + 10000 * 16 + 8u);
}

TEST(FrameTest, EqualFailuresAreStoredOnce) {
  BlockResult result(SchemaOf(1));
  result.FailPixel("the very same long message about a missing variable");
  FrameEncoder encoder(0, 2);
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(encoder.Append(result).ok());
  for (int i = 0; i < 10000; ++i) {
    ASSERT_TRUE(encoder.AppendFailedTask(7, "unreadable storage chunk").ok());
  }
  EXPECT_LT(encoder.Finish()->size(), 200u);
}

TEST(FrameTest, LongMessagesAreCutBetweenCharacters) {
  std::string message = "x";
  while (message.size() < 2 * kMaxFailureMessageBytes) message += "\u00e9";
  FrameEncoder encoder(0, 0);
  ASSERT_TRUE(encoder.AppendFailedTask(1, message).ok());
  const std::string bytes = encoder.Finish().value();
  const FrameView frame = FrameView::Parse(bytes).value();
  FrameReader reader(frame);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.failure(), message.substr(0, kMaxFailureMessageBytes - 1));
}

TEST(FrameTest, AnEncoderGoesOnWithTheNextTask) {
  BlockResult result(SchemaOf(1));
  StoreField<int16_t>(result.AddRecord(), 0, 7);
  result.FinishPixel(PixelStatus::kOk);
  FrameEncoder encoder(10, 2);
  ASSERT_TRUE(encoder.Append(result).ok());
  ASSERT_TRUE(encoder.Finish().ok());
  EXPECT_EQ(encoder.tasks(), (Interval{11, 11}));
  ASSERT_TRUE(encoder.Append(result).ok());
  const std::string second = encoder.Finish().value();
  FrameEncoder fresh(11, 2);
  ASSERT_TRUE(fresh.Append(result).ok());
  EXPECT_EQ(fresh.Finish().value(), second);
}

BlockResult OfRecords(const std::shared_ptr<const RecordSchema>& schema,
                      int records) {
  BlockResult result(schema);
  for (int i = 0; i < records; ++i) {
    StoreField<int16_t>(result.AddRecord(), 0, static_cast<int16_t>(i));
    result.FinishPixel(PixelStatus::kOk);
  }
  return result;
}

TEST(FrameTest, ClearedResultsGiveTheSameFrames) {
  const auto schema = SchemaOf(3);
  for (uint32_t seed = 0; seed < 100; ++seed) {
    // Frames of one large task, of several, of many small ones.
    ResultMaker make(schema, {.max_pixels = seed % 2 == 0 ? 20 : 1000}, seed);
    FrameEncoder copying(0, schema->record_bytes());
    FrameEncoder taking(0, schema->record_bytes());
    for (int frame = 0; frame < 4; ++frame) {
      for (int task = make.Below(4); task >= 0; --task) {
        const TaskResult made = make.Make();
        if (made.result == nullptr) {
          for (FrameEncoder* encoder : {&copying, &taking}) {
            ASSERT_TRUE(
                encoder->AppendFailedTask(made.num_pixels, *made.failure).ok());
          }
          continue;
        }
        ASSERT_TRUE(copying.Append(*made.result).ok());
        ASSERT_TRUE(taking.AppendAndClear(made.result.get()).ok());
        ExpectEqual(*made.result, BlockResult(schema));
        ASSERT_EQ(taking.frame_bytes(), copying.frame_bytes());
      }
      ASSERT_EQ(taking.Finish().value(), copying.Finish().value());
    }
  }
}

TEST(FrameTest, RecordsOfALargeTaskAreNotCopied) {
  const auto schema = SchemaOf(1);
  FrameEncoder encoder(0, 2);
  for (int frame = 0; frame < 3; ++frame) {
    BlockResult result = OfRecords(schema, 10000 + frame);
    const uint8_t* const rows = result.records().bytes().data();
    ASSERT_TRUE(encoder.AppendAndClear(&result).ok());
    const std::string bytes = encoder.Finish().value();
    EXPECT_EQ(
        reinterpret_cast<const uint8_t*>(bytes.data()) + kFrameHeaderBytes,
        rows);
    EXPECT_EQ(FrameView::Parse(bytes)->num_records(), 10000 + frame);
  }
}

TEST(FrameTest, AResultThatIsRefusedIsNotCleared) {
  FrameEncoder encoder(0, 2);
  BlockResult wide(SchemaOf(2));
  wide.AddRecord();
  wide.FinishPixel(PixelStatus::kOk);
  EXPECT_EQ(encoder.AppendAndClear(&wide).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(wide.num_pixels(), 1);
  EXPECT_EQ(wide.records().num_records(), 1);
  EXPECT_EQ(encoder.tasks(), (Interval{0, 0}));
  BlockResult narrow = OfRecords(SchemaOf(1), 1);
  EXPECT_TRUE(encoder.AppendAndClear(&narrow).ok());
}

TEST(FrameTest, AFrameMayBeginWithAnotherTask) {
  BlockResult result = OfRecords(SchemaOf(1), 3);
  FrameEncoder encoder(10, 2);
  ASSERT_TRUE(encoder.Append(result).ok());
  ASSERT_TRUE(encoder.Finish().ok());
  encoder.BeginWith(70);
  EXPECT_EQ(encoder.tasks(), (Interval{70, 70}));
  ASSERT_TRUE(encoder.AppendAndClear(&result).ok());
  FrameEncoder fresh(70, 2);
  ASSERT_TRUE(fresh.Append(OfRecords(SchemaOf(1), 3)).ok());
  EXPECT_EQ(encoder.Finish().value(), fresh.Finish().value());
}

TEST(FrameTest, WhatDoesNotFitIsRefusedAndChangesNothing) {
  BlockResult wide(SchemaOf(2));
  BlockResult unfinished(SchemaOf(1));
  unfinished.AddRecord();
  FrameEncoder encoder(0, 2);
  EXPECT_EQ(encoder.Finish().status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(encoder.Append(wide).code(), absl::StatusCode::kInvalidArgument);
  const absl::Status not_finished = encoder.Append(unfinished);
  EXPECT_EQ(not_finished.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(not_finished.message(), HasSubstr("1 records of a pixel"));
  EXPECT_EQ(encoder.AppendFailedTask(-1, "").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(encoder.AppendFailedTask(kMaxFrameItems + 1, "").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(encoder.tasks(), (Interval{0, 0}));
  FrameEncoder last(std::numeric_limits<int64_t>::max(), 2);
  EXPECT_EQ(last.AppendFailedTask(1, "").code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(FrameTest, RecordsOfAnotherSizeAreNotCopied) {
  FrameEncoder encoder(0, 2);
  ASSERT_TRUE(encoder.AppendFailedTask(1, "no").ok());
  const std::string bytes = encoder.Finish().value();
  const FrameView frame = FrameView::Parse(bytes).value();
  FrameReader reader(frame);
  ASSERT_TRUE(reader.Next());
  BlockResult wide(SchemaOf(2));
  EXPECT_EQ(reader.CopyTo(&wide).code(), absl::StatusCode::kInvalidArgument);
}

// A frame with runs of every kind.
std::string SmallFrame() {
  const auto schema = SchemaOf(2);
  ResultMaker maker(schema, {.max_pixels = 6, .failed_pixel = 0.3}, 5);
  std::vector<TaskResult> tasks(8);
  for (TaskResult& task : tasks) task = maker.Make();
  tasks[3] = {.failure = "unreadable", .num_pixels = 6};
  return Encode(1234, schema->record_bytes(), tasks);
}

TEST(FrameTest, EveryBitThatFlipsIsDetected) {
  const std::string frame = SmallFrame();
  ASSERT_TRUE(FrameView::Parse(frame).ok());
  for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string damaged = frame;
    damaged[bit / 8] =
        static_cast<char>(damaged[bit / 8] ^ static_cast<char>(1 << bit % 8));
    ASSERT_EQ(FrameView::Parse(damaged).status().code(),
              absl::StatusCode::kDataLoss)
        << bit;
  }
}

TEST(FrameTest, EveryTruncationIsDetected) {
  const std::string frame = SmallFrame();
  for (size_t size = 0; size < frame.size(); ++size) {
    // A copy of its own, so that the sanitizer sees a byte read too far.
    const std::vector<char> part(frame.begin(),
                                 frame.begin() + static_cast<long>(size));
    ASSERT_EQ(FrameView::Parse(absl::string_view(part.data(), part.size()))
                  .status()
                  .code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_EQ(FrameView::Parse(frame + "x").status().code(),
            absl::StatusCode::kDataLoss);
}

// Writes `value` at `at` of the header, and makes the checksums right again.
template <typename T>
std::string WithHeaderField(std::string frame, size_t at, T value) {
  std::memcpy(frame.data() + at, &value, sizeof(T));
  const absl::string_view all = frame;
  const uint32_t crc = Crc32c(all.substr(0, 52));
  std::memcpy(frame.data() + 52, &crc, sizeof(crc));
  return frame;
}

TEST(FrameTest, CountsThatLieAreDetected) {
  const std::string frame = SmallFrame();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const std::vector<std::string> liars = {
      WithHeaderField<uint16_t>(frame, 6, 1),
      WithHeaderField<int64_t>(frame, 8, -1),
      WithHeaderField<int64_t>(frame, 8, kMost - 7),
      WithHeaderField<uint32_t>(frame, 16, 0),
      WithHeaderField<uint32_t>(frame, 16, 7),
      WithHeaderField<uint32_t>(frame, 16, 9),
      WithHeaderField<uint32_t>(frame, 16, 0xffffffff),
      WithHeaderField<uint32_t>(frame, 20, 5),
      WithHeaderField<uint32_t>(frame, 20, 0xffffffff),
      WithHeaderField<int64_t>(frame, 24, -1),
      WithHeaderField<int64_t>(frame, 24, 1),
      WithHeaderField<int64_t>(frame, 24, kMost),
      WithHeaderField<int64_t>(frame, 32, -1),
      WithHeaderField<int64_t>(frame, 32, 1),
      WithHeaderField<int64_t>(frame, 32, kMost),
      WithHeaderField<int64_t>(frame, 40, -1),
      WithHeaderField<int64_t>(frame, 40, 0),
      WithHeaderField<int64_t>(frame, 40, kMost)};
  for (size_t i = 0; i < liars.size(); ++i) {
    EXPECT_EQ(FrameView::Parse(liars[i]).status().code(),
              absl::StatusCode::kDataLoss)
        << i;
  }
}

// A frame without records around `index`, whose checksums are right.
absl::Status ParseIndexBytes(const std::string& index, int64_t tasks,
                             int64_t pixels, int64_t records) {
  std::string bytes(static_cast<size_t>(kFrameHeaderBytes), '\0');
  bytes += index;
  SealFrame({.tasks = {0, tasks},
             .num_pixels = pixels,
             .num_records = records,
             .record_bytes = 0},
            &bytes);
  return FrameView::Parse(bytes).status();
}

TEST(FrameTest, AnIndexThatLiesIsDetected) {
  using namespace std::string_literals;
  // One task of two pixels, which failed; the first has a message.
  const std::string good = "\x00\x01\x04\x14\x01\x01x\x00\x01\x00"s;
  EXPECT_EQ(ParseIndexBytes(good, 1, 2, 0), absl::OkStatus());
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s;
  const std::vector<std::string> liars = {
      ""s,
      // More messages, and longer ones, than there are bytes.
      huge + "\x01\x04\x14\x00"s, "\x01"s + huge + "x\x01\x04\x14\x00"s,
      // No tasks in a run; too many; too many pixels; a number without an end.
      "\x00\x00\x04\x14\x00"s, "\x00"s + huge + "\x04\x14\x00"s,
      "\x00\x01"s + huge + "\x14\x00"s,
      "\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
      // A task that failed with a message that is not there.
      "\x00\x01\x05\x00\x00"s, "\x01\x01x\x01\x05\x01\x00"s,
      // A status that is none; too many pixels; too many records.
      "\x00\x01\x04\x15\x00"s, "\x00\x01\x04\x24\x00"s,
      "\x00\x01\x04"s + huge + "\x00"s, "\x00\x01\x04\x19\x01\x00"s,
      "\x00\x01\x04\x19"s + huge + "\x00"s,
      // A failure without a message; on no pixel; on none at all; cut short.
      "\x00\x01\x04\x14\x01\x01x\x00\x01\x01"s,
      "\x00\x01\x04\x14\x01\x01x\x02\x01\x00"s,
      "\x00\x01\x04\x14\x01\x01x\x01\x02\x00"s,
      "\x00\x01\x04\x14\x01\x01x\x00\x00\x00"s,
      "\x00\x01\x04\x14\x01\x01x\x00\x01"s, "\x00\x01\x04\x14\x01\x01x\x00"s,
      "\x00\x01\x04\x14\x01\x01x"s + huge + "\x01\x00"s,
      "\x00\x01\x04\x14\x01\x01x\x00"s + huge + "\x00"s,
      // A failure of a pixel that did not fail.
      "\x00\x01\x04\x12\x01\x01x\x00\x01\x00"s};
  for (size_t i = 0; i < liars.size(); ++i) {
    EXPECT_EQ(ParseIndexBytes(liars[i], 1, 2, 0).code(),
              absl::StatusCode::kDataLoss)
        << i;
  }
}

TEST(FrameTest, AFrameOfAnotherVersionIsRefusedByName) {
  const absl::Status status =
      FrameView::Parse(WithHeaderField<uint16_t>(SmallFrame(), 4, 2)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "frame has format version 2; this program reads version 1");
}

TEST(FrameTest, HugeRunsCostNothing) {
  using namespace std::string_literals;
  // 2^31 - 1 tasks of one pixel each, without records, in a few bytes.
  const std::string most = "\xff\xff\xff\xff\x07"s;
  std::string bytes(static_cast<size_t>(kFrameHeaderBytes), '\0');
  bytes += "\x00"s + most + "\x02"s + "\xe2\xff\xff\xff\x7f"s + "\x00"s;
  SealFrame({.tasks = {0, kMaxFrameItems}, .num_pixels = kMaxFrameItems},
            &bytes);
  const absl::StatusOr<FrameView> frame = FrameView::Parse(bytes);
  ASSERT_TRUE(frame.ok()) << frame.status();
  const absl::StatusOr<std::string> slice =
      SliceFrame(*frame, {1, kMaxFrameItems});
  ASSERT_TRUE(slice.ok()) << slice.status();
  EXPECT_EQ(FrameView::Parse(*slice)->num_pixels(), kMaxFrameItems - 1);
}

TEST(FrameTest, TheFormatIsAsDocumented) {
  // The example of docs/frame-format.md.
  const auto schema = SchemaOf(1);
  BlockResult result(schema);
  StoreField<int16_t>(result.AddRecord(), 0, 0x0102);
  result.FinishPixel(PixelStatus::kOk);
  StoreField<int16_t>(result.AddRecord(), 0, 0x0304);
  StoreField<int16_t>(result.AddRecord(), 0, 0x0506);
  result.FinishPixel(PixelStatus::kOk);
  result.FailPixel("bad");
  FrameEncoder encoder(7, 2);
  ASSERT_TRUE(encoder.Append(result).ok());
  ASSERT_TRUE(encoder.AppendFailedTask(3, "gone").ok());
  const std::string bytes = encoder.Finish().value();
  std::string hex;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<uint8_t>(byte) >> 4];
    hex += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  EXPECT_EQ(hex,
            "89494e46010000000700000000000000"
            "02000000020000000600000000000000"
            "03000000000000001d00000000000000"
            "a010cfaf572f512f"
            "020104030605"
            "0104676f6e65010601070001090204"
            "0103626164020100");
}

}  // namespace
}  // namespace internode::core
