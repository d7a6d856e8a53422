#ifndef INTERNODE_CUBE_CUBE_H_
#define INTERNODE_CUBE_CUBE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "core/cube_info.h"

namespace internode::cube {

// Names that a user gives to dimensions, in storage order.
struct DimensionNames {
  // The variable that they are for; empty: all variables whose dimensions the
  // file does not name, those of fewer dimensions by their sizes.
  std::string variable;
  std::vector<std::string> names;
};

// Parses "time,y,x" or "blue=time,y,x".
absl::StatusOr<DimensionNames> ParseDimensionNames(absl::string_view text);

struct OpenOptions {
  // Path of the group that holds the cube; empty: the root.
  std::string group;
  // For HDF5 files without dimension scales.
  std::vector<DimensionNames> dimension_names;
  // Asked about other files that elements would come from; null: all may be
  // read. Variables of a file that may not are left out, with the reason.
  // Links to other files are never followed.
  std::function<absl::Status(const std::string& path)> may_read;
};

// The file behind a cube; for this module's readers.
struct CubeFile;

// An open HDF5 or NetCDF-4 file, described. The file stays open as long as the
// cube lives. Thread-safe: immutable. Open and the destructor wait for other
// uses of the HDF5 library.
class Cube {
 public:
  // Errors: kNotFound, no such file or group; kInvalidArgument, a folder, an
  // empty file, not HDF5, no variables that can be read, dimension names that
  // fit no variable; kFailedPrecondition, no permission, or being written;
  // kDataLoss, truncated or corrupt.
  static absl::StatusOr<std::shared_ptr<const Cube>> Open(
      absl::string_view path, const OpenOptions& options = {});
  ~Cube();
  Cube(const Cube&) = delete;
  Cube& operator=(const Cube&) = delete;

  const core::CubeInfo& info() const { return info_; }
  const CubeFile& file() const { return *file_; }
  // Whether the open file is this one, as stat tells them.
  bool IsFile(uint64_t device, uint64_t inode) const;

 private:
  Cube(core::CubeInfo info, std::unique_ptr<const CubeFile> file);

  core::CubeInfo info_;
  std::unique_ptr<const CubeFile> file_;
};

// The variable `name` of `cube`, valid as long as `cube`. Errors: kNotFound,
// naming what exists; kInvalidArgument, one that the cube does not offer, with
// the reason.
absl::StatusOr<const core::VariableInfo*> FindVariable(
    const core::CubeInfo& cube, absl::string_view name);

// Whether `variables` of `cube` have the same dimensions in any order, the
// cube's band dimension left aside. Errors: kInvalidArgument, kNotFound.
absl::Status CheckSameDimensions(const core::CubeInfo& cube,
                                 absl::Span<const std::string> variables);

// Whether every dimension that both cubes have has equal size and equal
// coordinates in both. A dimension without coordinates in one of them is
// compared by size. Error: kInvalidArgument.
absl::Status CheckSameGrid(const core::CubeInfo& a, const core::CubeInfo& b);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CUBE_H_
