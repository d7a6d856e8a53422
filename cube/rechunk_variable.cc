#include "cube/rechunk_variable.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/status_macros.h"
#include "cube/strided_copy.h"

namespace internode::cube {
namespace {

using core::Selection;

std::vector<int64_t> SizesOf(const Selection& box) {
  std::vector<int64_t> sizes;
  for (const core::Extent& extent : box.extents) sizes.push_back(extent.size());
  return sizes;
}

void FillWith(absl::Span<const uint8_t> fill, std::vector<uint8_t>* bytes) {
  for (size_t at = 0; at < bytes->size(); at += fill.size()) {
    std::memcpy(bytes->data() + at, fill.data(), fill.size());
  }
}

// Whether `bytes` are `fill` again and again.
bool IsAll(absl::Span<const uint8_t> fill, const std::vector<uint8_t>& bytes) {
  return std::memcmp(bytes.data(), fill.data(), fill.size()) == 0 &&
         std::memcmp(bytes.data(), bytes.data() + fill.size(),
                     bytes.size() - fill.size()) == 0;
}

// Whether all of axis `d` is in each block.
bool IsWhole(const RechunkPlan& plan, const std::vector<RechunkAxis>& axes,
             size_t d) {
  return plan.block[d] == axes[d].size && plan.tile[d] == axes[d].size;
}

}  // namespace

int64_t DeskBytes(const RechunkPlan& plan, const std::vector<RechunkAxis>& axes,
                  int64_t element_bytes) {
  bool some_whole = false;
  int64_t chunk = element_bytes;
  for (size_t d = 0; d < axes.size(); ++d) {
    some_whole = some_whole || IsWhole(plan, axes, d);
    chunk *= axes[d].target;
  }
  // The block, whose pixels are filled up to 8 bytes; a piece of it; and as
  // much for the reader.
  const int64_t pixel = some_whole ? element_bytes : 8;
  const int64_t block =
      SaturatedElements(plan.block) * (pixel + 2 * element_bytes);
  // The new storage chunk raw, shuffled and compressed, and a piece of it.
  return std::max(block, 4 * chunk);
}

absl::StatusOr<std::unique_ptr<VariableRechunker>> VariableRechunker::Create(
    std::shared_ptr<const Cube> cube, size_t variable,
    std::vector<RechunkAxis> axes, RechunkPlan plan, int64_t cache_bytes) {
  std::unique_ptr<VariableRechunker> made(new VariableRechunker());
  const core::VariableInfo& info = cube->info().variables[variable];
  core::BlockRequest request;
  request.series = {{info.name, -1}};
  for (size_t d = 0; d < axes.size(); ++d) {
    const core::Dimension& dim = info.dims[d];
    // A dimension that this variable has not followed reads longer than it is
    // stored; bands are no core dimension of one series.
    const bool in_pixel = IsWhole(plan, axes, d) && axes[d].size == dim.size &&
                          dim.name != cube->info().band_dim;
    made->in_pixel_.push_back(in_pixel);
    (in_pixel ? request.core_dims : request.noncore_dims).push_back(dim.name);
    made->targets_.push_back(axes[d].target);
  }
  made->element_bytes_ = core::DataTypeBytes(info.type);
  made->axes_ = std::move(axes);
  made->plan_ = std::move(plan);
  BlockReaderOptions options;
  options.cache_bytes = cache_bytes;
  INTERNODE_ASSIGN_OR_RETURN(made->reader_,
                             NewBlockReader(std::move(cube), request, options));
  return made;
}

core::ChunkGrid VariableRechunker::Tiles() const {
  return CutBox(WholeBox(axes_), plan_.tile);
}

core::ChunkGrid VariableRechunker::Blocks(const Selection& tile) const {
  return CutBox(tile, plan_.block);
}

core::ChunkGrid VariableRechunker::Chunks(const Selection& tile) const {
  return CutBox(tile, targets_);
}

// Bytes between neighbours along each axis of a box held in storage order.
std::vector<int64_t> VariableRechunker::Strides(
    const std::vector<int64_t>& sizes) const {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = element_bytes_;
  for (size_t d = sizes.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= sizes[d];
  }
  return strides;
}

absl::Status VariableRechunker::Read(const Selection& tile,
                                     const Selection& block, PieceStore* store,
                                     RechunkDesk* desk) const {
  Selection selection;
  for (size_t d = 0; d < axes_.size(); ++d) {
    if (!in_pixel_[d]) selection.extents.push_back(block.extents[d]);
  }
  INTERNODE_RETURN_IF_ERROR(reader_->Read(selection, &desk->block));
  std::vector<int64_t> strides(axes_.size());
  int64_t in_pixel = element_bytes_;
  int64_t between_pixels = reader_->layout().pixel_stride;
  for (size_t d = axes_.size(); d-- > 0;) {
    int64_t& stride = in_pixel_[d] ? in_pixel : between_pixels;
    strides[d] = stride;
    stride *= block.extents[d].size();
  }
  const core::ChunkGrid pieces = CutBox(block, targets_);
  for (int64_t p = 0; p < pieces.num_chunks(); ++p) {
    const Selection piece = pieces.Chunk(p);
    const std::vector<int64_t> piece_strides = Strides(SizesOf(piece));
    const std::byte* from = desk->block.pixel(0);
    std::vector<CopyDimension> dims;
    for (size_t d = 0; d < axes_.size(); ++d) {
      from += (piece.extents[d].begin - block.extents[d].begin) * strides[d];
      dims.push_back({piece.extents[d].size(), strides[d], piece_strides[d]});
    }
    desk->piece.resize(
        static_cast<size_t>(piece.num_pixels() * element_bytes_));
    StridedCopy(dims, element_bytes_, from, desk->piece.data());
    INTERNODE_RETURN_IF_ERROR(store->Write(PlaceOf(tile, piece), desk->piece));
  }
  return absl::OkStatus();
}

// The new storage chunk that holds `piece`, as far as it is in the variable.
Selection VariableRechunker::ChunkAround(const Selection& piece) const {
  Selection chunk;
  for (size_t d = 0; d < axes_.size(); ++d) {
    const int64_t begin = piece.extents[d].begin / targets_[d] * targets_[d];
    chunk.extents.push_back(core::Extent::Range(
        begin, begin + std::min(targets_[d], axes_[d].size - begin)));
  }
  return chunk;
}

// Where `piece` lies in the store of `tile`: the pieces of a new storage chunk
// follow each other, and the new storage chunks do.
int64_t VariableRechunker::PlaceOf(const Selection& tile,
                                   const Selection& piece) const {
  const Selection chunk = ChunkAround(piece);
  return (ElementsBefore(chunk, tile) + ElementsBefore(piece, chunk)) *
         element_bytes_;
}

absl::Status VariableRechunker::Encode(const Selection& tile,
                                       const Selection& chunk,
                                       absl::Span<const uint8_t> fill,
                                       PieceStore* store,
                                       RechunkDesk* desk) const {
  const std::vector<int64_t> strides = Strides(targets_);
  desk->chunk.resize(
      static_cast<size_t>(SaturatedElements(targets_) * element_bytes_));
  if (SizesOf(chunk) != targets_) FillWith(fill, &desk->chunk);
  const core::ChunkGrid pieces = CutBox(chunk, plan_.block);
  for (int64_t p = 0; p < pieces.num_chunks(); ++p) {
    const Selection piece = pieces.Chunk(p);
    desk->piece.resize(
        static_cast<size_t>(piece.num_pixels() * element_bytes_));
    INTERNODE_RETURN_IF_ERROR(
        store->Read(PlaceOf(tile, piece), absl::MakeSpan(desk->piece)));
    const std::vector<int64_t> piece_strides = Strides(SizesOf(piece));
    auto* to = reinterpret_cast<std::byte*>(desk->chunk.data());
    std::vector<CopyDimension> dims;
    for (size_t d = 0; d < axes_.size(); ++d) {
      to += (piece.extents[d].begin - chunk.extents[d].begin) * strides[d];
      dims.push_back({piece.extents[d].size(), piece_strides[d], strides[d]});
    }
    StridedCopy(dims, element_bytes_, desk->piece.data(), to);
  }
  if (IsAll(fill, desk->chunk)) {
    desk->encoded.clear();
  } else {
    desk->encoder.Encode(desk->chunk, element_bytes_, &desk->encoded);
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
