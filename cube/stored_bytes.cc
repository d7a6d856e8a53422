#include "cube/stored_bytes.h"

#include "absl/strings/str_cat.h"

#include "cube/cube_file.h"
#include "cube/h5.h"

namespace internode::cube {

absl::StatusOr<int64_t> StoredBytes(const Cube& cube, size_t variable) {
  const std::string& storage = cube.info().variables[variable].storage;
  if (storage == "virtual" || storage == "external") return 0;
  h5::Lock lock;
  const h5::Dataset dataset(
      H5Dopen2(cube.file().file.get(),
               cube.file().variables[variable].path.c_str(), H5P_DEFAULT));
  H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
  if (!dataset.valid() || H5Dget_space_status(dataset.get(), &status) < 0) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot examine variable '",
                                  cube.info().variables[variable].name,
                                  "' of '", cube.info().path, "'"));
  }
  if (status == H5D_SPACE_STATUS_NOT_ALLOCATED) return 0;
  return static_cast<int64_t>(H5Dget_storage_size(dataset.get()));
}

}  // namespace internode::cube
