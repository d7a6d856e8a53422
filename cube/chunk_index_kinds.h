#ifndef INTERNODE_CUBE_CHUNK_INDEX_KINDS_H_
#define INTERNODE_CUBE_CHUNK_INDEX_KINDS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "cube/chunk_index_builder.h"
#include "cube/hdf5_structure_reader.h"
#include "cube/layout_message.h"

// One function per kind of chunk index: each adds the chunks that its index
// lists. Errors: kDataLoss, kUnimplemented; as StructureReader::Read and
// ChunkIndexBuilder::Add.
namespace internode::cube {

// What all kinds need to know of the dataset.
struct IndexedDataset {
  StorageGrid grid;
  // Chunks along each dimension of the largest extents;
  // DatasetStorageRequest::kUnlimited for those without one.
  std::vector<int64_t> max_counts;
  // Of a chunk before the filters.
  uint32_t chunk_bytes = 0;
  bool filtered = false;
};

struct IndexReading {
  const IndexedDataset& dataset;
  const LayoutMessage& layout;
  StructureReader* reader;
  ChunkIndexBuilder* builder;

  // Adds the chunk at `address` of the file. A size that no chunk of the
  // dataset can have is kDataLoss.
  absl::Status Add(absl::Span<const int64_t> place, uint64_t address,
                   uint64_t bytes, uint32_t filter_mask) const;
};

absl::Status ReadBTree1(const IndexReading& reading);
absl::Status ReadBTree2(const IndexReading& reading);
absl::Status ReadFixedArray(const IndexReading& reading);
absl::Status ReadExtensibleArray(const IndexReading& reading);

// The elements of both kinds of arrays: one per chunk of the largest extents.
class ArrayElements {
 public:
  // Of a fixed array; `bytes`: of an element. Errors: kDataLoss;
  // kUnimplemented, more elements, or larger pages, than can be counted.
  static absl::StatusOr<ArrayElements> Fixed(const IndexReading& reading,
                                             size_t bytes);
  // Of an extensible array, in whose order the dimension without a limit comes
  // first.
  static absl::StatusOr<ArrayElements> Extensible(const IndexReading& reading,
                                                  size_t bytes);

  size_t bytes() const { return bytes_; }
  // Elements from here on lie outside the dataset.
  uint64_t size() const { return size_; }

  // Adds the chunks of `elements`, the first of which is number `first`;
  // those from size() on are left out.
  absl::Status Add(uint64_t first, absl::Span<const std::byte> elements);

 private:
  explicit ArrayElements(const IndexReading& reading) : reading_(reading) {}
  absl::Status SetUp(size_t bytes);

  const IndexReading& reading_;
  size_t bytes_ = 0;
  uint64_t size_ = 0;
  // Dimensions, the slowest first, and the counts along them.
  std::vector<size_t> order_;
  std::vector<int64_t> counts_;
  // By dimension: a chunk's place.
  std::vector<int64_t> place_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_INDEX_KINDS_H_
