#include "core/record_schema.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::core {
namespace {

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  const auto is_word = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  if (!name.empty() && std::all_of(name.begin(), name.end(), is_word) &&
      !absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(what, " '", name,
                   "' is not a name; use letters, digits and '_', and no "
                   "digit first"));
}

template <typename Named>
absl::Status CheckNames(absl::string_view what, const std::vector<Named>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    INTERNODE_RETURN_IF_ERROR(CheckName(what, all[i].name));
    for (size_t j = 0; j < i; ++j) {
      if (all[i].name == all[j].name) {
        return absl::InvalidArgumentError(
            absl::StrCat(what, " '", all[i].name, "' is declared twice"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecordSchema> RecordSchema::Create(
    std::vector<Field> fields, std::vector<LabelledDimension> dims) {
  INTERNODE_RETURN_IF_ERROR(CheckNames("record field", fields));
  INTERNODE_RETURN_IF_ERROR(CheckNames("record dimension", dims));
  std::vector<std::string> dim_names;
  for (const LabelledDimension& dim : dims) {
    dim_names.push_back(dim.name);
    if (dim.labels.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("record dimension '", dim.name, "' has no labels"));
    }
  }
  RecordSchema schema;
  schema.fields_ = std::move(fields);
  schema.dims_ = std::move(dims);
  for (const Field& field : schema.fields_) {
    int64_t count = 1;
    for (const std::string& dim : field.dims) {
      const int64_t size = schema.DimensionSize(dim);
      if (size == 0) {
        return absl::InvalidArgumentError(absl::StrCat(
            "record field '", field.name, "' has an unknown dimension '", dim,
            "'; ", WhatExists("there are", dim, dim_names)));
      }
      count = std::min(count * size, kMaxRecordBytes + 1);
    }
    schema.offsets_.push_back(schema.record_bytes_);
    schema.counts_.push_back(count);
    schema.record_bytes_ += count * DataTypeBytes(field.type);
    if (schema.record_bytes_ > kMaxRecordBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("a record is larger than ", kMaxRecordBytes,
                       " bytes at its field '", field.name, "'"));
    }
  }
  return schema;
}

int64_t RecordSchema::DimensionSize(absl::string_view name) const {
  for (const LabelledDimension& dim : dims_) {
    if (dim.name == name) return static_cast<int64_t>(dim.labels.size());
  }
  return 0;
}

int RecordSchema::FieldIndex(absl::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<int64_t> RecordSchema::shape(int i) const {
  std::vector<int64_t> shape;
  for (const std::string& dim : fields_[static_cast<size_t>(i)].dims) {
    shape.push_back(DimensionSize(dim));
  }
  return shape;
}

std::string RecordSchema::NumpyDescr() const {
  std::vector<std::string> parts;
  for (size_t i = 0; i < fields_.size(); ++i) {
    std::string part = absl::StrCat("('", fields_[i].name, "', '",
                                    NumpyTypeName(fields_[i].type), "'");
    const std::vector<int64_t> sizes = shape(static_cast<int>(i));
    if (!sizes.empty()) {
      absl::StrAppend(&part, ", (", absl::StrJoin(sizes, ", "),
                      sizes.size() == 1 ? ",)" : ")");
    }
    parts.push_back(part + ")");
  }
  return absl::StrCat("[", absl::StrJoin(parts, ", "), "]");
}

}  // namespace internode::core
