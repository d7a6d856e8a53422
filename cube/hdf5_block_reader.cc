#include "cube/hdf5_block_reader.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "cube/cube_file.h"
#include "cube/strided_copy.h"

namespace internode::cube {
namespace {

using core::Block;
using core::Selection;

// Large enough for the library's cost per call to vanish, small enough to be
// in the processor's cache still when the numbers are put in their places.
constexpr int64_t kStagingBytes = int64_t{8} << 20;

int64_t MachineMemory() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES);
  const int64_t page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::numeric_limits<int64_t>::max();
  return pages * page;
}

absl::Status TooLarge(absl::string_view what, int64_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat(what, " of ", FormatBytes(bytes),
                   " does not fit into memory; choose smaller chunks"));
}

Box BoxOf(const PlannedVariable& plan, const SeriesGroup& group,
          const Selection& selection) {
  Box box;
  for (const PlannedAxis& axis : plan.axes) {
    switch (axis.kind) {
      case AxisKind::kCore:
        box.push_back(core::Extent::Range(0, axis.size));
        break;
      case AxisKind::kNonCore:
        box.push_back(selection.extents[axis.noncore]);
        break;
      case AxisKind::kBand:
        box.push_back(
            core::Extent::Range(group.band, group.band + group.count));
        break;
    }
  }
  return box;
}

// Where the numbers of a piece of a variable go.
class Placement {
 public:
  Placement(const PlannedVariable& plan, const SeriesGroup& group,
            const Selection& selection, int64_t pixel_stride)
      : plan_(plan), group_(group), selection_(selection) {
    strides_.resize(selection.extents.size());
    int64_t stride = pixel_stride;
    for (size_t n = selection.extents.size(); n-- > 0;) {
      strides_[n] = stride;
      stride *= selection.extents[n].size();
    }
  }

  void Copy(const Box& piece, const std::byte* source,
            std::byte* first_pixel) const {
    absl::InlinedVector<CopyDimension, 8> dims;
    int64_t source_stride = plan_.element_bytes;
    int64_t offset = group_.offset;
    absl::InlinedVector<bool, 4> has(strides_.size(), false);
    for (size_t d = piece.size(); d-- > 0;) {
      const PlannedAxis& axis = plan_.axes[d];
      int64_t target_stride = axis.stride;
      int64_t origin = 0;
      if (axis.kind == AxisKind::kNonCore) {
        target_stride = strides_[axis.noncore];
        origin = selection_.extents[axis.noncore].begin;
        has[axis.noncore] = true;
      } else if (axis.kind == AxisKind::kBand) {
        target_stride = group_.step;
        origin = group_.band;
      }
      offset += (piece[d].begin - origin) * target_stride;
      dims.push_back({piece[d].size(), source_stride, target_stride});
      source_stride *= piece[d].size();
    }
    // The same for all indices of the dimensions that the variable lacks.
    for (size_t n = 0; n < strides_.size(); ++n) {
      if (!has[n]) {
        dims.push_back({selection_.extents[n].size(), 0, strides_[n]});
      }
    }
    StridedCopy(dims, plan_.element_bytes, source, first_pixel + offset);
  }

