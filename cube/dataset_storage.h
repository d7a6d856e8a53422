#ifndef INTERNODE_CUBE_DATASET_STORAGE_H_
#define INTERNODE_CUBE_DATASET_STORAGE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "cube/byte_source.h"
#include "cube/chunk_index.h"

// Where the numbers of a dataset lie in an HDF5 file, read without the HDF5
// library: outside its lock, and in time linear in the number of storage
// chunks, which the library's own calls are not.
//
// The format is that of "HDF5 File Format Specification Version 3.0".
namespace internode::cube {

// What libhdf5 says of the dataset.
struct DatasetStorageRequest {
  static constexpr int64_t kUnlimited = -1;

  // H5O_info_t::addr of H5Oget_info2.
  uint64_t object_address = 0;
  // H5Sget_simple_extent_dims: current and largest; kUnlimited stands for
  // H5S_UNLIMITED. Rank 1 to 32.
  std::vector<int64_t> extents;
  std::vector<int64_t> max_extents;
  // H5Pget_chunk; empty: not chunked.
  std::vector<int64_t> chunk;
  // H5Tget_size of the type in the file.
  int64_t element_bytes = 0;
  // H5Pget_nfilters > 0.
  bool filtered = false;
};

enum class StorageLayout {
  // The numbers are in the header of the dataset.
  kCompact,
  // One piece.
  kContiguous,
  kChunked,
};

enum class ChunkIndexKind {
  kSingle,
  kImplicit,
  kFixedArray,
  kExtensibleArray,
  kBTree1,
  kBTree2,
};

// "fixed array"
absl::string_view ChunkIndexKindName(ChunkIndexKind kind);

struct DatasetStorage {
  StorageLayout layout = StorageLayout::kChunked;

  // kCompact and kContiguous: where the numbers are, in storage order, not
  // filtered; StorageChunk::kNeverWritten = nowhere. `bytes` is the size of
  // all numbers, and lies within the file.
  uint64_t address = StorageChunk::kNeverWritten;
  uint64_t bytes = 0;

  // kChunked.
  ChunkIndexKind kind = ChunkIndexKind::kBTree1;
  // H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS: chunks that reach beyond an extent
  // are stored without filters, whatever their mask says.
  bool edge_chunks_unfiltered = false;
  ChunkIndex chunks;
};

// Reads where the dataset lies. Takes time linear in the size of the index, and
// memory that the size of the file justifies, whatever the file holds. Errors,
// after all of which the library can still be asked: kUnimplemented, a form of
// the format that is not known here, with the reason ("layout version 5");
// kDataLoss, the file is damaged, or is not what the request says;
// kInvalidArgument, the request contradicts itself; as ByteSource::ReadAt.
absl::StatusOr<DatasetStorage> ReadDatasetStorage(
    const ByteSource& source, const DatasetStorageRequest& request);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_DATASET_STORAGE_H_
