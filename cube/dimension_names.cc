#include "cube/dimension_names.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::cube {
namespace {

using DimensionLists = std::vector<std::vector<NamedDimension>>;

// The places of a shorter list of sizes in a longer one, in order, if there is
// exactly one way.
std::optional<std::vector<size_t>> UniqueSubsequence(
    const std::vector<int64_t>& part, const std::vector<int64_t>& whole) {
  // first[i]: earliest place of part[i]; last[i]: latest.
  std::vector<size_t> first;
  size_t w = 0;
  for (int64_t size : part) {
    while (w < whole.size() && whole[w] != size) ++w;
    if (w == whole.size()) return {};
    first.push_back(w++);
  }
  std::vector<size_t> last(part.size());
  w = whole.size();
  for (size_t i = part.size(); i-- > 0;) {
    while (whole[--w] != part[i]) {
    }
    last[i] = w;
  }
  if (first != last) return {};
  return first;
}

class Namer {
 public:
  Namer(const DatasetList& list, absl::string_view group)
      : list_(list), group_(group), dims_(list.datasets.size()) {
    for (const StoredDataset& dataset : list.datasets) {
      if (dataset.netcdf_dim_id >= 0 && dataset.is_scale) {
        scale_of_id_[dataset.netcdf_dim_id] = dataset.address;
      }
    }
  }

  void NameByScales() {
    for (size_t i = 0; i < dims_.size(); ++i) {
      const StoredDataset& dataset = list_.datasets[i];
      const std::vector<uint64_t> scales = ScalesOf(dataset);
      for (size_t d = 0; d < dataset.shape.size(); ++d)
        Measure(dataset, d, scales[d]);
      if (!IsInGroup(dataset)) continue;
      for (size_t d = 0; d < dataset.shape.size(); ++d) {
        dims_[i].push_back({.name = NameOfScale(scales[d]),
                            .size = dataset.shape[d],
                            .scale = scales[d]});
      }
    }
    for (size_t i = 0; i < dims_.size(); ++i) {
      for (size_t d = 0; d < dims_[i].size(); ++d) {
        NamedDimension& dim = dims_[i][d];
        const auto longest = longest_.find(dim.scale);
        if (list_.datasets[i].unlimited[d] && longest != longest_.end()) {
          dim.size = std::max(dim.size, longest->second);
        }
      }
    }
  }

  absl::Status NameByUser(const DimensionNames& given) {
    return given.variable.empty() ? NameAll(given.names) : NameOne(given);
  }

  void NameByLabels() {
    for (size_t i = 0; i < dims_.size(); ++i) {
      for (size_t d = 0; d < dims_[i].size(); ++d) {
        NamedDimension& dim = dims_[i][d];
        if (dim.name.empty()) dim.name = list_.datasets[i].labels[d];
      }
    }
  }

  void NameTheRest() {
    std::vector<int64_t> sizes;  // Of phony_dim_0, …
    for (std::vector<NamedDimension>& dims : dims_) {
      std::set<size_t> taken;
      for (NamedDimension& dim : dims) {
        if (!dim.name.empty()) continue;
        size_t phony = 0;
        while (phony < sizes.size() &&
               (sizes[phony] != dim.size || taken.count(phony) > 0)) {
          ++phony;
        }
        if (phony == sizes.size()) sizes.push_back(dim.size);
        taken.insert(phony);
        dim.name = absl::StrCat("phony_dim_", phony);
      }
    }
  }

  DimensionLists Take() { return std::move(dims_); }

 private:
  bool IsInGroup(const StoredDataset& dataset) const {
    return !RelativePath(dataset.path, group_).empty();
  }

  std::vector<uint64_t> ScalesOf(const StoredDataset& dataset) const {
    const size_t rank = dataset.shape.size();
    if (dataset.is_scale && rank == 1) return {dataset.address};
    if (dataset.is_scale && dataset.netcdf_coordinates.size() == rank) {
      std::vector<uint64_t> scales;
      for (int64_t id : dataset.netcdf_coordinates) {
        const auto found = scale_of_id_.find(id);
        scales.push_back(found == scale_of_id_.end() ? 0 : found->second);
      }
      return scales;
    }
    std::vector<uint64_t> scales = dataset.scales;
    for (uint64_t& scale : scales) {
      if (list_.Find(scale) == nullptr) scale = 0;
    }
    return scales;
  }

  // Follows how long an unlimited dimension has grown.
  void Measure(const StoredDataset& dataset, size_t d, uint64_t scale) {
    const StoredDataset* stored = list_.Find(scale);
    if (stored == nullptr || stored->unlimited.empty() ||
        !stored->unlimited[0]) {
      return;
    }
    int64_t& longest = longest_[scale];
    longest = std::max(longest, dataset.shape[d]);
  }

