#ifndef INTERNODE_CLIENT_CONVERT_H_
#define INTERNODE_CLIENT_CONVERT_H_

#include <variant>
#include <vector>

#include "core/chunk_grid.h"
#include "core/dimension.h"
#include "core/job_spec.h"
#include "core/selection.h"
#include "internode/chunks.h"
#include "internode/job.h"

// Between the values of the public headers and those of core/.

namespace internode::client {

inline core::Dimensions ToCore(const std::vector<Dimension>& dims) {
  core::Dimensions result;
  for (const Dimension& dim : dims) result.push_back({dim.name, dim.size});
  return result;
}

inline std::vector<Dimension> FromCore(const core::Dimensions& dims) {
  std::vector<Dimension> result;
  for (const core::Dimension& dim : dims) {
    result.push_back({dim.name, dim.size});
  }
  return result;
}

inline core::ChunkSizes ToCore(const ChunkSizes& sizes) {
  if (const int64_t* size = std::get_if<int64_t>(&sizes)) return *size;
  if (const ChunkMapping* mapping = std::get_if<ChunkMapping>(&sizes)) {
    return *mapping;
  }
  return core::NoChunks();
}

inline core::ChunkChoice ToCore(const ChunkChoice& chunks) {
  if (std::holds_alternative<AutoChunks>(chunks)) return core::AutoChunks();
  if (const int64_t* size = std::get_if<int64_t>(&chunks)) return *size;
  if (const ChunkMapping* mapping = std::get_if<ChunkMapping>(&chunks)) {
    return *mapping;
  }
  return core::NoChunks();
}

inline Selection FromCore(const core::Selection& selection) {
  Selection result;
  result.reserve(selection.extents.size());
  for (const core::Extent& extent : selection.extents) {
    result.push_back({extent.begin, extent.end, extent.is_index});
  }
  return result;
}

inline core::Selection ToCore(const Selection& selection) {
  core::Selection result;
  result.extents.reserve(selection.size());
  for (const Extent& extent : selection) {
    result.extents.push_back({extent.begin, extent.end, extent.is_index});
  }
  return result;
}

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_CONVERT_H_