 private:
  const PlannedVariable& plan_;
  const SeriesGroup& group_;
  const Selection& selection_;
  // Bytes between neighbours along each non-core dimension of the block.
  absl::InlinedVector<int64_t, 4> strides_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Hdf5BlockReader>> Hdf5BlockReader::Create(
    std::shared_ptr<const Cube> cube, const core::BlockRequest& request,
    const BlockReaderOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(BlockPlan plan, PlanBlocks(cube->info(), request));
  std::unique_ptr<Hdf5BlockReader> reader(
      new Hdf5BlockReader(std::move(cube), std::move(plan), options));
  h5::Lock lock;
  for (const PlannedVariable& variable : reader->plan_.variables) {
    INTERNODE_ASSIGN_OR_RETURN(
        VariableReader opened,
        VariableReader::Open(reader->cube_->file(), reader->cube_->info(),
                             variable));
    reader->variables_.push_back(std::move(opened));
  }
  return reader;
}

Hdf5BlockReader::Hdf5BlockReader(std::shared_ptr<const Cube> cube,
                                 BlockPlan plan,
                                 const BlockReaderOptions& options)
    : cube_(std::move(cube)),
      plan_(std::move(plan)),
      cache_bytes_(options.cache_bytes /
                   static_cast<int64_t>(plan_.variables.size())) {}

Hdf5BlockReader::~Hdf5BlockReader() {
  h5::Lock lock;
  variables_.clear();
}

absl::Status Hdf5BlockReader::Read(const Selection& selection, Block* block) {
  INTERNODE_RETURN_IF_ERROR(CheckSelection(plan_, selection));
  INTERNODE_RETURN_IF_ERROR(cube_->file().CheckUnchanged());
  const int64_t bytes = selection.num_pixels() * plan_.layout.pixel_stride;
  if (bytes > MachineMemory()) return TooLarge("a block", bytes);
  try {
    block->Reset(&plan_.layout, selection);
    std::unique_ptr<Staging> staging = TakeStaging();
    absl::Status status = ReadAll(selection, staging.get(), block);
    ReturnStaging(std::move(staging));
    // What was read of a file that somebody writes to is worth nothing, and
    // explains errors.
    INTERNODE_RETURN_IF_ERROR(cube_->file().CheckUnchanged());
    return status;
  } catch (const std::bad_alloc&) {
    return TooLarge("a block", bytes);
  }
}

absl::Status Hdf5BlockReader::ReadAll(const Selection& selection,
                                      Staging* staging, Block* block) {
  if (selection.num_pixels() == 0) return absl::OkStatus();
  for (size_t v = 0; v < plan_.variables.size(); ++v) {
    for (const SeriesGroup& group : plan_.variables[v].groups) {
      INTERNODE_RETURN_IF_ERROR(ReadGroup(v, group, selection, staging, block));
    }
  }
  return absl::OkStatus();
}

absl::Status Hdf5BlockReader::ReadGroup(size_t variable,
                                        const SeriesGroup& group,
                                        const Selection& selection,
                                        Staging* staging, Block* block) {
  const PlannedVariable& plan = plan_.variables[variable];
  const Box box = BoxOf(plan, group, selection);
  const Placement placement(plan, group, selection, plan_.layout.pixel_stride);
  {
    h5::Lock lock;
    INTERNODE_RETURN_IF_ERROR(
        variables_[variable].KeepShared(box, cache_bytes_));
  }
  const int64_t max_elements = kStagingBytes / plan.element_bytes;
  for (PieceIterator it(plan, box, max_elements); !it.done(); it.Next()) {
    const size_t words = static_cast<size_t>(
        (NumElements(it.piece()) * plan.element_bytes + 7) / 8);
    if (staging->size() < words) staging->resize(words);
    std::byte* const numbers = reinterpret_cast<std::byte*>(staging->data());
    {
      h5::Lock lock;
      INTERNODE_RETURN_IF_ERROR(variables_[variable].Read(it.piece(), numbers));
    }
    placement.Copy(it.piece(), numbers, block->mutable_pixel(0));
  }
  return absl::OkStatus();
}

std::unique_ptr<Hdf5BlockReader::Staging> Hdf5BlockReader::TakeStaging() {
  MutexLock lock(&mutex_);
  if (idle_.empty()) return std::make_unique<Staging>();
  std::unique_ptr<Staging> staging = std::move(idle_.back());
  idle_.pop_back();
  return staging;
}

void Hdf5BlockReader::ReturnStaging(std::unique_ptr<Staging> staging) {
  MutexLock lock(&mutex_);
  idle_.push_back(std::move(staging));
}

absl::StatusOr<std::unique_ptr<BlockReader>> NewBlockReader(
    std::shared_ptr<const Cube> cube, const core::BlockRequest& request,
    const BlockReaderOptions& options) {
  return Hdf5BlockReader::Create(std::move(cube), request, options);
}

}  // namespace internode::cube
