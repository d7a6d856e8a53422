#include "cube/layout_message.h"

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

// H5S_MAX_RANK, and one for the bytes of an element.
constexpr size_t kMostChunkDimensions = 33;

enum LayoutClass { kCompactClass, kContiguousClass, kChunkedClass };

absl::Status CheckChunkDimensions(size_t dims) {
  if (dims >= 2 && dims <= kMostChunkDimensions) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("data layout: storage chunks of ", dims, " dimensions"));
}

// Versions 1 and 2, of HDF5 before 1.6.3.
absl::StatusOr<LayoutMessage> ParseOld(FieldReader* fields,
                                       uint64_t message_address) {
  LayoutMessage layout;
  const size_t dims = fields->U8();
  const int layout_class = fields->U8();
  fields->Skip(5);
  if (layout_class > kChunkedClass) {
    return absl::UnimplementedError(
        absl::StrCat("data layout of class ", layout_class));
  }
  if (layout_class != kCompactClass) layout.address = fields->U64();
  for (size_t d = 0; d < dims; ++d) layout.chunk.push_back(fields->U32());
  if (layout_class == kChunkedClass) {
    INTERNODE_RETURN_IF_ERROR(CheckChunkDimensions(dims));
    return layout;
  }
  layout.layout = layout_class == kCompactClass ? StorageLayout::kCompact
                                                : StorageLayout::kContiguous;
  layout.chunk.clear();
  if (layout_class == kCompactClass) {
    layout.bytes = fields->U32();
    layout.address = message_address + fields->position();
    fields->Skip(layout.bytes);
  }
  return layout;
}

absl::StatusOr<LayoutMessage> ParseChunked3(FieldReader* fields) {
  LayoutMessage layout;
  const size_t dims = fields->U8();
  INTERNODE_RETURN_IF_ERROR(CheckChunkDimensions(dims));
  layout.address = fields->U64();
  for (size_t d = 0; d < dims; ++d) layout.chunk.push_back(fields->U32());
  return layout;
}

// What version 4 says of the index, by its kind.
absl::Status ParseIndexing(FieldReader* fields, int kind,
                           LayoutMessage* layout) {
  switch (kind) {
    case 1:
      layout->kind = ChunkIndexKind::kSingle;
      if (layout->single_filtered) {
        layout->single_bytes = fields->U64();
        layout->single_mask = fields->U32();
      }
      return absl::OkStatus();
    case 2:
      layout->kind = ChunkIndexKind::kImplicit;
      return absl::OkStatus();
    case 3:
      layout->kind = ChunkIndexKind::kFixedArray;
      layout->page_bits = fields->U8();
      return absl::OkStatus();
    case 4:
      layout->kind = ChunkIndexKind::kExtensibleArray;
      layout->max_elements_bits = fields->U8();
      layout->index_block_elements = fields->U8();
      layout->min_data_pointers = fields->U8();
      layout->min_data_elements = fields->U8();
      layout->page_bits = fields->U8();
      return absl::OkStatus();
    case 5:
      layout->kind = ChunkIndexKind::kBTree2;
      // Size of a node, and when nodes are split and merged: its header says
      // the same.
      fields->Skip(6);
      return absl::OkStatus();
    default:
      return absl::UnimplementedError(
          absl::StrCat("chunk index of type ", kind));
  }
}

absl::StatusOr<LayoutMessage> ParseChunked4(FieldReader* fields) {
  constexpr int kEdgeChunksUnfiltered = 1;
  constexpr int kSingleFiltered = 2;
  LayoutMessage layout;
  const int flags = fields->U8();
  if ((flags & ~(kEdgeChunksUnfiltered | kSingleFiltered)) != 0) {
    return absl::UnimplementedError(
        absl::StrCat("data layout with flags ", flags));
  }
  layout.edge_chunks_unfiltered = (flags & kEdgeChunksUnfiltered) != 0;
  layout.single_filtered = (flags & kSingleFiltered) != 0;
  const size_t dims = fields->U8();
  INTERNODE_RETURN_IF_ERROR(CheckChunkDimensions(dims));
  const size_t dim_bytes = fields->U8();
  if (dim_bytes < 1 || dim_bytes > 8) {
    return absl::DataLossError(
        absl::StrCat("data layout: dimensions of ", dim_bytes, " bytes"));
  }
  for (size_t d = 0; d < dims; ++d) {
    layout.chunk.push_back(fields->Number(dim_bytes));
  }
  INTERNODE_RETURN_IF_ERROR(ParseIndexing(fields, fields->U8(), &layout));
  layout.address = fields->U64();
  return layout;
}

absl::StatusOr<LayoutMessage> ParseNew(FieldReader* fields, int version,
                                       uint64_t message_address) {
  LayoutMessage layout;
  const int layout_class = fields->U8();
  switch (layout_class) {
    case kCompactClass:
      layout.layout = StorageLayout::kCompact;
      layout.bytes = fields->U16();
      layout.address = message_address + fields->position();
      fields->Skip(layout.bytes);
      return layout;
    case kContiguousClass:
      layout.layout = StorageLayout::kContiguous;
      layout.address = fields->U64();
      layout.bytes = fields->U64();
      return layout;
    case kChunkedClass:
      return version == 3 ? ParseChunked3(fields) : ParseChunked4(fields);
    case 3:
      return absl::UnimplementedError("a virtual dataset");
    default:
      return absl::UnimplementedError(
          absl::StrCat("data layout of class ", layout_class));
  }
}

}  // namespace

absl::StatusOr<LayoutMessage> ParseLayoutMessage(
    absl::Span<const std::byte> message, uint64_t address) {
  FieldReader fields(message);
  const int version = fields.U8();
  if (version < 1 || version > 4) {
    return absl::UnimplementedError(
        absl::StrCat("data layout version ", version));
  }
  INTERNODE_ASSIGN_OR_RETURN(const LayoutMessage layout,
                             version < 3 ? ParseOld(&fields, address)
                                         : ParseNew(&fields, version, address));
  if (!fields.ok()) return Damaged("data layout", address, "cut off");
  return layout;
}

}  // namespace internode::cube
