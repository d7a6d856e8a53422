#include "cube/describe.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "cube/cf_packing.h"
#include "cube/coordinates.h"
#include "cube/dataset_list.h"
#include "cube/dimension_names.h"
#include "cube/h5_attributes.h"

namespace internode::cube {
namespace {

using core::CubeInfo;
using core::VariableInfo;

// "/" or "/a/b", however the user wrote it.
std::string GroupPath(absl::string_view group) {
  std::string path;
  for (absl::string_view part : absl::StrSplit(group, '/', absl::SkipEmpty())) {
    absl::StrAppend(&path, "/", part);
  }
  return path.empty() ? "/" : path;
}

// The dataset that `name`, in an attribute of `from`, means: it is looked for
// in the group of `from`, then in the groups around it (CF section 2.7).
const StoredDataset* Resolve(const DatasetList& list, absl::string_view from,
                             absl::string_view name) {
  if (absl::StartsWith(name, "/")) return list.FindPath(std::string(name));
  std::string group(from.substr(0, from.rfind('/')));
  while (true) {
    const StoredDataset* found = list.FindPath(absl::StrCat(group, "/", name));
    if (found != nullptr || group.empty()) return found;
    group.resize(group.rfind('/'));
  }
}

// Why a dataset that another refers to is no variable.
struct Reference {
  absl::string_view attribute;
  absl::string_view reason;
};
constexpr std::array<Reference, 5> kReferences = {{
    {"grid_mapping", "it is a grid mapping"},
    {"coordinates", "it is a coordinate of other variables"},
    {"bounds", "it holds the bounds of a coordinate"},
    {"climatology", "it holds the bounds of a coordinate"},
    {"node_coordinates", "it is a coordinate of other variables"},
}};

class Describer {
 public:
  Describer(const CubeFile& file, const OpenOptions& options)
      : file_(file), options_(options), group_(GroupPath(options.group)) {}

  absl::StatusOr<Description> Run()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    INTERNODE_ASSIGN_OR_RETURN(
        list_, ListDatasets(file_.file.get(), file_.path, options_.may_read));
    INTERNODE_RETURN_IF_ERROR(CheckGroup());
    INTERNODE_ASSIGN_OR_RETURN(
        dims_of_, NameDimensions(list_, group_, options_.dimension_names));
    DescribeFile();
    INTERNODE_RETURN_IF_ERROR(DescribeGroup());
    FindReferences();
    for (size_t i = 0; i < list_.datasets.size(); ++i) AddDataset(i);
    for (const DatasetList::LeftOut& left_out : list_.left_out) {
      const std::string name = RelativePath(left_out.path, group_);
      if (!name.empty()) info().skipped.push_back({name, left_out.reason});
    }
    INTERNODE_RETURN_IF_ERROR(CheckVariables());
    INTERNODE_RETURN_IF_ERROR(AddCoordinates());
    AddGridMapping();
    FindBandDimension();
    DecodeTime(&info());
    return std::move(description_);
  }

 private:
  CubeInfo& info() { return description_.info; }

  absl::Status CheckGroup() const {
    const auto& groups = list_.groups;
    if (std::find(groups.begin(), groups.end(), group_) != groups.end()) {
      return absl::OkStatus();
    }
    std::vector<std::string> known;
    for (const std::string& group : groups) {
      if (group != "/") known.push_back(group.substr(1));
    }
    return absl::NotFoundError(
        absl::StrCat("'", file_.path, "' has no group '", options_.group, "'; ",
                     WhatExists("it has", group_.substr(1), known)));
  }

  void DescribeFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    info().path = file_.path;
    info().group = group_ == "/" ? "" : group_.substr(1);
    info().file_bytes = file_.identity.bytes;
    info().file_mtime_ns = file_.identity.mtime_ns;
    h5::Group root(H5Gopen2(file_.file.get(), "/", H5P_DEFAULT));
    bool netcdf = root.valid() && (HasAttribute(root.get(), "_NCProperties") ||
                                   HasAttribute(root.get(), "_nc3_strict"));
    for (const StoredDataset& dataset : list_.datasets) {
      netcdf =
          netcdf || dataset.netcdf_dim_id >= 0 || dataset.is_bare_dimension;
    }
    info().format = netcdf ? "NetCDF-4" : "HDF5";
  }

