#ifndef INTERNODE_BASE_VERSION_H_
#define INTERNODE_BASE_VERSION_H_

#include "absl/strings/string_view.h"

namespace internode {

// "0.1.0": of this build.
absl::string_view Version();

}  // namespace internode

#endif  // INTERNODE_BASE_VERSION_H_
