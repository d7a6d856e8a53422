#include "cube/coordinates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/cf_packing.h"
#include "cube/cf_time.h"
#include "cube/h5_attributes.h"

namespace internode::cube {
namespace {

using core::CoordinateInfo;
using core::CubeInfo;

// Longer axes are taken to have no coordinate.
constexpr int64_t kMaxCoordinates = int64_t{1} << 26;

absl::Status Unreadable(const StoredDataset& dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  return h5::Error(
      absl::StatusCode::kDataLoss,
      absl::StrCat("cannot read the coordinate '", dataset.path, "'"));
}

absl::StatusOr<std::vector<double>> ReadNumbers(hid_t file,
                                                const StoredDataset& dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  h5::Dataset opened(H5Dopen2(file, dataset.path.c_str(), H5P_DEFAULT));
  std::vector<double> values(static_cast<size_t>(dataset.shape[0]), 0.0);
  if (!opened.valid() || H5Dread(opened.get(), H5T_NATIVE_DOUBLE, H5S_ALL,
                                 H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    return Unreadable(dataset);
  }
  const auto& attributes = dataset.attributes;
  const auto fill = NumberAttribute(attributes, "_FillValue");
  const auto scale = NumberAttribute(attributes, "scale_factor");
  const auto offset = NumberAttribute(attributes, "add_offset");
  for (double& value : values) {
    if (fill.has_value() && value == *fill) {
      value = std::numeric_limits<double>::quiet_NaN();
    }
    if (scale.has_value()) value *= *scale;
    if (offset.has_value()) value += *offset;
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> ReadLabels(
    hid_t file, const StoredDataset& dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  h5::Dataset opened(H5Dopen2(file, dataset.path.c_str(), H5P_DEFAULT));
  if (!opened.valid()) return Unreadable(dataset);
  absl::StatusOr<std::vector<std::string>> labels = ReadTexts(opened.get());
  if (!labels.ok()) return Unreadable(dataset);
  return labels;
}

// Whether `dataset` holds texts along `dim` alone.
bool IsTextAlong(const StoredDataset& dataset,
                 const std::vector<NamedDimension>& dims,
                 const std::string& dim) {
  if (!dataset.is_text || dims.empty() || dims[0].name != dim) return false;
  return dims.size() == 1 || (dims.size() == 2 && dataset.shape[1] <= 4096);
}

bool IsTimeUnits(absl::string_view units) {
  return absl::StrContains(absl::AsciiStrToLower(units), " since ");
}

bool IsTimeName(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return lower == "time" || lower == "t" || lower == "date" ||
         lower == "datetime";
}

bool SaysTime(const CoordinateInfo& coordinate) {
  return core::TextAttribute(coordinate.attributes, "standard_name") ==
             "time" ||
         core::TextAttribute(coordinate.attributes, "axis") == "T";
}

// How much `dim` looks like time; 0 = not at all.
int TimeLikeness(const CubeInfo& info, const std::string& dim) {
  const CoordinateInfo* coordinate = info.FindCoordinate(dim);
  int likeness = IsTimeName(dim) ? 2 : 0;
  if (coordinate != nullptr) {
    if (SaysTime(*coordinate)) likeness += 3;
    if (IsTimeUnits(core::TextAttribute(coordinate->attributes, "units"))) {
      likeness += 6;
    }
  }
  return likeness;
}

absl::StatusOr<core::TimeAxis> DecodeAxis(const CoordinateInfo& coordinate) {
  core::TimeAxis axis;
  axis.dim = coordinate.dim;
  axis.units = core::TextAttribute(coordinate.attributes, "units");
  axis.calendar = core::TextAttribute(coordinate.attributes, "calendar");
  if (coordinate.values.empty() && !coordinate.labels.empty()) {
    return absl::InvalidArgumentError("it is text, not numbers");
  }
  if (axis.units.empty()) {
    return absl::InvalidArgumentError(
        "it has no units (such as 'days since 1970-01-01')");
  }
  INTERNODE_ASSIGN_OR_RETURN(const CfTime time,
                             CfTime::Parse(axis.units, axis.calendar));
  if (axis.calendar.empty()) axis.calendar = "standard";
  for (size_t i = 0; i < coordinate.values.size(); ++i) {
    const double days = time.Days(coordinate.values[i]);
    if (!std::isfinite(days)) {
      return absl::InvalidArgumentError(
          absl::StrCat("its value number ", i, " is missing"));
    }
    axis.days.push_back(days);
  }
  return axis;
}

}  // namespace

bool IsCoordinate(const StoredDataset& dataset,
                  const std::vector<NamedDimension>& dims) {
  if (dims.empty()) return false;
  if (dataset.is_scale) return true;
  return dims[0].name == dataset.leaf() &&
         (dims.size() == 1 || (dims.size() == 2 && dataset.is_text));
}

absl::StatusOr<std::optional<CoordinateInfo>> ReadCoordinate(
    hid_t file, const DatasetList& list,
    const std::vector<std::vector<NamedDimension>>& dims_of,
    const NamedDimension& dim) {
  if (dim.size > kMaxCoordinates) return std::optional<CoordinateInfo>();
  const StoredDataset* source = list.Find(dim.scale);
  const StoredDataset* text = nullptr;
  for (size_t i = 0; i < list.datasets.size(); ++i) {
    const StoredDataset& dataset = list.datasets[i];
    if (source == nullptr && IsCoordinate(dataset, dims_of[i]) &&
        dims_of[i][0].name == dim.name && dataset.leaf() == dim.name) {
      source = &dataset;
    }
    if (text == nullptr && IsTextAlong(dataset, dims_of[i], dim.name)) {
      text = &dataset;
    }
  }
  if (source != nullptr && source->is_bare_dimension) source = nullptr;
  if (source != nullptr && source->is_text) {
    text = source;
    source = nullptr;
  }
  CoordinateInfo coordinate;
  coordinate.dim = dim.name;
  if (text != nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(coordinate.labels, ReadLabels(file, *text));
    coordinate.labels.resize(static_cast<size_t>(dim.size));
    coordinate.attributes = text->attributes;
  }
  if (source != nullptr && source->type.has_value() &&
      source->shape.size() == 1 && source->shape[0] <= dim.size) {
    INTERNODE_ASSIGN_OR_RETURN(coordinate.values, ReadNumbers(file, *source));
    // An unlimited dimension that has grown further.
    coordinate.values.resize(static_cast<size_t>(dim.size),
                             std::numeric_limits<double>::quiet_NaN());
    coordinate.type = *source->type;
    coordinate.attributes = source->attributes;
  } else if (text == nullptr) {
    return std::optional<CoordinateInfo>();
  }
  return std::optional<CoordinateInfo>(std::move(coordinate));
}

void DecodeTime(CubeInfo* info) {
  std::string best;
  int likeness = 0;
  for (const core::Dimension& dim : info->dims) {
    const int own = TimeLikeness(*info, dim.name);
    if (own > likeness) {
      best = dim.name;
      likeness = own;
    }
  }
  if (best.empty()) return;
  const CoordinateInfo* coordinate = info->FindCoordinate(best);
  if (coordinate == nullptr) {
    info->time_error = absl::StrCat("dimension '", best, "' has no coordinate");
    return;
  }
  absl::StatusOr<core::TimeAxis> axis = DecodeAxis(*coordinate);
  if (axis.ok()) {
    info->time = *std::move(axis);
    return;
  }
  info->time_error = absl::StrCat("cannot decode the times of dimension '",
                                  best, "': ", axis.status().message());
}

}  // namespace internode::cube
