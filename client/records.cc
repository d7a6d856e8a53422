#include "internode/records.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/block_result.h"
#include "core/record_batch.h"
#include "core/record_schema.h"

namespace internode {
namespace {

constexpr bool Same(PixelStatus a, core::PixelStatus b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(Same(PixelStatus::kNotProcessed,
                   core::PixelStatus::kNotProcessed));
static_assert(Same(PixelStatus::kOk, core::PixelStatus::kOk));
static_assert(Same(PixelStatus::kNoSegments, core::PixelStatus::kNoSegments));
static_assert(Same(PixelStatus::kTooFewObservations,
                   core::PixelStatus::kTooFewObservations));
static_assert(Same(PixelStatus::kFailed, core::PixelStatus::kFailed));

std::vector<FieldInfo> FieldsOf(const core::RecordSchema& schema) {
  std::vector<FieldInfo> fields;
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    const core::Field& field = schema.fields()[i];
    const int index = static_cast<int>(i);
    fields.push_back({field.name, std::string(core::NumpyTypeName(field.type)),
                      schema.shape(index), schema.offset(index)});
  }
  return fields;
}

}  // namespace

absl::string_view PixelStatusName(PixelStatus status) {
  switch (status) {
    case PixelStatus::kNotProcessed:
      return "not_processed";
    case PixelStatus::kOk:
      return "ok";
    case PixelStatus::kNoSegments:
      return "no_segments";
    case PixelStatus::kTooFewObservations:
      return "too_few_observations";
    case PixelStatus::kFailed:
      return "failed";
  }
  return "unknown";
}

Schema::Schema(std::shared_ptr<const core::RecordSchema> schema)
    : schema_(std::move(schema)),
      fields_(
          std::make_shared<const std::vector<FieldInfo>>(FieldsOf(*schema_))),
      record_bytes_(schema_->record_bytes()) {}

const FieldInfo* Schema::FindField(absl::string_view name) const {
  const int i = schema_->FieldIndex(name);
  return i < 0 ? nullptr : &(*fields_)[static_cast<size_t>(i)];
}

std::string Schema::NumpyDescr() const { return schema_->NumpyDescr(); }

Records::Records(std::shared_ptr<const core::RecordBatch> batch)
    : batch_(std::move(batch)),
      schema_(batch_->shared_schema()),
      bytes_(batch_->bytes()),
      size_(batch_->num_records()) {}

}  // namespace internode
