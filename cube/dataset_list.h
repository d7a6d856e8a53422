#ifndef INTERNODE_CUBE_DATASET_LIST_H_
#define INTERNODE_CUBE_DATASET_LIST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/attribute.h"
#include "core/data_type.h"
#include "cube/dataset_sources.h"
#include "cube/h5.h"
#include "cube/storage_plan.h"

namespace internode::cube {

// A dataset as HDF5 describes it, before its dimensions have names.
struct StoredDataset {
  // Absolute path in the file: "/reflectance/blue".
  std::string path;
  // Of the object in the file; datasets refer to their scales by it.
  uint64_t address = 0;
  std::vector<int64_t> shape;
  // Per dimension, whether it may grow.
  std::vector<bool> unlimited;

  // Absent for what is not a number of a supported type.
  std::optional<core::DataType> type;
  bool big_endian = false;
  bool is_text = false;
  // Why there is no `type`: "its numbers are compounds".
  std::string type_reason;

  std::string storage;
  std::vector<int64_t> storage_chunks;
  std::vector<std::string> filters;
  // How its numbers are read, where it has a type.
  StoragePlan plan;

  // A dimension scale.
  bool is_scale = false;
  // A scale that stands for a dimension and holds no numbers.
  bool is_bare_dimension = false;
  // netCDF's own number of the dimension that this scale is, or -1.
  int64_t netcdf_dim_id = -1;
  // Those of the dimensions of a coordinate of several dimensions.
  std::vector<int64_t> netcdf_coordinates;
  // Address of the scale of each dimension; 0 = none.
  std::vector<uint64_t> scales;
  // Names that DIMENSION_LABELS gives the dimensions; "" = none.
  std::vector<std::string> labels;

  core::Attributes attributes;

  // The last part of the path.
  std::string leaf() const { return path.substr(path.rfind('/') + 1); }
};

// What a file holds.
struct DatasetList {
  // In the order of creation where the file keeps it, else by name; the
  // datasets of a group before those of its subgroups.
  std::vector<StoredDataset> datasets;
  // Absolute paths of all groups, the root "/" first.
  std::vector<std::string> groups;
  // Paths of what is left out, and why.
  struct LeftOut {
    std::string path;
    std::string reason;
  };
  std::vector<LeftOut> left_out;
  // Places in `datasets`, by address and by path.
  std::map<uint64_t, size_t> by_address;
  std::map<std::string, size_t> by_path;

  // The dataset at the address, or null.
  const StoredDataset* Find(uint64_t address) const;
  // The dataset at the path, or null.
  const StoredDataset* FindPath(const std::string& path) const;
};

// Lists `file`, at `path`. Links out of the file are not followed; if
// `may_read` is given, datasets that take elements from files that it refuses
// are left out too. Errors: kDataLoss, a part that cannot be read;
// kResourceExhausted, more than 100,000 objects.
absl::StatusOr<DatasetList> ListDatasets(hid_t file, const std::string& path,
                                         const MayReadFile& may_read)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_DATASET_LIST_H_
