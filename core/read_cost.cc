#include "core/read_cost.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/axis_reads.h"

namespace internode::core {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

int64_t SaturatedProduct(int64_t a, int64_t b) {
  return b != 0 && a > kMax / b ? kMax : a * b;
}
int64_t SaturatedSum(int64_t a, int64_t b) {
  return a > kMax - b ? kMax : a + b;
}

// One variable against the dimensions of the grid.
struct CountedVariable {
  VariableReads reads;
  // Storage chunks along its core dimensions and bands.
  int64_t core_chunks = 1;
  // Of each dimension of the grid: tasks, and the variable's storage chunks. A
  // dimension that it lacks has one, which every task reads.
  std::vector<AxisReads> axes;
  // Storage chunks that one task meets at the most.
  std::vector<int64_t> most_per_task;
};

class Counter {
 public:
  Counter(const CubeInfo& cube, const BlockRequest& request,
          const ChunkGrid& grid)
      : cube_(cube), request_(request), grid_(grid) {}

  absl::StatusOr<ReadCost> Run(int64_t cache_bytes) {
    for (const SeriesRequest& series : request_.series) {
      if (!Known(series.variable)) {
        INTERNODE_RETURN_IF_ERROR(AddVariable(series.variable));
      }
    }
    ReadCost cost;
    cost.tasks = grid_.num_chunks();
    cost.pixels = grid_.num_pixels();
    cost.task_pixels = grid_.max_chunk_pixels();
    cost.cache_bytes = cache_bytes;
    // The dimensions from this one on whose shared storage chunks are kept.
    size_t kept = grid_.dims().size();
    for (size_t d = grid_.dims().size(); d-- > 0;) {
      const int64_t bytes = WorkingSet(d);
      if (IsShared(d)) {
        cost.wanted_cache_bytes = std::max(cost.wanted_cache_bytes, bytes);
      }
      if (bytes > cache_bytes) continue;
      kept = std::min(kept, d);
    }
    for (CountedVariable& variable : variables_) {
      Finish(kept, &variable);
      cost.variables.push_back(std::move(variable.reads));
    }
    return cost;
  }

 private:
  bool Known(const std::string& name) const {
    return std::any_of(variables_.begin(), variables_.end(),
                       [&](const CountedVariable& variable) {
                         return variable.reads.variable == name;
                       });
  }

  bool IsCore(const std::string& dim) const {
    const auto& names = request_.core_dims;
    return dim == cube_.band_dim ||
           std::find(names.begin(), names.end(), dim) != names.end();
  }

  absl::Status AddVariable(const std::string& name) {
    const VariableInfo* info = cube_.FindVariable(name);
    if (info == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("cube has no variable '", name, "'"));
    }
    CountedVariable counted;
    counted.reads.variable = name;
    counted.reads.chunk_bytes = DataTypeBytes(info->type);
    counted.reads.needed_bytes = counted.reads.chunk_bytes;
    counted.reads.all_chunks = 1;
    for (const DimensionCut& cut : grid_.cuts()) {
      const bool empty = cut.end <= cut.begin;
      const AxisReads all = CountAxisReads(cut, kMax);
      counted.axes.push_back({all.tasks, empty ? 0 : 1, all.tasks});
      counted.most_per_task.push_back(1);
    }
    for (size_t d = 0; d < info->dims.size(); ++d) {
      const int64_t chunk = info->storage_chunks.empty()
                                ? 1
                                : std::max<int64_t>(1, info->storage_chunks[d]);
      INTERNODE_RETURN_IF_ERROR(AddAxis(info->dims[d], chunk, &counted));
    }
    variables_.push_back(std::move(counted));
    return absl::OkStatus();
  }

