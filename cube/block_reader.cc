#include "cube/block_reader.h"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "base/quantity.h"
#include "base/status_macros.h"
#include "cube/block_plan.h"
#include "cube/chunked_series_reader.h"
#include "cube/contiguous_series_reader.h"
#include "cube/cube_file.h"
#include "cube/library_series_reader.h"
#include "cube/read_pool.h"
#include "cube/read_scratch.h"
#include "cube/series_reader.h"
#include "cube/streaming_copy.h"

namespace internode::cube {
namespace {

int64_t MachineMemory() {
  const int64_t pages = sysconf(_SC_PHYS_PAGES);
  const int64_t page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::numeric_limits<int64_t>::max();
  return pages * page;
}

absl::Status TooLarge(int64_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("a block of ", FormatBytes(bytes),
                   " does not fit into memory; choose smaller chunks"));
}

// What one thread needs while it reads a block, kept for the next block.
struct BlockScratch {
  ReadScratch read;
  // From the last one to the first.
  std::vector<SeriesTarget> targets;
  std::vector<SeriesReader*> readers;
};

// Reads variable by variable, each in its own way.
class CubeBlockReader final : public BlockReader {
 public:
  CubeBlockReader(std::shared_ptr<const Cube> cube, BlockPlan plan,
                  const BlockReaderOptions& options)
      : cube_(std::move(cube)),
        plan_(std::move(plan)),
        pool_(options.pool != nullptr
                  ? options.pool
                  : std::make_shared<ReadPool>(options.cache_bytes)),
        cached_block_bytes_(options.cached_block_bytes) {}

  ~CubeBlockReader() override {
    MutexLock lock(&mutex_);
    for (const auto& scratch : idle_) {
      pool_->cache().AddInFlight(-scratch->read.known_bytes);
    }
  }

  absl::Status Open(const BlockReaderOptions& options) {
    for (const PlannedVariable& variable : plan_.variables) {
      INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<SeriesReader> reader,
                                 OpenVariable(variable, options));
      readers_.push_back(std::move(reader));
    }
    return absl::OkStatus();
  }

  const core::BlockLayout& layout() const override { return plan_.layout; }

  absl::Status Read(const core::Selection& selection,
                    core::Block* block) override {
    INTERNODE_RETURN_IF_ERROR(CheckSelection(plan_, selection));
    INTERNODE_RETURN_IF_ERROR(cube_->file().CheckUnchanged());
    const int64_t bytes = selection.num_pixels() * plan_.layout.pixel_stride;
    if (bytes > MachineMemory()) return TooLarge(bytes);
    try {
      block->Reset(&plan_.layout, selection);
      std::unique_ptr<BlockScratch> scratch = TakeScratch();
      absl::Status status = ReadAll(selection, scratch.get(), block);
      FinishStreaming();
      ReturnScratch(std::move(scratch));
      // What was read of a file that somebody writes to is worth nothing, and
      // explains errors.
      INTERNODE_RETURN_IF_ERROR(cube_->file().CheckUnchanged());
      return status;
    } catch (const std::bad_alloc&) {
      return TooLarge(bytes);
    }
  }

 private:
  absl::StatusOr<std::unique_ptr<SeriesReader>> OpenVariable(
      const PlannedVariable& variable, const BlockReaderOptions& options) {
    const CubeFile& file = cube_->file();
    const StoredVariable& stored = file.variables[variable.variable];
    const core::VariableInfo& info = cube_->info().variables[variable.variable];
    if (!options.library_only && stored.plan.library_reason.empty()) {
      const absl::StatusOr<std::shared_ptr<const ReadPool::Dataset>> dataset =
          pool_->Find(file, stored);
      if (dataset.ok() &&
          (*dataset)->storage.layout == StorageLayout::kChunked) {
        return std::make_unique<ChunkedSeriesReader>(
            file, info, stored, variable, *dataset, pool_.get());
      }
      if (dataset.ok()) {
        return std::make_unique<ContiguousSeriesReader>(file, info, stored,
                                                        variable, *dataset);
      }
      // What is wrong with the file, if anything, the library tells better.
    }
    return LibrarySeriesReader::Open(
        file, cube_->info(), variable,
        options.cache_bytes / static_cast<int64_t>(plan_.variables.size()));
  }

