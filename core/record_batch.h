#ifndef INTERNODE_CORE_RECORD_BATCH_H_
#define INTERNODE_CORE_RECORD_BATCH_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

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
  explicit RecordBatch(std::shared_ptr<const RecordSchema> schema)
      : schema_(std::move(schema)) {}

  const RecordSchema& schema() const { return *schema_; }
  const std::shared_ptr<const RecordSchema>& shared_schema() const {
    return schema_;
  }

  int64_t num_records() const { return num_records_; }
  absl::Span<const uint8_t> bytes() const { return bytes_; }
  // Record `i`, of schema().record_bytes() bytes.
  const uint8_t* row(int64_t i) const {
    return bytes_.data() + i * schema_->record_bytes();
  }

  // Appends one record of zeros and returns it to be filled in; valid until
  // the next change of the batch.
  uint8_t* Append() {
    bytes_.resize(bytes_.size() + static_cast<size_t>(schema_->record_bytes()));
    ++num_records_;
    return bytes_.data() + bytes_.size() - schema_->record_bytes();
  }

  // Appends all records of `other`, which has the same schema.
  void Append(const RecordBatch& other) {
    bytes_.insert(bytes_.end(), other.bytes_.begin(), other.bytes_.end());
    num_records_ += other.num_records_;
  }

  // Appends the `num_records` records that `rows` holds.
  void AppendRows(absl::Span<const uint8_t> rows, int64_t num_records) {
    bytes_.insert(bytes_.end(), rows.begin(), rows.end());
    num_records_ += num_records;
  }

  void Truncate(int64_t num_records) {
    num_records_ = num_records;
    bytes_.resize(static_cast<size_t>(num_records * schema_->record_bytes()));
  }
  void Clear() { Truncate(0); }
  void Reserve(int64_t num_records) {
    bytes_.reserve(static_cast<size_t>(num_records * schema_->record_bytes()));
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
  std::shared_ptr<const RecordSchema> schema_;
  std::vector<uint8_t> bytes_;
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
