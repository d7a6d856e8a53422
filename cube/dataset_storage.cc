#include "cube/dataset_storage.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/chunk_index_kinds.h"
#include "cube/hdf5_fields.h"
#include "cube/hdf5_structure_reader.h"
#include "cube/layout_message.h"

namespace internode::cube {
namespace {

constexpr int64_t kUnlimited = DatasetStorageRequest::kUnlimited;
constexpr size_t kMostRank = 32;

absl::Status CheckRequest(const DatasetStorageRequest& request) {
  const size_t rank = request.extents.size();
  bool sound = rank >= 1 && rank <= kMostRank &&
               request.max_extents.size() == rank &&
               (request.chunk.empty() || request.chunk.size() == rank) &&
               request.element_bytes > 0;
  for (size_t d = 0; sound && d < rank; ++d) {
    const int64_t most = request.max_extents[d];
    sound = request.extents[d] >= 0 &&
            (most == kUnlimited || most >= request.extents[d]) &&
            (request.chunk.empty() || request.chunk[d] > 0);
  }
  if (sound) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the dataset's extents, storage chunks and element size do not fit "
      "together");
}

int64_t CountAlong(int64_t extent, int64_t chunk) {
  return extent / chunk + (extent % chunk != 0 ? 1 : 0);
}

absl::StatusOr<StorageGrid> GridOf(const DatasetStorageRequest& request) {
  StorageGrid grid{.extents = request.extents, .chunk = request.chunk};
  grid.num_chunks = 1;
  bool fits = true;
  for (size_t d = 0; d < grid.extents.size(); ++d) {
    const int64_t count = CountAlong(grid.extents[d], grid.chunk[d]);
    grid.counts.push_back(count);
    fits = fits &&
           !__builtin_mul_overflow(grid.num_chunks, count, &grid.num_chunks);
  }
  if (fits) return grid;
  return absl::UnimplementedError("more than 2^63 storage chunks");
}

// A chunk before the filters. libhdf5 makes none of 4 GiB or more.
absl::StatusOr<uint32_t> ChunkBytes(const DatasetStorageRequest& request) {
  int64_t bytes = request.element_bytes;
  for (int64_t size : request.chunk) {
    if (__builtin_mul_overflow(bytes, size, &bytes) || bytes > UINT32_MAX) {
      return absl::UnimplementedError("storage chunks of 4 GiB or more");
    }
  }
  return static_cast<uint32_t>(bytes);
}

// Where all numbers of the dataset lie in one piece.
absl::StatusOr<DatasetStorage> InOnePiece(const DatasetStorageRequest& request,
                                          const LayoutMessage& layout,
                                          const StructureReader& reader) {
  DatasetStorage storage;
  storage.layout = layout.layout;
  uint64_t bytes = static_cast<uint64_t>(request.element_bytes);
  for (int64_t extent : request.extents) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(extent), &bytes)) {
      return absl::DataLossError("the dataset is larger than 2^64 bytes");
    }
  }
  if (layout.bytes != 0 && layout.bytes < bytes) {
    return absl::DataLossError(absl::StrCat("the dataset has ", bytes,
                                            " bytes, of which ", layout.bytes,
                                            " are stored"));
  }
  storage.bytes = bytes;
  if (layout.address == kUndefined || bytes == 0) return storage;
  INTERNODE_ASSIGN_OR_RETURN(storage.address,
                             reader.Offset(layout.address, bytes));
  return storage;
}

absl::Status CheckChunk(const DatasetStorageRequest& request,
                        const LayoutMessage& layout) {
  const size_t rank = request.chunk.size();
  bool same =
      layout.chunk.size() == rank + 1 &&
      layout.chunk[rank] == static_cast<uint64_t>(request.element_bytes);
  for (size_t d = 0; same && d < rank; ++d) {
    same = layout.chunk[d] == static_cast<uint64_t>(request.chunk[d]);
  }
  if (same) return absl::OkStatus();
  return absl::DataLossError(
      "data layout: not the storage chunks of this "
      "dataset");
}

// Fails for a kind of index that libhdf5 does not give such a dataset.
absl::Status CheckKind(const IndexedDataset& dataset,
                       const LayoutMessage& layout) {
  size_t num_unlimited = 0;
  for (int64_t count : dataset.max_counts) {
    num_unlimited += count == kUnlimited ? 1 : 0;
  }
  bool sound = true;
  switch (layout.kind) {
    case ChunkIndexKind::kSingle:
      sound = dataset.grid.num_chunks <= 1 && num_unlimited == 0 &&
              (layout.single_filtered == dataset.filtered ||
               layout.address == kUndefined);
      break;
    case ChunkIndexKind::kImplicit:
      sound = num_unlimited == 0 && !dataset.filtered;
      break;
    case ChunkIndexKind::kFixedArray:
      sound = num_unlimited == 0;
      break;
    case ChunkIndexKind::kExtensibleArray:
      sound = num_unlimited == 1;
      break;
    case ChunkIndexKind::kBTree1:
    case ChunkIndexKind::kBTree2:
      break;
  }
  if (sound) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("data layout: a ",
                                          ChunkIndexKindName(layout.kind),
                                          " cannot index this dataset"));
}

