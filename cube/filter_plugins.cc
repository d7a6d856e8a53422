#include "cube/filter_plugins.h"

#include <H5PLextern.h>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/h5.h"

namespace internode::cube {

absl::Status LimitFilterPlugins(const std::vector<std::string>& folders) {
  h5::Lock lock;
  INTERNODE_RETURN_IF_ERROR(h5::Check(
      H5PLset_loading_state(
          folders.empty() ? 0U : static_cast<unsigned>(H5PL_FILTER_PLUGIN)),
      "say which plugins HDF5 may load"));
  unsigned count = 0;
  INTERNODE_RETURN_IF_ERROR(
      h5::Check(H5PLsize(&count), "list the folders of HDF5's plugins"));
  for (; count > 0; --count) {
    INTERNODE_RETURN_IF_ERROR(
        h5::Check(H5PLremove(0), "forget a folder of HDF5's plugins"));
  }
  for (const std::string& folder : folders) {
    INTERNODE_RETURN_IF_ERROR(
        h5::Check(H5PLappend(folder.c_str()),
                  absl::StrCat("let HDF5 load plugins from '", folder, "'")));
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
