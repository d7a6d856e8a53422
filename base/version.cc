#include "base/version.h"

namespace internode {

absl::string_view Version() { return INTERNODE_VERSION; }

}  // namespace internode
