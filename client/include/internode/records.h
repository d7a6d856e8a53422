#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_RECORDS_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_RECORDS_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace internode::core {
class RecordBatch;
class RecordSchema;
}  // namespace internode::core

namespace internode {

// What became of one pixel.
enum class PixelStatus : uint8_t {
  kNotProcessed = 0,
  kOk = 1,
  // Processed, but there was nothing to report.
  kNoSegments = 2,
  kTooFewObservations = 3,
  // The function, or the reading of its data, failed; there is a message.
  kFailed = 4,
};

// "not_processed", "ok", "no_segments", "too_few_observations", "failed".
absl::string_view PixelStatusName(PixelStatus status);

// One column of a record.
struct FieldInfo {
  std::string name;
  // NumPy's name of the type: "<i4", "<f8", "|u1", …
  std::string numpy_type;
  // Sizes of a sub-array; empty for a scalar.
  std::vector<int64_t> shape;
  // Bytes from the start of the record.
  int64_t offset = 0;
};

// The layout of records: packed rows of little-endian numbers, as in a NumPy
// structured dtype. A value; thread-safe.
class Schema {
 public:
  explicit Schema(std::shared_ptr<const core::RecordSchema> schema);

  int64_t record_bytes() const { return record_bytes_; }
  const std::vector<FieldInfo>& fields() const { return *fields_; }
  // Null when there is none of this name.
  const FieldInfo* FindField(absl::string_view name) const;
  // The descr of the dtype, as Python source:
  // [('t_start', '<i4'), ('coefs', '<f4', (7, 8))]
  std::string NumpyDescr() const;

 private:
  std::shared_ptr<const core::RecordSchema> schema_;
  std::shared_ptr<const std::vector<FieldInfo>> fields_;
  int64_t record_bytes_ = 0;
};

// Records of one schema, one after the other in one piece of memory: a NumPy
// structured array of dtype schema().NumpyDescr() without a copy. Shares the
// memory with its copies; thread-safe.
class Records {
 public:
  explicit Records(std::shared_ptr<const core::RecordBatch> batch);

  const Schema& schema() const { return schema_; }
  int64_t size() const { return size_; }
  absl::Span<const uint8_t> bytes() const { return bytes_; }
  // Record `i`, of schema().record_bytes() bytes.
  absl::Span<const uint8_t> row(int64_t i) const {
    return bytes_.subspan(static_cast<size_t>(i * schema_.record_bytes()),
                          static_cast<size_t>(schema_.record_bytes()));
  }

  // Number `k` of field `field` of record `i`. T is the C++ type that
  // field.numpy_type names.
  template <typename T>
  T Get(int64_t i, const FieldInfo& field, int64_t k = 0) const {
    T value;
    std::memcpy(&value, row(i).data() + field.offset + k * int64_t{sizeof(T)},
                sizeof(T));
    return value;
  }

 private:
  std::shared_ptr<const core::RecordBatch> batch_;
  Schema schema_;
  absl::Span<const uint8_t> bytes_;
  int64_t size_ = 0;
};

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_RECORDS_H_
