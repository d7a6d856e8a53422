#include "cube/block_plan.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/cache_line.h"
#include "base/did_you_mean.h"
#include "base/quantity.h"
#include "base/round_up.h"
#include "base/status_macros.h"
#include "cube/cube.h"

namespace internode::cube {
namespace {

using core::BlockRequest;
using core::CubeInfo;
using core::DataType;
using core::Dimension;
using core::SeriesRequest;
using core::VariableInfo;

constexpr int64_t kMaxPixelBytes = int64_t{1} << 40;
// Beyond the memory of every machine.
constexpr int64_t kMaxBlockBytes = int64_t{1} << 46;

// Where the numbers of a variable are so many bytes of a pixel, they begin at
// a line of the processor's cache, and what is left of their last line is
// theirs, so that whole lines are written of them. What is lost by it is little
// of so much.
constexpr int64_t kLongSeries = 512;

// a * b of non-negative numbers, at most `limit` + 1.
int64_t CappedProduct(int64_t a, int64_t b, int64_t limit) {
  if (a == 0 || b == 0) return 0;
  return a > limit / b ? limit + 1 : a * b;
}

std::vector<std::string> Names(const core::Dimensions& dims) {
  std::vector<std::string> names;
  for (const Dimension& dim : dims) names.push_back(dim.name);
  return names;
}

const Dimension* FindDimension(const core::Dimensions& dims,
                               const std::string& name) {
  for (const Dimension& dim : dims) {
    if (dim.name == name) return &dim;
  }
  return nullptr;
}

class Planner {
 public:
  Planner(const CubeInfo& cube, const BlockRequest& request)
      : cube_(cube), request_(request) {}

  absl::StatusOr<BlockPlan> Run() {
    INTERNODE_RETURN_IF_ERROR(CheckDimensions());
    if (request_.series.empty()) {
      return absl::InvalidArgumentError("no variables are asked for");
    }
    int64_t offset = 0;
    for (const SeriesRequest& series : request_.series) {
      INTERNODE_RETURN_IF_ERROR(AddSeries(series, &offset));
    }
    plan_.layout.pixel_stride =
        RoundUp(offset, has_long_series_ ? kCacheLineBytes : 8);
    SetPadding();
    return std::move(plan_);
  }

 private:
  absl::Status CheckDimensions() {
    std::vector<std::string> seen;
    for (const auto* names : {&request_.core_dims, &request_.noncore_dims}) {
      for (const std::string& name : *names) {
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
          return absl::InvalidArgumentError(
              absl::StrCat("dimension '", name, "' is given twice"));
        }
        seen.push_back(name);
      }
    }
    for (const std::string& name : request_.core_dims) {
      if (FindDimension(cube_.dims, name) != nullptr) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("cube has no dimension '", name, "'; ",
                       WhatExists("it has", name, Names(cube_.dims))));
    }
    for (const std::string& name : request_.noncore_dims) {
      const Dimension* dim = FindDimension(cube_.dims, name);
      plan_.noncore_sizes.push_back(dim == nullptr ? -1 : dim->size);
    }
    return absl::OkStatus();
  }

  bool IsCore(const std::string& dim) const {
    const auto& names = request_.core_dims;
    return std::find(names.begin(), names.end(), dim) != names.end();
  }

  // Whether `dim` is spread over the series.
  bool IsBandAxis(const std::string& dim) const {
    const auto& names = request_.noncore_dims;
    return dim == cube_.band_dim &&
           std::find(names.begin(), names.end(), dim) == names.end();
  }

  absl::Status AddSeries(const SeriesRequest& series, int64_t* offset) {
    INTERNODE_ASSIGN_OR_RETURN(const VariableInfo* variable,
                               FindVariable(cube_, series.variable));
    INTERNODE_ASSIGN_OR_RETURN(PlannedVariable * planned, Planned(*variable));
    INTERNODE_RETURN_IF_ERROR(CheckBand(*variable, *planned, series.band));
    int64_t count = 1;
    for (const PlannedAxis& axis : planned->axes) {
      if (axis.kind != AxisKind::kCore) continue;
      count = CappedProduct(count, axis.size, kMaxPixelBytes);
    }
    const int64_t bytes = planned->element_bytes;
    const int64_t series_bytes = CappedProduct(count, bytes, kMaxPixelBytes);
    const bool is_long = series_bytes >= kLongSeries;
    has_long_series_ = has_long_series_ || is_long;
    const bool follows = last_variable_ == planned->variable;
    last_variable_ = planned->variable;
    const bool at_line = !follows && (is_long || last_is_long_);
    last_is_long_ = is_long;
    *offset = RoundUp(*offset, at_line ? kCacheLineBytes : bytes);
    const int64_t begin = *offset;
    if (series_bytes > kMaxPixelBytes - *offset) {
      return absl::InvalidArgumentError(
          absl::StrCat("a pixel has more than ", FormatBytes(kMaxPixelBytes),
                       " of data, by variable '", variable->name, "'"));
    }
    *offset += series_bytes;
    plan_.layout.series.push_back(
        {.type = variable->type, .offset = begin, .count = count});
    AddToGroups(series.band, begin, series_bytes, &planned->groups);
    return absl::OkStatus();
  }

  static void AddToGroups(int64_t band, int64_t offset, int64_t bytes,
                          std::vector<SeriesGroup>* groups) {
    if (band >= 0 && !groups->empty()) {
      SeriesGroup& last = groups->back();
      if (band == last.band + last.count &&
          offset == last.offset + last.count * last.step) {
        ++last.count;
        return;
      }
    }
    groups->push_back({.band = std::max<int64_t>(band, 0),
                       .count = 1,
                       .offset = offset,
                       .step = bytes});
  }

