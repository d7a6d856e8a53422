#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "rpc/job_proto.h"
#include "rpc/value_proto.h"

namespace internode::rpc {
namespace {

void SetChunks(const core::ChunkChoice& chunks, v1::JobSpec* message) {
  if (std::holds_alternative<core::AutoChunks>(chunks)) {
    message->set_chunk_kind(v1::JobSpec::CHUNK_KIND_AUTO);
  } else if (const int64_t* size = std::get_if<int64_t>(&chunks)) {
    message->set_chunk_kind(v1::JobSpec::CHUNK_KIND_UNIFORM);
    message->set_chunk_size(*size);
  } else if (const auto* mapping = std::get_if<core::ChunkMapping>(&chunks)) {
    message->set_chunk_kind(v1::JobSpec::CHUNK_KIND_MAPPING);
    for (const auto& [dim, chunk] : *mapping) {
      v1::JobSpec::DimensionChunk* entry = message->add_chunk_sizes();
      entry->set_dim(dim);
      entry->set_size(chunk);
    }
  } else {
    message->set_chunk_kind(v1::JobSpec::CHUNK_KIND_NONE);
  }
}

absl::StatusOr<core::ChunkChoice> ChunksOf(const v1::JobSpec& message) {
  switch (message.chunk_kind()) {
    case v1::JobSpec::CHUNK_KIND_AUTO:
      return core::AutoChunks();
    case v1::JobSpec::CHUNK_KIND_NONE:
      return core::NoChunks();
    case v1::JobSpec::CHUNK_KIND_UNIFORM:
      return message.chunk_size();
    case v1::JobSpec::CHUNK_KIND_MAPPING: {
      core::ChunkMapping mapping;
      for (const v1::JobSpec::DimensionChunk& entry : message.chunk_sizes()) {
        mapping.emplace_back(entry.dim(), entry.size());
      }
      return mapping;
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat("job spec: chunk kind ",
                                                     message.chunk_kind(),
                                                     " is of a later version"));
  }
}

absl::Status ParametersOf(const v1::JobSpec& message, core::JobSpec* spec) {
  size_t bytes = 0;
  for (const v1::JobSpec::Parameter& entry : message.parameters()) {
    bytes += entry.name().size() + entry.value().size();
    spec->parameters.emplace_back(entry.name(), entry.value());
  }
  if (bytes > kMaxParameterBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("job spec: the parameters take ", bytes,
                     " bytes; at most ", kMaxParameterBytes, " are allowed"));
  }
  return absl::OkStatus();
}

}  // namespace

v1::JobSpec ToProto(const core::JobSpec& spec) {
  v1::JobSpec message;
  message.set_function(spec.function);
  for (const auto& [name, value] : spec.parameters) {
    v1::JobSpec::Parameter* entry = message.add_parameters();
    entry->set_name(name);
    entry->set_value(value);
  }
  message.set_cube_path(spec.cube_path);
  message.set_cube_group(spec.cube_group);
  for (const core::DimensionNames& names : spec.dimension_names) {
    v1::JobSpec::DimensionNames* entry = message.add_dimension_names();
    entry->set_variable(names.variable);
    for (const std::string& name : names.names) entry->add_names(name);
  }
  for (const std::string& dim : spec.core_dims) message.add_core_dims(dim);
  message.set_default_core_dims(spec.default_core_dims);
  SetChunks(spec.chunks, &message);
  for (const core::VariableChoice& choice : spec.variables) {
    v1::JobSpec::VariableChoice* entry = message.add_variables();
    entry->set_role(choice.role);
    entry->set_variable(choice.variable);
  }
  for (const core::DimensionRange& range : spec.select) {
    v1::JobSpec::DimensionRange* entry = message.add_select();
    entry->set_dim(range.dim);
    entry->set_begin(range.begin);
    entry->set_end(range.end);
  }
  if (spec.nodata.has_value()) message.set_nodata(*spec.nodata);
  SetSelections(spec.selections, message.mutable_selections());
  SetDimensions(spec.shape, message.mutable_shape());
  return message;
}

absl::StatusOr<core::JobSpec> FromProto(const v1::JobSpec& message) {
  core::JobSpec spec;
  spec.function = message.function();
  INTERNODE_RETURN_IF_ERROR(ParametersOf(message, &spec));
  spec.cube_path = message.cube_path();
  spec.cube_group = message.cube_group();
  for (const v1::JobSpec::DimensionNames& entry : message.dimension_names()) {
    spec.dimension_names.push_back(
        {entry.variable(), {entry.names().begin(), entry.names().end()}});
  }
  spec.core_dims.assign(message.core_dims().begin(), message.core_dims().end());
  spec.default_core_dims = message.default_core_dims();
  INTERNODE_ASSIGN_OR_RETURN(spec.chunks, ChunksOf(message));
  for (const v1::JobSpec::VariableChoice& entry : message.variables()) {
    spec.variables.push_back({entry.role(), entry.variable()});
  }
  for (const v1::JobSpec::DimensionRange& entry : message.select()) {
    spec.select.push_back({entry.dim(), entry.begin(), entry.end()});
  }
  if (message.has_nodata()) spec.nodata = message.nodata();
  INTERNODE_ASSIGN_OR_RETURN(spec.selections,
                             SelectionsOf(message.selections()));
  INTERNODE_ASSIGN_OR_RETURN(spec.shape, DimensionsOf(message.shape()));
  return spec;
}

}  // namespace internode::rpc
