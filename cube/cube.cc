#include "cube/cube.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "cube/cube_file.h"
#include "cube/describe.h"

namespace internode::cube {
namespace {

using core::CoordinateInfo;
using core::CubeInfo;
using core::Dimension;
using core::Dimensions;
using core::VariableInfo;

std::string DimensionText(const Dimensions& dims) {
  return absl::StrJoin(dims, ",", [](std::string* out, const Dimension& dim) {
    absl::StrAppend(out, dim.name, "=", dim.size);
  });
}

Dimensions SortedWithout(Dimensions dims, const std::string& band_dim) {
  dims.erase(std::remove_if(
                 dims.begin(), dims.end(),
                 [&](const Dimension& dim) { return dim.name == band_dim; }),
             dims.end());
  std::sort(
      dims.begin(), dims.end(),
      [](const Dimension& a, const Dimension& b) { return a.name < b.name; });
  return dims;
}

absl::Status CompareCoordinates(const CubeInfo& a, const CubeInfo& b,
                                const std::string& dim) {
  const CoordinateInfo* one = a.FindCoordinate(dim);
  const CoordinateInfo* other = b.FindCoordinate(dim);
  if (one == nullptr || other == nullptr) return absl::OkStatus();
  const auto unequal = [&](size_t i, const auto& x, const auto& y) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the coordinates of dimension '", dim, "' differ: number ", i, " is ",
        x, " in '", a.path, "' and ", y, " in '", b.path, "'"));
  };
  // Times are compared as days, whatever their units.
  const bool times = a.time.has_value() && b.time.has_value() &&
                     a.time->dim == dim && b.time->dim == dim;
  const std::vector<double>& x = times ? a.time->days : one->values;
  const std::vector<double>& y = times ? b.time->days : other->values;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (x[i] != y[i] && !(std::isnan(x[i]) && std::isnan(y[i]))) {
      return unequal(i, x[i], y[i]);
    }
  }
  if (!x.empty() && !y.empty()) return absl::OkStatus();
  const size_t labels = std::min(one->labels.size(), other->labels.size());
  for (size_t i = 0; i < labels; ++i) {
    if (one->labels[i] != other->labels[i]) {
      return unequal(i, one->labels[i], other->labels[i]);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DimensionNames> ParseDimensionNames(absl::string_view text) {
  DimensionNames names;
  absl::string_view list = text;
  const size_t equals = text.find('=');
  if (equals != absl::string_view::npos) {
    names.variable =
        std::string(absl::StripAsciiWhitespace(text.substr(0, equals)));
    list = text.substr(equals + 1);
  }
  bool good = equals == absl::string_view::npos || !names.variable.empty();
  for (absl::string_view part : absl::StrSplit(list, ',')) {
    std::string name(absl::StripAsciiWhitespace(part));
    good = good && !name.empty() &&
           std::find(names.names.begin(), names.names.end(), name) ==
               names.names.end();
    names.names.push_back(std::move(name));
  }
  if (good) return names;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text,
                   "' is not a list of different dimension names such as "
                   "time,y,x or blue=time,y,x"));
}

Cube::Cube(CubeInfo info, std::unique_ptr<const CubeFile> file)
    : info_(std::move(info)), file_(std::move(file)) {}

Cube::~Cube() = default;

bool Cube::IsFile(uint64_t device, uint64_t inode) const {
  return file_->identity.device == device && file_->identity.inode == inode;
}

absl::StatusOr<std::shared_ptr<const Cube>> Cube::Open(
    absl::string_view path, const OpenOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<CubeFile> file,
                             OpenCubeFile(std::string(path)));
  absl::StatusOr<Description> description = [&] {
    h5::Lock lock;
    return Describe(*file, options);
  }();
  if (!description.ok()) return description.status();
  file->variables = std::move(description->stored);
  return std::shared_ptr<const Cube>(
      new Cube(std::move(description->info), std::move(file)));
}

absl::StatusOr<const VariableInfo*> FindVariable(const CubeInfo& cube,
                                                 absl::string_view name) {
  const VariableInfo* found = cube.FindVariable(name);
  if (found != nullptr) return found;
  for (const core::SkippedVariable& skipped : cube.skipped) {
    if (skipped.name == name) {
      return absl::InvalidArgumentError(absl::StrCat(
          "variable '", name, "' cannot be read: ", skipped.reason));
    }
  }
  std::vector<std::string> names;
  for (const VariableInfo& variable : cube.variables) {
    names.push_back(variable.name);
  }
  return absl::NotFoundError(absl::StrCat("cube has no variable '", name, "'; ",
                                          WhatExists("it has", name, names)));
}

absl::Status CheckSameDimensions(const CubeInfo& cube,
                                 absl::Span<const std::string> variables) {
  const VariableInfo* first = nullptr;
  for (const std::string& name : variables) {
    INTERNODE_ASSIGN_OR_RETURN(const VariableInfo* variable,
                               FindVariable(cube, name));
    if (first == nullptr) first = variable;
    if (SortedWithout(first->dims, cube.band_dim) !=
        SortedWithout(variable->dims, cube.band_dim)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "variables have unequal dimensions: '", first->name, "' has ",
          DimensionText(first->dims), ", '", variable->name, "' has ",
          DimensionText(variable->dims)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSameGrid(const CubeInfo& a, const CubeInfo& b) {
  for (const Dimension& one : a.dims) {
    for (const Dimension& other : b.dims) {
      if (one.name != other.name) continue;
      if (one.size != other.size) {
        return absl::InvalidArgumentError(absl::StrCat(
            "dimension '", one.name, "' has ", one.size, " elements in '",
            a.path, "' and ", other.size, " in '", b.path, "'"));
      }
      INTERNODE_RETURN_IF_ERROR(CompareCoordinates(a, b, one.name));
    }
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