  std::string NameOfScale(uint64_t scale) {
    const StoredDataset* stored = list_.Find(scale);
    if (stored == nullptr) return "";
    const auto known = name_of_scale_.find(scale);
    if (known != name_of_scale_.end()) return known->second;
    std::string name = stored->leaf();
    if (!scale_names_.insert(name).second) {
      name = RelativePath(stored->path, group_);
      if (name.empty() || !scale_names_.insert(name).second) {
        name = stored->path;
        scale_names_.insert(name);
      }
    }
    name_of_scale_[scale] = name;
    return name;
  }

  absl::Status NameOne(const DimensionNames& given) {
    std::vector<std::string> known;
    for (size_t i = 0; i < dims_.size(); ++i) {
      const std::string name = RelativePath(list_.datasets[i].path, group_);
      if (name.empty()) continue;
      known.push_back(name);
      if (name != given.variable) continue;
      if (given.names.size() != dims_[i].size()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "dimension names ", absl::StrJoin(given.names, ","),
            " given for variable '", name, "', which has ", dims_[i].size(),
            dims_[i].size() == 1 ? " dimension" : " dimensions"));
      }
      for (size_t d = 0; d < dims_[i].size(); ++d) {
        dims_[i][d].name = given.names[d];
        dims_[i][d].scale = 0;
      }
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat("dimension names given for '", given.variable,
                     "', which is not a variable; ",
                     WhatExists("there are", given.variable, known)));
  }

  static bool IsUnnamed(const std::vector<NamedDimension>& dims) {
    return !dims.empty() &&
           std::all_of(dims.begin(), dims.end(), [](const NamedDimension& dim) {
             return dim.name.empty();
           });
  }

  absl::Status NameAll(const std::vector<std::string>& names) {
    std::vector<int64_t> sizes;
    bool named = false;
    for (std::vector<NamedDimension>& dims : dims_) {
      named = named || (!dims.empty() && !dims[0].name.empty());
      if (!IsUnnamed(dims) || dims.size() != names.size()) continue;
      sizes.clear();
      for (size_t d = 0; d < names.size(); ++d) {
        dims[d].name = names[d];
        sizes.push_back(dims[d].size);
      }
    }
    if (sizes.empty()) {
      // They would be for nothing, but do no harm, where the file has names.
      if (named) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat(
          "no variable has the ", names.size(), " dimensions that are named ",
          absl::StrJoin(names, ",")));
    }
    for (size_t i = 0; i < dims_.size(); ++i) {
      if (IsUnnamed(dims_[i]) && dims_[i].size() < names.size()) {
        NameSmaller(list_.datasets[i].leaf(), names, sizes, &dims_[i]);
      }
    }
    return absl::OkStatus();
  }

  static void NameSmaller(const std::string& leaf,
                          const std::vector<std::string>& names,
                          const std::vector<int64_t>& sizes,
                          std::vector<NamedDimension>* dims) {
    if (dims->size() == 1) {
      const auto own = std::find(names.begin(), names.end(), leaf);
      if (own != names.end()) {
        const size_t n = static_cast<size_t>(own - names.begin());
        if (sizes[n] == (*dims)[0].size) (*dims)[0].name = leaf;
        return;
      }
    }
    std::vector<int64_t> part;
    for (const NamedDimension& dim : *dims) part.push_back(dim.size);
    const auto places = UniqueSubsequence(part, sizes);
    if (!places.has_value()) return;
    for (size_t d = 0; d < dims->size(); ++d) {
      (*dims)[d].name = names[(*places)[d]];
    }
  }

  const DatasetList& list_;
  const std::string group_;
  DimensionLists dims_;
  std::map<int64_t, uint64_t> scale_of_id_;
  std::map<uint64_t, int64_t> longest_;
  std::map<uint64_t, std::string> name_of_scale_;
  std::set<std::string> scale_names_;
};

}  // namespace

absl::StatusOr<DimensionLists> NameDimensions(
    const DatasetList& list, absl::string_view group,
    absl::Span<const DimensionNames> user_names) {
  Namer namer(list, group);
  namer.NameByScales();
  // Those for one variable come first: they decide more.
  for (const bool for_one : {true, false}) {
    for (const DimensionNames& given : user_names) {
      if (given.variable.empty() == for_one) continue;
      INTERNODE_RETURN_IF_ERROR(namer.NameByUser(given));
    }
  }
  namer.NameByLabels();
  namer.NameTheRest();
  return namer.Take();
}

std::string RelativePath(absl::string_view path, absl::string_view group) {
  if (group != "/" && !absl::ConsumePrefix(&path, group)) return "";
  if (!absl::ConsumePrefix(&path, "/")) return "";
  return std::string(path);
}

}  // namespace internode::cube
