#include "cube/rechunk.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "base/quantity.h"
#include "base/status_macros.h"
#include "cube/cube_copy.h"
#include "cube/cube_file.h"
#include "cube/ordered_work.h"
#include "cube/piece_store.h"
#include "cube/rechunk_plan.h"
#include "cube/rechunk_variable.h"

namespace internode::cube {
namespace {

using core::Selection;

struct VariableJob {
  // In CubeInfo::variables.
  size_t variable = 0;
  std::vector<RechunkAxis> axes;
  RechunkPlan plan;
  // Of the store's memory, and of each thread's.
  int64_t store_bytes = 0;
  int64_t desk_bytes = 0;
};

std::string ScratchFolder(const std::string& path) {
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

absl::Status CheckOptions(const RechunkOptions& options) {
  if (options.deflate < 0 || options.deflate > 9) {
    return absl::InvalidArgumentError(
        absl::StrCat("the deflate level is ", options.deflate,
                     "; it must be between 0 and 9"));
  }
  if (options.threads < 1 || options.threads > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("the number of threads is ", options.threads,
                     "; it must be between 1 and 1024"));
  }
  return absl::OkStatus();
}

class Rechunker {
 public:
  Rechunker(std::shared_ptr<const Cube> cube, std::string path,
            const RechunkOptions& options)
      : cube_(std::move(cube)),
        path_(std::move(path)),
        options_(options),
        // The rest is for stores and threads.
        cache_bytes_(options.memory_bytes / 8),
        usable_bytes_(options.memory_bytes - cache_bytes_) {}

  absl::StatusOr<RechunkReport> Run() {
    INTERNODE_RETURN_IF_ERROR(CheckOptions(options_));
    INTERNODE_ASSIGN_OR_RETURN(
        const core::Dimensions chunks,
        ChooseStorageChunks(cube_->info(), options_.storage_chunks));
    for (size_t v = 0; v < cube_->info().variables.size(); ++v) {
      PlanVariable(v, chunks);
    }
    INTERNODE_RETURN_IF_ERROR(ChooseThreads());
    INTERNODE_ASSIGN_OR_RETURN(
        copy_, CubeCopy::Create(cube_, chunks, options_.deflate, path_,
                                options_.overwrite));
    for (VariableJob& job : jobs_) {
      INTERNODE_RETURN_IF_ERROR(CopyVariable(&job));
    }
    // What was copied beside the variables is of the same state of the file.
    INTERNODE_RETURN_IF_ERROR(cube_->file().CheckUnchanged());
    INTERNODE_RETURN_IF_ERROR(copy_->Finish());
    report_.notes.insert(report_.notes.end(), copy_->notes().begin(),
                         copy_->notes().end());
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path_, error);
    report_.file_bytes = error ? 0 : static_cast<int64_t>(bytes);
    return std::move(report_);
  }

 private:
  void PlanVariable(size_t variable, const core::Dimensions& chunks) {
    const core::VariableInfo& info = cube_->info().variables[variable];
    const std::vector<int64_t>& extents =
        cube_->file().variables[variable].extents;
    VariableJob job;
    job.variable = variable;
    RechunkedVariable report;
    report.name = info.name;
    report.source_chunks = info.storage_chunks;
    bool empty = false;
    for (size_t d = 0; d < extents.size(); ++d) {
      RechunkAxis axis = {.size = extents[d]};
      if (!info.storage_chunks.empty()) {
        axis.source = std::max<int64_t>(1, info.storage_chunks[d]);
      }
      for (const core::Dimension& chunk : chunks) {
        if (chunk.name == info.dims[d].name) axis.target = chunk.size;
      }
      report.storage_chunks.push_back(axis.target);
      job.axes.push_back(axis);
      empty = empty || axis.size == 0;
    }
    if (!empty) {
      const int64_t bytes = core::DataTypeBytes(info.type);
      job.plan =
          PlanRechunk(job.axes, bytes,
                      {.tile_bytes = options_.memory_bytes / 4,
                       .block_bytes = std::clamp<int64_t>(
                           options_.memory_bytes / 64, 1 << 12, 8 << 20)});
      job.store_bytes =
          job.plan.uses_scratch ? 0 : SaturatedElements(job.plan.tile) * bytes;
      job.desk_bytes = DeskBytes(job.plan, job.axes, bytes);
      report.raw_bytes = WholeBox(job.axes).num_pixels() * bytes;
      report.used_scratch = job.plan.uses_scratch;
      report.reads_per_chunk = job.plan.reads_per_chunk;
      report_.raw_bytes += report.raw_bytes;
      jobs_.push_back(std::move(job));
    }
    report_.variables.push_back(std::move(report));
  }

