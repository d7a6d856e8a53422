#ifndef INTERNODE_CORE_RECORD_BATCH_H_
#define INTERNODE_CORE_RECORD_BATCH_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/types/span.h"

#include "core/record_schema.h"

namespace internode::core {

// Rows are stored as they lie in memory.
static_assert(std::endian::native == std::endian::little,
              "records are little-endian; this machine is not");

// Records of one schema, packed one after the other in one piece of memory:
// `bytes()` is a NumPy structured array of dtype `schema().NumpyDescr()`
// without a copy. Thread-compatible.
class RecordBatch {
 public:
  // In the memory of the records, room before the first one: the header of a
  // frame fits in, so that records can become one without being copied.
  static constexpr size_t kHeadBytes = 56;

  explicit RecordBatch(std::shared_ptr<const RecordSchema> schema)
      : schema_(std::move(schema)), memory_(kHeadBytes, '\0') {}

  const RecordSchema& schema() const { return *schema_; }
  const std::shared_ptr<const RecordSchema>& shared_schema() const {
    return schema_;
  }

  int64_t num_records() const { return num_records_; }
  absl::Span<const uint8_t> bytes() const {
    return {row(0), memory_.size() - kHeadBytes};
  }
  // Record `i`, of schema().record_bytes() bytes.
  const uint8_t* row(int64_t i) const {
    return reinterpret_cast<const uint8_t*>(memory_.data()) + kHeadBytes +
           i * schema_->record_bytes();
  }

  // Appends one record of zeros and returns it to be filled in; valid until
  // the next change of the batch.
  uint8_t* Append() {
    const size_t begin = memory_.size();
    memory_.resize(begin + static_cast<size_t>(schema_->record_bytes()));
    ++num_records_;
    return reinterpret_cast<uint8_t*>(memory_.data()) + begin;
  }

  // Appends all records of `other`, which has the same schema.
  void Append(const RecordBatch& other) {
    AppendRows(other.bytes(), other.num_records_);
  }

  // Appends the `num_records` records that `rows` holds.
  void AppendRows(absl::Span<const uint8_t> rows, int64_t num_records) {
    memory_.append(reinterpret_cast<const char*>(rows.data()), rows.size());
    num_records_ += num_records;
  }

  void Truncate(int64_t num_records) {
    num_records_ = num_records;
    memory_.resize(BytesOf(num_records));
  }
  void Clear() { Truncate(0); }
  void Reserve(int64_t num_records) { memory_.reserve(BytesOf(num_records)); }

  // Gives the memory away, kHeadBytes and then bytes(), and takes that of
  // `memory`. The batch is empty then.
  void SwapMemory(std::string* memory) {
    memory_.swap(*memory);
    Clear();
  }

  // Element `k` of field `field` of record `i`. T is the field's C++ type.
  template <typename T>
  T Get(int64_t i, int field, int64_t k = 0) const {
    T value;
    std::memcpy(
        &value,
        row(i) + schema_->offset(field) + k * static_cast<int64_t>(sizeof(T)),
        sizeof(T));
    return value;
  }

 private:
  size_t BytesOf(int64_t num_records) const {
    return kHeadBytes +
           static_cast<size_t>(num_records * schema_->record_bytes());
  }

  std::shared_ptr<const RecordSchema> schema_;
  // kHeadBytes, then the records.
  std::string memory_;
  // Kept beside the bytes, because a schema may have no fields.
  int64_t num_records_ = 0;
};

// Writes `value` as element `k` of the field at `offset` of the record at
// `row`; rows are not aligned.
template <typename T>
void StoreField(uint8_t* row, int64_t offset, T value, int64_t k = 0) {
  std::memcpy(row + offset + k * static_cast<int64_t>(sizeof(T)), &value,
              sizeof(T));
}

}  // namespace internode::core

#endif  // INTERNODE_CORE_RECORD_BATCH_H_
