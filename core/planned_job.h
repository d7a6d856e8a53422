#ifndef INTERNODE_CORE_PLANNED_JOB_H_
#define INTERNODE_CORE_PLANNED_JOB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/attribute.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"
#include "core/job_spec.h"
#include "core/record_schema.h"
#include "core/selection.h"

namespace internode::core {

// A job checked against its cube and function, without either: what a scheduler
// needs to cut it into tasks, and a client to write its output. A value.
struct PlannedJob {
  // With what the cube decided filled in.
  JobSpec spec;
  ChunkGrid grid;
  // The tasks, where the spec lists them; empty: they are the grid's chunks.
  std::vector<Selection> selections;
  std::shared_ptr<const RecordSchema> schema;
  // Of everything that decides the records. Another plan of the same spec has
  // another one if the cube, or the function, changed.
  uint64_t fingerprint = 0;
  // Tasks that belong together: see TasksSharingStorage.
  int64_t tasks_together = 1;
  // What was chosen for the user, one sentence each.
  std::vector<std::string> notes;

  // What the segment file says beside the records: see cube::SegmentFileSpec.
  Attributes attributes;
  std::vector<CoordinateInfo> coordinates;
  std::optional<GridMappingInfo> grid_mapping;

  int64_t num_tasks() const {
    return selections.empty() ? grid.num_chunks()
                              : static_cast<int64_t>(selections.size());
  }
  // 0 <= i < num_tasks().
  Selection Task(int64_t i) const {
    return selections.empty() ? grid.Chunk(i)
                              : selections[static_cast<size_t>(i)];
  }
  // Of all tasks.
  int64_t num_pixels() const {
    if (selections.empty()) return grid.num_pixels();
    int64_t pixels = 0;
    for (const Selection& selection : selections) {
      pixels += selection.num_pixels();
    }
    return pixels;
  }
  // The non-core dimensions.
  std::vector<std::string> dim_names() const {
    std::vector<std::string> names;
    names.reserve(grid.dims().size());
    for (const Dimension& dim : grid.dims()) names.push_back(dim.name);
    return names;
  }
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_PLANNED_JOB_H_
