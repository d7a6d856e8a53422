#ifndef INTERNODE_CORE_BLOCK_RESULT_H_
#define INTERNODE_CORE_BLOCK_RESULT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "core/record_batch.h"

namespace internode::core {

// What became of one pixel. NOTE: the values are part of stored frames and of
// segment files; do not change existing entries.
enum class PixelStatus : uint8_t {
  kNotProcessed = 0,
  kOk = 1,
  // Processed, but there was nothing to report.
  kNoSegments = 2,
  kTooFewObservations = 3,
  // The function, or the reading of its data, failed; there is a message.
  kFailed = 4,
};

// The records of one block, in pixel order, and what became of each pixel.
// A function fills it pixel by pixel, in order: any number of AddRecord, then
// one FinishPixel. Thread-compatible.
class BlockResult {
 public:
  struct Failure {
    // Within the block.
    int64_t pixel = 0;
    std::string message;

    friend bool operator==(const Failure&, const Failure&) = default;
  };

  explicit BlockResult(std::shared_ptr<const RecordSchema> schema)
      : records_(std::move(schema)) {}

  // Appends a record of zeros to the current pixel, to be filled in at once
  // with StoreField.
  uint8_t* AddRecord() { return records_.Append(); }

  // Ends the current pixel and goes on to the next.
  void FinishPixel(PixelStatus status) {
    record_counts_.push_back(
        static_cast<uint32_t>(records_.num_records() - finished_records_));
    statuses_.push_back(status);
    finished_records_ = records_.num_records();
  }

  // Ends the current pixel as failed; its records, if any, are dropped.
  void FailPixel(absl::string_view message) {
    records_.Truncate(finished_records_);
    failures_.push_back(
        {static_cast<int64_t>(statuses_.size()), std::string(message)});
    FinishPixel(PixelStatus::kFailed);
  }

  // Appends `num_pixels` finished pixels with the records that `rows` holds,
  // `num_records` each. Not while a pixel is unfinished.
  void AppendPixels(PixelStatus status, uint32_t num_records,
                    int64_t num_pixels, absl::Span<const uint8_t> rows) {
    const auto count = static_cast<size_t>(num_pixels);
    records_.AppendRows(rows, num_records * num_pixels);
    record_counts_.insert(record_counts_.end(), count, num_records);
    statuses_.insert(statuses_.end(), count, status);
    finished_records_ = records_.num_records();
  }

  // Drops everything; the memory of the records as RecordBatch::SwapMemory.
  void SwapMemory(std::string* memory) {
    records_.SwapMemory(memory);
    Clear();
  }

  // Drops everything; keeps the memory.
  void Clear() {
    records_.Clear();
    record_counts_.clear();
    statuses_.clear();
    failures_.clear();
    finished_records_ = 0;
  }

  const RecordBatch& records() const { return records_; }
  int64_t num_pixels() const { return static_cast<int64_t>(statuses_.size()); }
  // One entry per finished pixel.
  const std::vector<uint32_t>& record_counts() const { return record_counts_; }
  const std::vector<PixelStatus>& statuses() const { return statuses_; }
  // One entry per failed pixel, in pixel order.
  const std::vector<Failure>& failures() const { return failures_; }

 private:
  RecordBatch records_;
  std::vector<uint32_t> record_counts_;
  std::vector<PixelStatus> statuses_;
  std::vector<Failure> failures_;
  int64_t finished_records_ = 0;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_BLOCK_RESULT_H_
