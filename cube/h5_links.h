#ifndef INTERNODE_CUBE_H5_LINKS_H_
#define INTERNODE_CUBE_H5_LINKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "cube/h5.h"

namespace internode::cube {

// What a group calls something: an object of its own, or a path.
struct Link {
  std::string name;
  H5L_type_t type = H5L_TYPE_ERROR;
  bool has_order = false;
  int64_t creation_order = 0;
};

// The links of `group`, whose path is `path`: in the order of their creation
// where the file keeps it, else by name. Errors: kDataLoss.
absl::StatusOr<std::vector<Link>> ListLinks(hid_t group, absl::string_view path)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_H5_LINKS_H_
