#include "rpc/job_proto.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/cube_info.h"
#include "core/data_type.h"
#include "rpc/value_proto.h"

namespace internode::rpc {
namespace {

absl::StatusOr<core::Field> FieldOf(const v1::RecordSchema::Field& message) {
  core::Field field;
  field.name = message.name();
  INTERNODE_ASSIGN_OR_RETURN(field.type, core::ParseDataType(message.type()));
  field.dims.assign(message.dims().begin(), message.dims().end());
  if (message.has_fill()) field.fill = message.fill();
  INTERNODE_ASSIGN_OR_RETURN(field.attributes,
                             AttributesOf(message.attributes()));
  return field;
}

v1::JobPlan::Output OutputOf(const core::PlannedJob& job) {
  v1::JobPlan::Output message;
  SetAttributes(job.attributes, message.mutable_attributes());
  for (const core::CoordinateInfo& coordinate : job.coordinates) {
    v1::JobPlan::Coordinate* entry = message.add_coordinates();
    entry->set_dim(coordinate.dim);
    entry->mutable_values()->Add(coordinate.values.begin(),
                                 coordinate.values.end());
    for (const std::string& label : coordinate.labels) {
      entry->add_labels(label);
    }
    const absl::string_view type = core::DataTypeName(coordinate.type);
    entry->set_type(std::string(type));
    SetAttributes(coordinate.attributes, entry->mutable_attributes());
  }
  if (job.grid_mapping.has_value()) {
    message.set_grid_mapping_name(job.grid_mapping->name);
    SetAttributes(job.grid_mapping->attributes, message.mutable_grid_mapping());
  }
  return message;
}

absl::Status SetOutput(const v1::JobPlan::Output& message,
                       core::PlannedJob* job) {
  INTERNODE_ASSIGN_OR_RETURN(job->attributes,
                             AttributesOf(message.attributes()));
  for (const v1::JobPlan::Coordinate& entry : message.coordinates()) {
    core::CoordinateInfo coordinate;
    coordinate.dim = entry.dim();
    coordinate.values.assign(entry.values().begin(), entry.values().end());
    coordinate.labels.assign(entry.labels().begin(), entry.labels().end());
    INTERNODE_ASSIGN_OR_RETURN(coordinate.type,
                               core::ParseDataType(entry.type()));
    INTERNODE_ASSIGN_OR_RETURN(coordinate.attributes,
                               AttributesOf(entry.attributes()));
    job->coordinates.push_back(std::move(coordinate));
  }
  if (message.has_grid_mapping_name()) {
    core::GridMappingInfo mapping;
    mapping.name = message.grid_mapping_name();
    INTERNODE_ASSIGN_OR_RETURN(mapping.attributes,
                               AttributesOf(message.grid_mapping()));
    job->grid_mapping = std::move(mapping);
  }
  return absl::OkStatus();
}

// Whether every selection lies within the grid's dimensions.
absl::Status CheckWithin(const core::Dimensions& dims,
                         const std::vector<core::Selection>& selections) {
  int64_t num_pixels = 0;
  for (size_t i = 0; i < selections.size(); ++i) {
    bool good = selections[i].extents.size() == dims.size();
    int64_t pixels = 1;
    for (size_t d = 0; d < dims.size() && good; ++d) {
      const core::Extent& extent = selections[i].extents[d];
      good = extent.end <= dims[d].size &&
             !__builtin_mul_overflow(pixels, extent.size(), &pixels);
    }
    if (!good || __builtin_add_overflow(num_pixels, pixels, &num_pixels)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "job plan: selection ", i, " is not within the grid's dimensions"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

v1::ChunkGrid ToProto(const core::ChunkGrid& grid) {
  v1::ChunkGrid message;
  SetDimensions(grid.dims(), message.mutable_dims());
  for (const core::DimensionCut& cut : grid.cuts()) {
    v1::DimensionCut* entry = message.add_cuts();
    entry->set_begin(cut.begin);
    entry->set_end(cut.end);
    entry->set_chunk(cut.chunk);
    entry->set_origin(cut.origin);
  }
  return message;
}

absl::StatusOr<core::ChunkGrid> FromProto(const v1::ChunkGrid& message) {
  INTERNODE_ASSIGN_OR_RETURN(const core::Dimensions dims,
                             DimensionsOf(message.dims()));
  std::vector<core::DimensionCut> cuts;
  cuts.reserve(static_cast<size_t>(message.cuts_size()));
  for (const v1::DimensionCut& entry : message.cuts()) {
    cuts.push_back({entry.begin(), entry.end(), entry.chunk(), entry.origin()});
  }
  return core::ChunkGrid::Create(dims, std::move(cuts));
}

v1::RecordSchema ToProto(const core::RecordSchema& schema) {
  v1::RecordSchema message;
  for (const core::Field& field : schema.fields()) {
    v1::RecordSchema::Field* entry = message.add_fields();
    entry->set_name(field.name);
    const absl::string_view type = core::DataTypeName(field.type);
    entry->set_type(std::string(type));
    for (const std::string& dim : field.dims) entry->add_dims(dim);
    if (field.fill.has_value()) entry->set_fill(*field.fill);
    SetAttributes(field.attributes, entry->mutable_attributes());
  }
  for (const core::LabelledDimension& dim : schema.dims()) {
    v1::RecordSchema::LabelledDimension* entry = message.add_dims();
    entry->set_name(dim.name);
    for (const std::string& label : dim.labels) entry->add_labels(label);
  }
  return message;
}

absl::StatusOr<core::RecordSchema> FromProto(const v1::RecordSchema& message) {
  std::vector<core::Field> fields;
  fields.reserve(static_cast<size_t>(message.fields_size()));
  for (const v1::RecordSchema::Field& entry : message.fields()) {
    INTERNODE_ASSIGN_OR_RETURN(core::Field field, FieldOf(entry));
    fields.push_back(std::move(field));
  }
  std::vector<core::LabelledDimension> dims;
  dims.reserve(static_cast<size_t>(message.dims_size()));
  for (const v1::RecordSchema::LabelledDimension& entry : message.dims()) {
    dims.push_back(
        {entry.name(), {entry.labels().begin(), entry.labels().end()}});
  }
  return core::RecordSchema::Create(std::move(fields), std::move(dims));
}

v1::JobPlan ToProto(const core::PlannedJob& job) {
  v1::JobPlan message;
  *message.mutable_spec() = ToProto(job.spec);
  *message.mutable_grid() = ToProto(job.grid);
  SetSelections(job.selections, message.mutable_selections());
  *message.mutable_schema() = ToProto(*job.schema);
  message.set_fingerprint(job.fingerprint);
  message.set_tasks_together(job.tasks_together);
  for (const std::string& note : job.notes) message.add_notes(note);
  *message.mutable_output() = OutputOf(job);
  return message;
}

absl::StatusOr<core::PlannedJob> FromProto(const v1::JobPlan& message) {
  core::PlannedJob job;
  INTERNODE_ASSIGN_OR_RETURN(job.spec, FromProto(message.spec()));
  INTERNODE_ASSIGN_OR_RETURN(job.grid, FromProto(message.grid()));
  INTERNODE_ASSIGN_OR_RETURN(job.selections,
                             SelectionsOf(message.selections()));
  INTERNODE_RETURN_IF_ERROR(CheckWithin(job.grid.dims(), job.selections));
  INTERNODE_ASSIGN_OR_RETURN(core::RecordSchema schema,
                             FromProto(message.schema()));
  job.schema = std::make_shared<const core::RecordSchema>(std::move(schema));
  job.fingerprint = message.fingerprint();
  job.tasks_together = std::max<int64_t>(1, message.tasks_together());
  job.notes.assign(message.notes().begin(), message.notes().end());
  INTERNODE_RETURN_IF_ERROR(SetOutput(message.output(), &job));
  return job;
}

}  // namespace internode::rpc