  absl::Status DescribeGroup()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    h5::Group group(H5Gopen2(file_.file.get(), group_.c_str(), H5P_DEFAULT));
    if (!group.valid()) {
      return h5::Error(
          absl::StatusCode::kDataLoss,
          absl::StrCat("'", file_.path, "': cannot open group '", group_, "'"));
    }
    INTERNODE_ASSIGN_OR_RETURN(info().attributes, ReadAttributes(group.get()));
    return absl::OkStatus();
  }

  void AddReferences(absl::string_view from,
                     const core::Attributes& attributes) {
    for (const Reference& reference : kReferences) {
      const std::string names =
          core::TextAttribute(attributes, reference.attribute);
      for (absl::string_view name :
           absl::StrSplit(names, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
        absl::ConsumeSuffix(&name, ":");
        const StoredDataset* found = Resolve(list_, from, name);
        if (found != nullptr) referred_.emplace(found, reference.reason);
      }
    }
  }

  void FindReferences() {
    for (const StoredDataset& dataset : list_.datasets) {
      AddReferences(dataset.path, dataset.attributes);
    }
    // xarray names coordinates that belong to no variable in the group.
    AddReferences(group_ == "/" ? "/" : absl::StrCat(group_, "/"),
                  info().attributes);
  }

  // Why dataset `i` is not offered as a variable; empty if it is.
  std::string ReasonToSkip(size_t i) const {
    const StoredDataset& dataset = list_.datasets[i];
    if (IsCoordinate(dataset, dims_of_[i])) {
      return absl::StrCat("it is the coordinate of dimension '",
                          dims_of_[i][0].name, "'");
    }
    const auto referred = referred_.find(&dataset);
    if (referred != referred_.end()) return std::string(referred->second);
    if (core::FindAttribute(dataset.attributes, "grid_mapping_name")) {
      return "it is a grid mapping";
    }
    if (!dataset.type.has_value()) return dataset.type_reason;
    if (dataset.shape.empty()) return "it has no dimensions";
    std::set<std::string> names;
    for (const NamedDimension& dim : dims_of_[i]) {
      if (!names.insert(dim.name).second) {
        return absl::StrCat("it has two dimensions '", dim.name, "'");
      }
    }
    return "";
  }

  void AddDataset(size_t i) {
    const StoredDataset& dataset = list_.datasets[i];
    std::string name = RelativePath(dataset.path, group_);
    if (name.empty() || dataset.is_bare_dimension) return;
    // How netCDF stores a variable that has the name of a dimension, but is
    // not its coordinate.
    constexpr absl::string_view kNotCoordinate = "_nc4_non_coord_";
    if (absl::StartsWith(dataset.leaf(), kNotCoordinate)) {
      name.erase(name.size() - dataset.leaf().size(), kNotCoordinate.size());
    }
    std::string reason = ReasonToSkip(i);
    if (!reason.empty()) {
      info().skipped.push_back({std::move(name), std::move(reason)});
      return;
    }
    VariableInfo variable;
    variable.name = std::move(name);
    variable.type = MeantType(*dataset.type, dataset.attributes);
    variable.big_endian = dataset.big_endian;
    for (const NamedDimension& dim : dims_of_[i]) {
      variable.dims.push_back({dim.name, dim.size});
      AddDimension(dim);
    }
    variable.storage_chunks = dataset.storage_chunks;
    variable.storage = dataset.storage;
    variable.filters = dataset.filters;
    variable.library_reason = dataset.plan.library_reason;
    variable.attributes = dataset.attributes;
    SetPacking(*dataset.type, &variable);
    info().variables.push_back(std::move(variable));
    description_.stored.push_back({.path = dataset.path,
                                   .read_type = *dataset.type,
                                   .extents = dataset.shape,
                                   .plan = dataset.plan});
  }

  void AddDimension(const NamedDimension& dim) {
    for (const NamedDimension& known : dims_) {
      if (known.name == dim.name) return;
    }
    dims_.push_back(dim);
    info().dims.push_back({dim.name, dim.size});
  }

  absl::Status CheckVariables() const {
    const CubeInfo& cube = description_.info;
    if (!cube.variables.empty()) return absl::OkStatus();
    std::string message = absl::StrCat("'", file_.path, "' has no variables");
    if (group_ != "/") absl::StrAppend(&message, " in group '", group_, "'");
    for (const core::SkippedVariable& skipped : cube.skipped) {
      // Coordinates and the like, which are no variables anyway.
      if (absl::StartsWith(skipped.reason, "it is ") &&
          !absl::StrContains(skipped.reason, "to another file")) {
        continue;
      }
      absl::StrAppend(&message, " that can be read ('", skipped.name,
                      "': ", skipped.reason, ")");
      break;
    }
    return absl::InvalidArgumentError(message);
  }

  absl::Status AddCoordinates()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    for (const NamedDimension& dim : dims_) {
      absl::StatusOr<std::optional<core::CoordinateInfo>> coordinate =
          ReadCoordinate(file_.file.get(), list_, dims_of_, dim);
      if (!coordinate.ok()) {
        return absl::Status(coordinate.status().code(),
                            absl::StrCat("'", file_.path,
                                         "': ", coordinate.status().message()));
      }
      if (coordinate->has_value()) {
        info().coordinates.push_back(**std::move(coordinate));
      }
    }
    return absl::OkStatus();
  }

  void AddGridMapping() {
    const StoredDataset* found = nullptr;
    for (size_t v = 0; v < info().variables.size() && found == nullptr; ++v) {
      // "crs", or "crs: x y" in the longer form.
      const std::string text =
          core::TextAttribute(info().variables[v].attributes, "grid_mapping");
      const std::vector<absl::string_view> names =
          absl::StrSplit(text, ' ', absl::SkipEmpty());
      if (names.empty()) continue;
      found = Resolve(list_, description_.stored[v].path,
                      absl::StripSuffix(names[0], ":"));
    }
    for (const StoredDataset& dataset : list_.datasets) {
      if (found == nullptr &&
          core::FindAttribute(dataset.attributes, "grid_mapping_name")) {
        found = &dataset;
      }
    }
    if (found != nullptr) {
      info().grid_mapping = {found->leaf(), found->attributes};
    }
  }

  void FindBandDimension() {
    std::string labelled;
    for (const core::Dimension& dim : info().dims) {
      if (!IsBesideOthers(dim.name)) continue;
      const std::string lower = absl::AsciiStrToLower(dim.name);
      for (absl::string_view name :
           {"band", "bands", "wavelength", "wavelengths", "channel", "channels",
            "spectral_band"}) {
        if (lower == name) {
          info().band_dim = dim.name;
          return;
        }
      }
      const core::CoordinateInfo* coordinate = info().FindCoordinate(dim.name);
      if (labelled.empty() && coordinate != nullptr &&
          coordinate->values.empty() && !coordinate->labels.empty() &&
          lower != "time") {
        labelled = dim.name;
      }
    }
    info().band_dim = labelled;
  }

  // Whether a variable has `dim` and another dimension.
  bool IsBesideOthers(const std::string& dim) const {
    for (const VariableInfo& variable : description_.info.variables) {
      for (const core::Dimension& own : variable.dims) {
        if (own.name == dim && variable.dims.size() > 1) return true;
      }
    }
    return false;
  }

  const CubeFile& file_;
  const OpenOptions& options_;
  const std::string group_;
  DatasetList list_;
  std::vector<std::vector<NamedDimension>> dims_of_;
  std::map<const StoredDataset*, absl::string_view> referred_;
  // As info().dims.
  std::vector<NamedDimension> dims_;
  Description description_;
};

}  // namespace

absl::StatusOr<Description> Describe(const CubeFile& file,
                                     const OpenOptions& options) {
  absl::StatusOr<Description> description = Describer(file, options).Run();
  if (!description.ok() &&
      !absl::StrContains(description.status().message(), file.path)) {
    return absl::Status(
        description.status().code(),
        absl::StrCat("'", file.path, "': ", description.status().message()));
  }
  return description;
}

}  // namespace internode::cube
