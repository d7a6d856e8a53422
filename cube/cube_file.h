#ifndef INTERNODE_CUBE_CUBE_FILE_H_
#define INTERNODE_CUBE_CUBE_FILE_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/data_type.h"
#include "cube/byte_source.h"
#include "cube/h5.h"
#include "cube/storage_plan.h"

namespace internode::cube {

// Which file, and which state of it. Equal as long as nobody writes to it or
// puts another in its place.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;

  static FileIdentity Of(const struct stat& info);
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Where the variable that CubeInfo lists at the same place lies.
struct StoredVariable {
  // Absolute path in the file.
  std::string path;
  // The type to ask libhdf5 for: VariableInfo::type, or its signed or unsigned
  // twin where the attribute _Unsigned says that the bits mean the other.
  core::DataType read_type = core::DataType::kInt16;
  // Of the dataset; less than the dimension's size where an unlimited
  // dimension has grown through another variable.
  std::vector<int64_t> extents;
  StoragePlan plan;
};

// An open file. Constant after Cube::Open. `file` is used and closed under
// h5::Lock.
struct CubeFile {
  ~CubeFile();

  // OK while the file at `path` is the one that was opened, unchanged.
  absl::Status CheckUnchanged() const;

  std::string path;
  FileIdentity identity;
  h5::File file;
  // The same open file, read without the library.
  std::unique_ptr<const ByteSource> bytes;
  std::vector<StoredVariable> variables;
};

// Opens `path`; errors as Cube::Open. Takes h5::Lock.
absl::StatusOr<std::unique_ptr<CubeFile>> OpenCubeFile(const std::string& path);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CUBE_FILE_H_
