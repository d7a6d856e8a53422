#ifndef INTERNODE_CLIENT_CLI_HTTP_PROBE_H_
#define INTERNODE_CLIENT_CLI_HTTP_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace internode::cli {

// Whether `address` is a URL of HTTP rather than an address of gRPC.
bool IsHttpUrl(const std::string& address);

// Asks the daemon at `url`, "http://127.0.0.1:8788" or https, for /healthz.
// `ca_file` is whose certificates are trusted; empty: the system's. Errors:
// kUnavailable (it does not answer, or not with 200, and what it says);
// kInvalidArgument (no such URL).
absl::Status ProbeHttp(const std::string& url, const std::string& ca_file,
                       absl::Duration timeout);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_HTTP_PROBE_H_