  absl::Status ChooseThreads() {
    report_.threads = options_.threads;
    for (const VariableJob& job : jobs_) {
      const int64_t least = job.store_bytes + job.desk_bytes;
      if (least > usable_bytes_) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "variable '", report_.variables[job.variable].name, "' needs ",
            FormatBytes(least / 7 * 8 + 8), " of memory, and ",
            FormatBytes(options_.memory_bytes),
            " are allowed; raise --memory-limit, or choose smaller "
            "--storage-chunks"));
      }
      report_.threads = static_cast<int>(std::min<int64_t>(
          report_.threads, (usable_bytes_ - job.store_bytes) / job.desk_bytes));
    }
    if (report_.threads < options_.threads) {
      report_.notes.push_back(absl::StrCat(
          "memory is enough for ", report_.threads, " of ", options_.threads,
          " threads; raise --memory-limit for more"));
    }
    for (int t = 0; t < report_.threads; ++t) {
      desks_.push_back(std::make_unique<RechunkDesk>(options_.deflate));
    }
    return absl::OkStatus();
  }

  absl::Status CopyVariable(VariableJob* job) {
    INTERNODE_ASSIGN_OR_RETURN(
        const std::unique_ptr<VariableRechunker> rechunker,
        VariableRechunker::Create(cube_, job->variable, job->axes, job->plan,
                                  cache_bytes_));
    const int64_t bytes =
        SaturatedElements(job->plan.tile) * rechunker->element_bytes();
    std::unique_ptr<PieceStore> store;
    if (job->plan.uses_scratch) {
      INTERNODE_ASSIGN_OR_RETURN(store,
                                 NewScratchStore(options_.scratch_folder.empty()
                                                     ? ScratchFolder(path_)
                                                     : options_.scratch_folder,
                                                 bytes));
    } else {
      INTERNODE_ASSIGN_OR_RETURN(store, NewMemoryStore(bytes));
    }
    const core::ChunkGrid tiles = rechunker->Tiles();
    for (int64_t t = 0; t < tiles.num_chunks(); ++t) {
      INTERNODE_RETURN_IF_ERROR(
          CopyTile(job->variable, *rechunker, tiles.Chunk(t), store.get()));
    }
    return absl::OkStatus();
  }

  absl::Status CopyTile(size_t variable, const VariableRechunker& rechunker,
                        const Selection& tile, PieceStore* store) {
    const core::ChunkGrid blocks = rechunker.Blocks(tile);
    const absl::Status read =
        RunWork(report_.threads, blocks.num_chunks(), options_.cancel,
                [&](int thread, int64_t number) {
                  const Selection block = blocks.Chunk(number);
                  INTERNODE_RETURN_IF_ERROR(
                      rechunker.Read(tile, block, store, DeskOf(thread)));
                  Advance(block.num_pixels() * rechunker.element_bytes());
                  return absl::OkStatus();
                });
    INTERNODE_RETURN_IF_ERROR(read);
    const core::ChunkGrid chunks = rechunker.Chunks(tile);
    return RunWork(
        report_.threads, chunks.num_chunks(), options_.cancel,
        [&](int thread, int64_t number) {
          return rechunker.Encode(tile, chunks.Chunk(number),
                                  copy_->fill(variable), store, DeskOf(thread));
        },
        [&](int thread, int64_t number) {
          const Selection chunk = chunks.Chunk(number);
          Advance(chunk.num_pixels() * rechunker.element_bytes());
          return Write(variable, chunk, DeskOf(thread)->encoded);
        });
  }

  RechunkDesk* DeskOf(int thread) const {
    return desks_[static_cast<size_t>(thread)].get();
  }

  absl::Status Write(size_t variable, const Selection& chunk,
                     const std::vector<uint8_t>& encoded) {
    if (encoded.empty()) return absl::OkStatus();
    std::vector<int64_t> offset;
    for (const core::Extent& extent : chunk.extents) {
      offset.push_back(extent.begin);
    }
    report_.variables[variable].stored_bytes +=
        static_cast<int64_t>(encoded.size());
    return copy_->WriteChunk(variable, offset, encoded);
  }

  // Each byte is read and written, which is half of the way each.
  void Advance(int64_t bytes) {
    MutexLock lock(&mutex_);
    done_bytes_ += bytes;
    if (options_.progress)
      options_.progress(done_bytes_ / 2, report_.raw_bytes);
  }

  const std::shared_ptr<const Cube> cube_;
  const std::string path_;
  const RechunkOptions& options_;
  const int64_t cache_bytes_;
  const int64_t usable_bytes_;
  std::vector<VariableJob> jobs_;
  // One per thread.
  std::vector<std::unique_ptr<RechunkDesk>> desks_;
  std::unique_ptr<CubeCopy> copy_;
  RechunkReport report_;

  Mutex mutex_;
  int64_t done_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<RechunkReport> Rechunk(std::shared_ptr<const Cube> cube,
                                      absl::string_view path,
                                      const RechunkOptions& options) {
  try {
    return Rechunker(std::move(cube), std::string(path), options).Run();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory; lower --memory-limit");
  }
}

}  // namespace internode::cube
