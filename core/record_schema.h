#ifndef INTERNODE_CORE_RECORD_SCHEMA_H_
#define INTERNODE_CORE_RECORD_SCHEMA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/attribute.h"
#include "core/data_type.h"

namespace internode::core {

// An axis of sub-array fields, with a label for each of its elements:
// band: blue, green, …
struct LabelledDimension {
  std::string name;
  std::vector<std::string> labels;

  friend bool operator==(const LabelledDimension&,
                         const LabelledDimension&) = default;
};

// One column of a record. A field with `dims` is a sub-array, row-major.
struct Field {
  std::string name;
  DataType type = DataType::kFloat64;
  // Names of the schema's dimensions; empty for a scalar.
  std::vector<std::string> dims;
  // The value that means "none", if there is one. Integers up to 2^53.
  std::optional<double> fill;
  // CF attributes of the column: units, long_name, calendar, flag_values, …
  Attributes attributes;

  friend bool operator==(const Field&, const Field&) = default;
};

// The layout of a record: its fields in order, packed without padding,
// numbers little-endian, exactly NumPy's unaligned structured dtype. A value;
// immutable after construction, and so thread-safe.
class RecordSchema {
 public:
  // No fields; records of 0 bytes.
  RecordSchema() = default;

  // Errors (kInvalidArgument): empty or repeated names, names that are not
  // identifiers ([A-Za-z_][A-Za-z0-9_]*), a field over an unknown dimension, a
  // dimension without labels, a record larger than kMaxRecordBytes.
  static absl::StatusOr<RecordSchema> Create(
      std::vector<Field> fields, std::vector<LabelledDimension> dims = {});

  static constexpr int64_t kMaxRecordBytes = int64_t{1} << 20;

  const std::vector<Field>& fields() const { return fields_; }
  const std::vector<LabelledDimension>& dims() const { return dims_; }
  int64_t record_bytes() const { return record_bytes_; }

  // The number of the field called `name`, or -1.
  int FieldIndex(absl::string_view name) const;
  // Bytes from the start of the record to field `i`.
  int64_t offset(int i) const { return offsets_[static_cast<size_t>(i)]; }
  // Numbers in field `i`: 1 for a scalar.
  int64_t count(int i) const { return counts_[static_cast<size_t>(i)]; }
  // The sizes of field `i`'s dimensions.
  std::vector<int64_t> shape(int i) const;

  // NumPy's descr of the dtype, as Python source:
  // [('t_start', '<i4'), ('coefs', '<f4', (7, 8))]
  std::string NumpyDescr() const;

  friend bool operator==(const RecordSchema&, const RecordSchema&) = default;

 private:
  int64_t DimensionSize(absl::string_view name) const;

  std::vector<Field> fields_;
  std::vector<LabelledDimension> dims_;
  std::vector<int64_t> offsets_;
  std::vector<int64_t> counts_;
  int64_t record_bytes_ = 0;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_RECORD_SCHEMA_H_
