#ifndef INTERNODE_SCHEDULER_HTTP_HOST_CHECK_H_
#define INTERNODE_SCHEDULER_HTTP_HOST_CHECK_H_

#include <string>

#include "absl/strings/string_view.h"

namespace internode::scheduler {

// Whether a request with this Host header is meant for us: it names an address
// instead of a name, `localhost`, the host that is listened on, or this
// machine's own name.
bool IsOurHost(absl::string_view header, absl::string_view listen_host,
               absl::string_view machine);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_HTTP_HOST_CHECK_H_