  void SetPadding() {
    const std::vector<core::SeriesLayout>& series = plan_.layout.series;
    for (PlannedVariable& variable : plan_.variables) {
      for (SeriesGroup& group : variable.groups) {
        const int64_t end = group.offset + group.count * group.step;
        const auto next =
            std::lower_bound(series.begin(), series.end(), end,
                             [](const core::SeriesLayout& s, int64_t at) {
                               return s.offset < at;
                             });
        group.padding =
            (next == series.end() ? plan_.layout.pixel_stride : next->offset) -
            end;
      }
    }
  }

  static absl::Status CheckBand(const VariableInfo& variable,
                                const PlannedVariable& planned, int64_t band) {
    for (size_t d = 0; d < planned.axes.size(); ++d) {
      const PlannedAxis& axis = planned.axes[d];
      if (axis.kind != AxisKind::kBand) continue;
      if (band >= 0 && band < axis.size) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat(
          "variable '", variable.name, "' has no band ", band, "; it has ",
          axis.size, " along '", variable.dims[d].name, "', from 0"));
    }
    if (band < 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("band ", band, " is asked of variable '", variable.name,
                     "', which has no bands"));
  }

  // The plan of `variable`, made at its first series.
  absl::StatusOr<PlannedVariable*> Planned(const VariableInfo& variable) {
    const size_t index =
        static_cast<size_t>(&variable - cube_.variables.data());
    for (PlannedVariable& planned : plan_.variables) {
      if (planned.variable == index) return &planned;
    }
    PlannedVariable planned;
    planned.variable = index;
    planned.element_bytes = core::DataTypeBytes(variable.type);
    for (size_t d = 0; d < variable.dims.size(); ++d) {
      INTERNODE_ASSIGN_OR_RETURN(PlannedAxis axis, PlanAxis(variable, d));
      planned.axes.push_back(axis);
    }
    SetCoreStrides(variable, &planned);
    plan_.variables.push_back(std::move(planned));
    return &plan_.variables.back();
  }

  absl::StatusOr<PlannedAxis> PlanAxis(const VariableInfo& variable,
                                       size_t d) const {
    const Dimension& dim = variable.dims[d];
    const Dimension* known = FindDimension(cube_.dims, dim.name);
    if (known != nullptr && known->size != dim.size) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension '", dim.name, "' has ", dim.size,
                       " elements in variable '", variable.name, "' and ",
                       known->size, " in another"));
    }
    PlannedAxis axis;
    axis.size = dim.size;
    if (!variable.storage_chunks.empty()) {
      axis.chunk = std::max<int64_t>(variable.storage_chunks[d], 1);
    }
    const auto& noncore = request_.noncore_dims;
    const auto place = std::find(noncore.begin(), noncore.end(), dim.name);
    if (place != noncore.end()) {
      axis.kind = AxisKind::kNonCore;
      axis.noncore = static_cast<size_t>(place - noncore.begin());
    } else if (IsBandAxis(dim.name)) {
      axis.kind = AxisKind::kBand;
    } else if (!IsCore(dim.name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("variable '", variable.name, "' has a dimension '",
                       dim.name, "', which is neither core nor non-core"));
    }
    return axis;
  }

  void SetCoreStrides(const VariableInfo& variable,
                      PlannedVariable* planned) const {
    int64_t stride = planned->element_bytes;
    for (size_t c = request_.core_dims.size(); c-- > 0;) {
      for (size_t d = 0; d < planned->axes.size(); ++d) {
        PlannedAxis& axis = planned->axes[d];
        if (axis.kind != AxisKind::kCore ||
            variable.dims[d].name != request_.core_dims[c]) {
          continue;
        }
        axis.stride = stride;
        stride = CappedProduct(stride, axis.size, kMaxPixelBytes);
      }
    }
  }

  const CubeInfo& cube_;
  const BlockRequest& request_;
  BlockPlan plan_;
  bool has_long_series_ = false;
  // Those of the series before.
  bool last_is_long_ = false;
  size_t last_variable_ = std::numeric_limits<size_t>::max();
};

}  // namespace

absl::StatusOr<BlockPlan> PlanBlocks(const CubeInfo& cube,
                                     const BlockRequest& request) {
  return Planner(cube, request).Run();
}

absl::Status CheckSelection(const BlockPlan& plan,
                            const core::Selection& selection) {
  if (selection.extents.size() != plan.noncore_sizes.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a selection of ", selection.extents.size(),
        " dimensions is asked of blocks over ", plan.noncore_sizes.size()));
  }
  int64_t pixels = 1;
  for (size_t d = 0; d < selection.extents.size(); ++d) {
    const core::Extent& extent = selection.extents[d];
    const int64_t size = plan.noncore_sizes[d];
    if (extent.begin < 0 || extent.end < extent.begin ||
        (size >= 0 && extent.end > size)) {
      return absl::InvalidArgumentError(
          absl::StrCat("selection ", extent.begin, ":", extent.end,
                       " is not within 0:", size));
    }
    pixels = CappedProduct(pixels, extent.size(), kMaxBlockBytes);
  }
  const int64_t bytes =
      CappedProduct(pixels, plan.layout.pixel_stride, kMaxBlockBytes);
  if (bytes > kMaxBlockBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a block of ", pixels, " pixels of ",
                     FormatBytes(plan.layout.pixel_stride),
                     " is too large for memory; choose smaller chunks"));
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
