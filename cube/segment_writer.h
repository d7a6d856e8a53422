#ifndef INTERNODE_CUBE_SEGMENT_WRITER_H_
#define INTERNODE_CUBE_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/block_result.h"
#include "core/chunk_grid.h"
#include "core/cube_info.h"
#include "core/record_schema.h"

namespace internode::cube {

// Which part of a job a segment file holds: the chunks of the grid in
// [first_chunk, end_chunk), the id-th (from 1) of `total` contiguous parts.
struct SegmentFilePart {
  int64_t id = 1;
  int64_t total = 1;
  int64_t first_chunk = 0;
  int64_t end_chunk = 0;

  friend bool operator==(const SegmentFilePart&,
                         const SegmentFilePart&) = default;
};

// The `id`-th of `total` parts of `num_chunks` chunks; sizes differ by one at
// most. Errors (kInvalidArgument): not 1 <= id <= total.
absl::StatusOr<SegmentFilePart> PartOf(int64_t num_chunks, int64_t id,
                                       int64_t total);

// What a segment file says beside its records. A value.
struct SegmentFileSpec {
  std::shared_ptr<const core::RecordSchema> schema;
  // The cube's non-core dimensions in full size, cut by the job. Its cuts may
  // leave out a part of the dimensions: rows and columns still count from the
  // cube's first.
  core::ChunkGrid grid;
  // The cube's coordinates, as CubeInfo has them; those of other dimensions
  // are ignored.
  std::vector<core::CoordinateInfo> coordinates;
  // The cube's grid mapping. Ignored without both y and x coordinates.
  std::optional<core::GridMappingInfo> grid_mapping;
  // Attributes of the file: title, algorithm, parameters, inputs, job_id, …
  // `Conventions` and `history` are added to them.
  core::Attributes attributes;
  // The command that made the file.
  std::string history;
  // Absent: the whole job.
  std::optional<SegmentFilePart> part;
};

// Writes a segment file (NetCDF-4; docs/segment-file.md) from the results of
// chunks, in chunk order.
//
// Memory: one storage chunk (16384 records, or as many as fit 32 MiB), and 3
// bytes per pixel of the grid's cuts. The same chunks give the same bytes,
// whoever computed them. The file comes into being as OutputFile says: as
// OUT.partial, locked against a second run, and renamed by Finish.
//
// Thread-compatible.
class SegmentWriter {
 public:
  // Errors: as OutputFile::Create; kInvalidArgument when a field or dimension
  // of the schema has a name that segment files use themselves;
  // kResourceExhausted when a dimension, or the selected part of all together,
  // has more than 2^31 - 1 elements.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(
      absl::string_view path, const SegmentFileSpec& spec, bool overwrite);

  // Removes what was written unless Finish succeeded.
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // Adds the result of a chunk. Chunks come in ascending order; one that is
  // left out has the status not_processed. The messages of failed pixels are
  // not kept. Errors: kInvalidArgument, the chunk is not in the part, is out
  // of order, or the result does not fit it or the schema; kResourceExhausted,
  // more than 32767 records of one pixel, or the disk is full. After an error
  // only destruction is allowed.
  absl::Status Append(int64_t chunk, const core::BlockResult& result);

  // Completes the file. Nothing else may be called afterwards.
  absl::Status Finish();

  int64_t num_records() const;

 private:
  struct Impl;
  explicit SegmentWriter(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SEGMENT_WRITER_H_
