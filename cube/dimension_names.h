#ifndef INTERNODE_CUBE_DIMENSION_NAMES_H_
#define INTERNODE_CUBE_DIMENSION_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "cube/cube.h"
#include "cube/dataset_list.h"

namespace internode::cube {

// A dimension of a dataset, named.
struct NamedDimension {
  std::string name;
  // Of the dimension, which the dataset's own extent may fall short of when
  // it can grow.
  int64_t size = 0;
  // Address of the dimension's scale; 0 = none.
  uint64_t scale = 0;
};

// Names the dimensions of the datasets in `group` (an absolute path, "/" for
// all): those of the user for a variable; else those of the dimension scales
// that the file attaches; else those of the user for all variables; else the
// file's labels; else phony_dim_0, phony_dim_1, … per size, as netCDF does.
// Two scales of one name, in different groups, are told apart by their paths.
//
// One entry per dataset of `list`, without dimensions for those outside the
// group. Errors (kInvalidArgument): names of the user that fit no variable.
absl::StatusOr<std::vector<std::vector<NamedDimension>>> NameDimensions(
    const DatasetList& list, absl::string_view group,
    absl::Span<const DimensionNames> user_names);

// `path` seen from `group`, both absolute: "/a/b" from "/a" is "b". Nothing,
// an empty text, if it is not inside.
std::string RelativePath(absl::string_view path, absl::string_view group);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_DIMENSION_NAMES_H_