  absl::Status AddAxis(const Dimension& dim, int64_t chunk,
                       CountedVariable* counted) const {
    VariableReads& reads = counted->reads;
    const int64_t all = dim.size / chunk + (dim.size % chunk != 0 ? 1 : 0);
    reads.all_chunks = SaturatedProduct(reads.all_chunks, all);
    reads.chunk_bytes = SaturatedProduct(reads.chunk_bytes, chunk);
    for (size_t g = 0; g < grid_.dims().size(); ++g) {
      if (grid_.dims()[g].name != dim.name) continue;
      const DimensionCut& cut = grid_.cuts()[g];
      counted->axes[g] = CountAxisReads(cut, chunk);
      const int64_t length = std::min(cut.chunk, cut.end - cut.begin);
      // The worst place of a task begins with the last of a storage chunk.
      counted->most_per_task[g] =
          length < 1 ? 0
                     : std::min(counted->axes[g].chunks,
                                (length - 1) / chunk +
                                    ((length - 1) % chunk != 0 ? 1 : 0) + 1);
      reads.needed_bytes =
          SaturatedProduct(reads.needed_bytes, cut.end - cut.begin);
      return absl::OkStatus();
    }
    if (!IsCore(dim.name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "variable '", reads.variable, "' has a dimension '", dim.name,
          "', which is neither core nor cut into tasks"));
    }
    int64_t chunks = all;
    int64_t length = dim.size;
    if (dim.name == cube_.band_dim) {
      std::set<int64_t> bands;
      std::set<int64_t> places;
      for (const SeriesRequest& series : request_.series) {
        if (series.variable != reads.variable || series.band < 0) continue;
        bands.insert(series.band);
        places.insert(series.band / chunk);
      }
      chunks = static_cast<int64_t>(places.size());
      length = static_cast<int64_t>(bands.size());
    }
    counted->core_chunks = SaturatedProduct(counted->core_chunks, chunks);
    reads.needed_bytes = SaturatedProduct(reads.needed_bytes, length);
    return absl::OkStatus();
  }

  // Whether tasks that follow each other along dimension `d` share storage
  // chunks.
  bool IsShared(size_t d) const {
    return std::any_of(variables_.begin(), variables_.end(),
                       [d](const CountedVariable& variable) {
                         return variable.axes[d].reads >
                                variable.axes[d].chunks;
                       });
  }

  // Bytes of the storage chunks between two uses of one that tasks share along
  // dimension `d`: those of a row of tasks over all later dimensions, and of
  // one task more.
  int64_t WorkingSet(size_t d) const {
    int64_t bytes = 0;
    for (const CountedVariable& variable : variables_) {
      int64_t row = variable.core_chunks;
      int64_t task = variable.core_chunks;
      for (size_t g = 0; g < variable.axes.size(); ++g) {
        row = SaturatedProduct(
            row, g <= d ? variable.most_per_task[g] : variable.axes[g].chunks);
        task = SaturatedProduct(task, variable.most_per_task[g]);
      }
      bytes = SaturatedSum(bytes, SaturatedProduct(SaturatedSum(row, task),
                                                   variable.reads.chunk_bytes));
    }
    return bytes;
  }

  // Sets the sums; what is shared along the dimensions from `kept` on is read
  // once.
  static void Finish(size_t kept, CountedVariable* variable) {
    VariableReads& reads = variable->reads;
    reads.chunks = variable->core_chunks;
    reads.reads = variable->core_chunks;
    reads.cached_reads = variable->core_chunks;
    reads.amplification = 1;
    reads.cached_amplification = 1;
    for (size_t g = 0; g < variable->axes.size(); ++g) {
      const AxisReads& axis = variable->axes[g];
      const int64_t cached = g < kept ? axis.reads : axis.chunks;
      reads.chunks = SaturatedProduct(reads.chunks, axis.chunks);
      reads.reads = SaturatedProduct(reads.reads, axis.reads);
      reads.cached_reads = SaturatedProduct(reads.cached_reads, cached);
      if (axis.chunks == 0) continue;
      const auto chunks = static_cast<double>(axis.chunks);
      reads.amplification *= static_cast<double>(axis.reads) / chunks;
      reads.cached_amplification *= static_cast<double>(cached) / chunks;
    }
    if (reads.chunks == 0) {
      reads.amplification = 0;
      reads.cached_amplification = 0;
    }
  }

  const CubeInfo& cube_;
  const BlockRequest& request_;
  const ChunkGrid& grid_;
  std::vector<CountedVariable> variables_;
};

double Weighted(const std::vector<VariableReads>& variables,
                double VariableReads::*part) {
  double read = 0;
  double chunks = 0;
  for (const VariableReads& variable : variables) {
    const double bytes = static_cast<double>(variable.chunks) *
                         static_cast<double>(variable.chunk_bytes);
    read += bytes * variable.*part;
    chunks += bytes;
  }
  return chunks == 0 ? 1 : read / chunks;
}

}  // namespace

double ReadCost::amplification() const {
  return Weighted(variables, &VariableReads::amplification);
}

double ReadCost::cached_amplification() const {
  return Weighted(variables, &VariableReads::cached_amplification);
}

absl::StatusOr<ReadCost> CountReads(const CubeInfo& cube,
                                    const BlockRequest& request,
                                    const ChunkGrid& grid,
                                    int64_t cache_bytes) {
  return Counter(cube, request, grid).Run(cache_bytes);
}

}  // namespace internode::core
