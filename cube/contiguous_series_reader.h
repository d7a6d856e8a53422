#ifndef INTERNODE_CUBE_CONTIGUOUS_SERIES_READER_H_
#define INTERNODE_CUBE_CONTIGUOUS_SERIES_READER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"

#include "core/cube_info.h"
#include "cube/cube_file.h"
#include "cube/placement.h"
#include "cube/read_pool.h"
#include "cube/series_reader.h"

namespace internode::cube {

// Reads a variable that lies in one piece in its file, in the storage order of
// its numbers, without the HDF5 library. Parts that lie near to each other are
// read together, with what is between them.
class ContiguousSeriesReader final : public SeriesReader {
 public:
  // All outlive the reader. `dataset` is of `variable`.
  ContiguousSeriesReader(const CubeFile& file, const core::VariableInfo& info,
                         const StoredVariable& variable,
                         const PlannedVariable& plan,
                         std::shared_ptr<const ReadPool::Dataset> dataset);

  void WillRead(const SeriesTarget& target, ReadScratch* scratch) override;
  absl::Status Read(const SeriesTarget& target, ReadScratch* scratch) override;

 private:
  Box Inside(const SeriesTarget& target) const;
  // Numbers from the first to the last of `box`, along the dimensions from `d`
  // on.
  int64_t SpanFrom(const Box& box, size_t d) const;
  // The first dimension such that what `box` has along it and those behind it
  // is read at once.
  size_t ReadDimension(const Box& box) const;
  absl::Status ReadPiece(const SeriesTarget& target, const Placement& placement,
                         const Box& piece, size_t read_dimension,
                         ReadScratch* scratch) const;
  uint64_t AddressOf(const Box& box) const;

  const CubeFile& file_;
  const core::VariableInfo& info_;
  const StoredVariable& variable_;
  const PlannedVariable& plan_;
  const std::shared_ptr<const ReadPool::Dataset> dataset_;
  // In numbers.
  absl::InlinedVector<int64_t, 5> strides_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CONTIGUOUS_SERIES_READER_H_