  absl::Status ReadAll(const core::Selection& selection, BlockScratch* scratch,
                       core::Block* block) {
    if (selection.num_pixels() == 0) return absl::OkStatus();
    ListTargets(selection, scratch, block);
    for (size_t t = scratch->targets.size(); t-- > 0;) {
      scratch->readers[t]->WillRead(scratch->targets[t], &scratch->read);
    }
    for (size_t t = scratch->targets.size(); t-- > 0;) {
      INTERNODE_RETURN_IF_ERROR(
          scratch->readers[t]->Read(scratch->targets[t], &scratch->read));
    }
    return absl::OkStatus();
  }

  // From the last one on, so that each knows what comes after it.
  void ListTargets(const core::Selection& selection, BlockScratch* scratch,
                   core::Block* block) {
    size_t count = 0;
    for (const PlannedVariable& variable : plan_.variables) {
      count += variable.groups.size();
    }
    scratch->targets.clear();
    scratch->targets.reserve(count);
    scratch->readers.clear();
    for (size_t v = plan_.variables.size(); v-- > 0;) {
      const std::vector<SeriesGroup>& groups = plan_.variables[v].groups;
      for (size_t g = groups.size(); g-- > 0;) {
        const bool last = scratch->targets.empty();
        scratch->targets.push_back(
            {.group = groups[g],
             .selection = selection,
             .pixel_stride = plan_.layout.pixel_stride,
             .first_pixel = block->mutable_pixel(0),
             .streaming = selection.num_pixels() * plan_.layout.pixel_stride >
                          cached_block_bytes_,
             .next = last ? nullptr : &scratch->targets.back(),
             .next_reader = last ? nullptr : scratch->readers.back()});
        scratch->readers.push_back(readers_[v].get());
      }
    }
  }

  std::unique_ptr<BlockScratch> TakeScratch() {
    MutexLock lock(&mutex_);
    if (idle_.empty()) return std::make_unique<BlockScratch>();
    std::unique_ptr<BlockScratch> scratch = std::move(idle_.back());
    idle_.pop_back();
    return scratch;
  }

  void ReturnScratch(std::unique_ptr<BlockScratch> scratch) {
    ReadScratch& read = scratch->read;
    read.held.clear();
    // There is one after an error.
    read.ahead = {};
    pool_->Count(std::exchange(read.counters, {}));
    const int64_t bytes = read.bytes();
    if (bytes != read.known_bytes) {
      pool_->cache().AddInFlight(bytes - read.known_bytes);
      read.known_bytes = bytes;
    }
    MutexLock lock(&mutex_);
    idle_.push_back(std::move(scratch));
  }

  const std::shared_ptr<const Cube> cube_;
  const BlockPlan plan_;
  const std::shared_ptr<ReadPool> pool_;
  const int64_t cached_block_bytes_;
  // As plan_.variables.
  std::vector<std::unique_ptr<SeriesReader>> readers_;

  Mutex mutex_;
  std::vector<std::unique_ptr<BlockScratch>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

int64_t UsualCacheBytes() {
  return std::min(MachineMemory() / 8, int64_t{1} << 30);
}

absl::StatusOr<std::unique_ptr<BlockReader>> NewBlockReader(
    std::shared_ptr<const Cube> cube, const core::BlockRequest& request,
    const BlockReaderOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(BlockPlan plan, PlanBlocks(cube->info(), request));
  auto reader = std::make_unique<CubeBlockReader>(std::move(cube),
                                                  std::move(plan), options);
  INTERNODE_RETURN_IF_ERROR(reader->Open(options));
  return reader;
}

}  // namespace internode::cube
