#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_VERSION_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_VERSION_H_

#include "absl/strings/string_view.h"

namespace internode {

// "0.1.0": of the library that the program is linked with.
absl::string_view Version();

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_VERSION_H_
