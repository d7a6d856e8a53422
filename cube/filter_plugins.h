#ifndef INTERNODE_CUBE_FILTER_PLUGINS_H_
#define INTERNODE_CUBE_FILTER_PLUGINS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace internode::cube {

// Lets the HDF5 library load filters that it lacks from these folders only;
// from none, if there are no folders. Before that it loads whatever lies in
// $HDF5_PLUGIN_PATH, or where it was built to look. Once, before files are
// opened. Error (kInternal): the library refuses.
absl::Status LimitFilterPlugins(const std::vector<std::string>& folders);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_FILTER_PLUGINS_H_
