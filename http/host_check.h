#ifndef INTERNODE_HTTP_HOST_CHECK_H_
#define INTERNODE_HTTP_HOST_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace internode::http {

// Whether a request with this Host header is meant for us: it names an address
// instead of a name, `localhost`, or one of our names. That of a machine counts
// with and without its domain.
bool IsOurHost(absl::string_view header, const std::vector<std::string>& names);

// Whether a request with this Origin header comes from a page of ours: there is
// none, or it names what the Host header names.
bool IsOurOrigin(absl::string_view origin, absl::string_view host);

}  // namespace internode::http

#endif  // INTERNODE_HTTP_HOST_CHECK_H_
