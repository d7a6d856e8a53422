#ifndef INTERNODE_CUBE_CHUNKED_SERIES_READER_H_
#define INTERNODE_CUBE_CHUNKED_SERIES_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "core/cube_info.h"
#include "cube/cube_file.h"
#include "cube/placement.h"
#include "cube/read_pool.h"
#include "cube/series_reader.h"

namespace internode::cube {

// Reads a variable in storage chunks without the HDF5 library: storage chunks
// that a block has whole are read, decoded and put into their places one after
// the other; others come through the cache that all blocks share. Where a
// storage chunk has few times, many are decoded before they are put into their
// places, so that series are written in long pieces.
class ChunkedSeriesReader final : public SeriesReader {
 public:
  // All outlive the reader. `dataset` is of `variable`.
  ChunkedSeriesReader(const CubeFile& file, const core::VariableInfo& info,
                      const StoredVariable& variable,
                      const PlannedVariable& plan,
                      std::shared_ptr<const ReadPool::Dataset> dataset,
                      ReadPool* pool);

  void WillRead(const SeriesTarget& target, ReadScratch* scratch) override;
  std::optional<ChunkDecoder::Chunk> First(const SeriesTarget& target,
                                           ReadScratch* scratch) override;
  absl::Status Read(const SeriesTarget& target, ReadScratch* scratch) override;

 private:
  // Storage chunks are read together if they are so near to each other in the
  // file: a read of so much costs about as much as a call of the system.
  static constexpr uint64_t kGapBytes = uint64_t{32} << 10;

  using Places = absl::InlinedVector<int64_t, 5>;
  using Cell = ReadScratch::Cell;
  using Group = ReadScratch::Group;

  // One call of Read, First or WillRead.
  struct Call {
    const SeriesTarget& target;
    Placement placement;
    // What is read, within the dataset.
    Box box;
    ReadScratch* scratch = nullptr;
    ReadScratch::Listed* listed = nullptr;
    // The group that is listed next; in the grid.
    Places place = {};
    int64_t series_place = 0;
    bool done = false;
  };
  // Sources of one form that follow each other in the series.
  struct Run {
    int64_t series_begin = 0;
    ChunkForm form = ChunkForm::kNumbers;
  };

  Call NewCall(const SeriesTarget& target, ReadScratch* scratch,
               ReadScratch::Listed* listed) const;

  // Lists the groups that are read next, in the order of the file. False:
  // there are no more.
  bool ListGroups(Call* call) const;
  // Lists one and returns its bytes in the file.
  int64_t ListGroup(Call* call) const;
  void NextGroup(Call* call) const;
  int64_t Cells(const Box& box, size_t d) const;

  absl::Status ReadGroup(const Call& call, size_t group) const;
  absl::StatusOr<ScatterSource> Source(const Call& call, size_t group,
                                       size_t cell, ChunkForm* form) const;
  // What is stored of a cell, in the window or else read into `window`.
  absl::StatusOr<ChunkDecoder::Stored> Stored(
      const Call& call, size_t group, size_t cell,
      ReadScratch::Window* window) const;
  absl::Status ReadWindow(const Call& call, size_t group, size_t cell,
                          ReadScratch::Window* window) const;

  // Where a cell of a group that is not cut is decoded to; all cells of the
  // group have room there.
  std::byte* Slot(const Call& call, size_t group, size_t cell,
                  Buffer* staging) const;
  // Decodes a cell to its slot, and, where that is faster, the next one that
  // has to be decoded with it.
  absl::StatusOr<ChunkForm> DecodeWhole(
      const Call& call, size_t group, size_t cell,
      const ChunkDecoder::Stored& stored) const;
  std::optional<ChunkDecoder::Chunk> Partner(const Call& call, size_t group,
                                             size_t cell) const;
  // The first cell of the group from `begin` on that is worth a partner; the
  // group's end where there is none.
  size_t FirstToPair(const Call& call, size_t group, size_t begin) const;
  // Notes that a cell is decoded ahead, and returns it.
  std::optional<ChunkDecoder::Chunk> TakeAhead(const Call& call, size_t group,
                                               size_t cell,
                                               Buffer* staging) const;
  bool IsAhead(const Call& call, size_t cell) const;
  absl::StatusOr<ChunkForm> Decoded(const Call& call, size_t group, size_t cell,
                                    absl::StatusOr<ChunkForm> form) const;
  void Scatter(const Call& call, const Group& group, const Run& run) const;
  // Whether the sources reach to the end of the series.
  bool EndsSeries(const Call& call, absl::Span<const ScatterSource> sources,
                  const Run& run) const;

  // Which part of the dataset a storage chunk has, cut at its extents.
  Box BoxOfCell(const Group& group, const Cell& cell) const;
  // What of it the call takes.
  Box Taken(const Call& call, const Group& group, const Cell& cell) const;
  ChunkCache::Use UseOf(const Call& call, const Group& group,
                        const Cell& cell) const;
  absl::Status ErrorAt(const Box& box, const absl::Status& status) const;

  const CubeFile& file_;
  const core::VariableInfo& info_;
  const StoredVariable& variable_;
  const PlannedVariable& plan_;
  const std::shared_ptr<const ReadPool::Dataset> dataset_;
  ReadPool* const pool_;

  // The storage dimension whose numbers lie one after the other in a block, or
  // -1, as ScatterShape::series.
  int series_ = -1;
  // Numbers of a storage chunk from one to the next along each dimension, and
  // in all.
  std::vector<int64_t> chunk_strides_;
  int64_t chunk_elements_ = 1;
  // Storage chunks of a group at the most, and bytes from one to the next
  // where they are decoded.
  int64_t group_cells_ = 1;
  int64_t slot_bytes_ = 0;
  // Numbers stay shuffled until they are put into their places.
  bool planes_ = false;
  // Two storage chunks are decoded together where that is faster.
  bool pairs_ = false;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNKED_SERIES_READER_H_
