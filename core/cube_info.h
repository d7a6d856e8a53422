#ifndef INTERNODE_CORE_CUBE_INFO_H_
#define INTERNODE_CORE_CUBE_INFO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "core/attribute.h"
#include "core/data_type.h"
#include "core/dimension.h"

namespace internode::core {

// A named variable of a cube, as its file describes it.
struct VariableInfo {
  // Path below the cube's group: "blue", or "reflectance/blue".
  std::string name;
  DataType type = DataType::kInt16;
  bool big_endian = false;
  // In storage order.
  Dimensions dims;
  // Sizes of the storage chunks, one per dimension; empty when the data are
  // not chunked.
  std::vector<int64_t> storage_chunks;
  // "chunked", "contiguous", "compact", "virtual", "external".
  std::string storage;
  // As people read them, in the order of application: "shuffle", "deflate 4",
  // "filter 32015".
  std::vector<std::string> filters;
  // Why its numbers are read through the HDF5 library, one thread at a time:
  // "filter 32015 (zstd)", "virtual dataset". Empty: they are read without it,
  // on the fast path.
  std::string library_reason;
  // _FillValue and missing_value, in packed numbers.
  std::vector<double> missing;
  // valid_min/valid_max or valid_range, in packed numbers.
  std::optional<double> valid_min;
  std::optional<double> valid_max;
  // Physical value = packed * scale_factor + add_offset.
  double scale_factor = 1;
  double add_offset = 0;
  // All attributes, those above among them.
  Attributes attributes;
};

// A variable that a cube does not offer, and why: "it is a coordinate", "its
// numbers are 12-bit integers".
struct SkippedVariable {
  std::string name;
  std::string reason;
};

// The numbers along a dimension.
struct CoordinateInfo {
  std::string dim;
  // Scaled if the file says so. Empty when the coordinate is text.
  std::vector<double> values;
  // The labels of a text coordinate, or of a text variable along the dimension
  // beside its numbers, e.g. band names; else empty.
  std::vector<std::string> labels;
  DataType type = DataType::kFloat64;
  Attributes attributes;
};

// The time axis decoded.
struct TimeAxis {
  std::string dim;
  std::string units;
  std::string calendar;
  // Days since 1970-01-01 in the proleptic Gregorian calendar for the real
  // world's calendars; for 360_day, noleap and all_leap, days since that
  // calendar's own 1970-01-01.
  std::vector<double> days;
};

// The variable that a grid_mapping attribute names.
struct GridMappingInfo {
  std::string name;
  Attributes attributes;
};

// A cube as its file describes it: no data, no handles. A value.
struct CubeInfo {
  std::string path;
  // Group within the file, "" for the root.
  std::string group;
  int64_t file_bytes = 0;
  // Nanoseconds since 1970-01-01 UTC.
  int64_t file_mtime_ns = 0;
  // "NetCDF-4" or "HDF5".
  std::string format;
  // Every dimension that a variable uses, in order of first use.
  Dimensions dims;
  // The data variables: not the coordinates, grid mappings and bounds.
  std::vector<VariableInfo> variables;
  // The others.
  std::vector<SkippedVariable> skipped;
  std::vector<CoordinateInfo> coordinates;
  std::optional<TimeAxis> time;
  // Why the time axis could not be decoded, if there is one that could not.
  std::string time_error;
  std::optional<GridMappingInfo> grid_mapping;
  // The dimension along which one variable holds several bands, or "".
  std::string band_dim;
  Attributes attributes;

  const VariableInfo* FindVariable(absl::string_view name) const {
    for (const VariableInfo& variable : variables) {
      if (variable.name == name) return &variable;
    }
    return nullptr;
  }
  const CoordinateInfo* FindCoordinate(absl::string_view dim) const {
    for (const CoordinateInfo& coordinate : coordinates) {
      if (coordinate.dim == dim) return &coordinate;
    }
    return nullptr;
  }
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_CUBE_INFO_H_