absl::Status ReadSingle(const IndexReading& reading) {
  const std::vector<int64_t> place(reading.dataset.grid.counts.size());
  const uint64_t bytes = reading.layout.single_filtered
                             ? reading.layout.single_bytes
                             : reading.dataset.chunk_bytes;
  return reading.Add(place, reading.layout.address, bytes,
                     reading.layout.single_mask);
}

absl::Status AddChunks(const IndexReading& reading) {
  switch (reading.layout.kind) {
    case ChunkIndexKind::kFixedArray:
      return ReadFixedArray(reading);
    case ChunkIndexKind::kExtensibleArray:
      return ReadExtensibleArray(reading);
    case ChunkIndexKind::kBTree1:
      return ReadBTree1(reading);
    case ChunkIndexKind::kBTree2:
      return ReadBTree2(reading);
    case ChunkIndexKind::kSingle:
    case ChunkIndexKind::kImplicit:
      break;
  }
  return ReadSingle(reading);
}

absl::StatusOr<ChunkIndex> ReadChunks(const IndexedDataset& dataset,
                                      const LayoutMessage& layout,
                                      StructureReader* reader) {
  ChunkIndexBuilder builder(dataset.grid, reader->file_bytes());
  // Nothing is written, or nothing of it is left.
  if (layout.address == kUndefined || dataset.grid.num_chunks == 0) {
    return builder.Finish();
  }
  if (layout.kind == ChunkIndexKind::kImplicit) {
    INTERNODE_ASSIGN_OR_RETURN(const uint64_t address,
                               reader->Offset(layout.address, 0));
    return ChunkIndexBuilder::Implicit(dataset.grid, dataset.max_counts,
                                       address, dataset.chunk_bytes,
                                       reader->file_bytes());
  }
  INTERNODE_RETURN_IF_ERROR(AddChunks({.dataset = dataset,
                                       .layout = layout,
                                       .reader = reader,
                                       .builder = &builder}));
  return builder.Finish();
}

}  // namespace

absl::string_view ChunkIndexKindName(ChunkIndexKind kind) {
  switch (kind) {
    case ChunkIndexKind::kSingle:
      return "single chunk";
    case ChunkIndexKind::kImplicit:
      return "implicit index";
    case ChunkIndexKind::kFixedArray:
      return "fixed array";
    case ChunkIndexKind::kExtensibleArray:
      return "extensible array";
    case ChunkIndexKind::kBTree1:
      return "version 1 B-tree";
    case ChunkIndexKind::kBTree2:
      break;
  }
  return "version 2 B-tree";
}

absl::Status IndexReading::Add(absl::Span<const int64_t> place,
                               uint64_t address, uint64_t bytes,
                               uint32_t filter_mask) const {
  if (address == kUndefined) return absl::OkStatus();
  if (bytes > UINT32_MAX ||
      (!dataset.filtered && bytes != dataset.chunk_bytes)) {
    return absl::DataLossError(
        absl::StrCat("chunk index: a storage chunk of ", bytes, " bytes"));
  }
  INTERNODE_ASSIGN_OR_RETURN(const uint64_t offset,
                             reader->Offset(address, bytes));
  return builder->Add(place, {.address = offset,
                              .bytes = static_cast<uint32_t>(bytes),
                              .filter_mask = filter_mask});
}

absl::StatusOr<DatasetStorage> ReadDatasetStorage(
    const ByteSource& source, const DatasetStorageRequest& request) {
  INTERNODE_RETURN_IF_ERROR(CheckRequest(request));
  INTERNODE_ASSIGN_OR_RETURN(StructureReader reader,
                             StructureReader::Open(source));
  INTERNODE_ASSIGN_OR_RETURN(
      const LayoutMessage layout,
      FindLayoutMessage(request.object_address, &reader));
  const bool chunked = layout.layout == StorageLayout::kChunked;
  if (chunked != !request.chunk.empty()) {
    return absl::DataLossError("data layout: of another dataset");
  }
  if (!chunked) return InOnePiece(request, layout, reader);
  INTERNODE_RETURN_IF_ERROR(CheckChunk(request, layout));
  IndexedDataset dataset;
  dataset.filtered = request.filtered;
  INTERNODE_ASSIGN_OR_RETURN(dataset.grid, GridOf(request));
  INTERNODE_ASSIGN_OR_RETURN(dataset.chunk_bytes, ChunkBytes(request));
  for (size_t d = 0; d < request.chunk.size(); ++d) {
    const int64_t most = request.max_extents[d];
    dataset.max_counts.push_back(
        most == kUnlimited ? kUnlimited : CountAlong(most, request.chunk[d]));
  }
  INTERNODE_RETURN_IF_ERROR(CheckKind(dataset, layout));
  DatasetStorage storage;
  storage.kind = layout.kind;
  storage.edge_chunks_unfiltered = layout.edge_chunks_unfiltered;
  INTERNODE_ASSIGN_OR_RETURN(storage.chunks,
                             ReadChunks(dataset, layout, &reader));
  return storage;
}

}  // namespace internode::cube
