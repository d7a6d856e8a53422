#ifndef INTERNODE_SECURITY_TLS_PROBE_H_
#define INTERNODE_SECURITY_TLS_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "security/tls_files.h"

namespace internode::security {

// Reads and checks one's own files. Errors (one line, naming the file):
// kInvalidArgument, kNotFound, kPermissionDenied.
absl::Status CheckTlsFiles(const TlsFiles& files);

struct TlsProbe {
  // "host:port", "[v6]:port".
  std::string address;
  // Without a `ca`: as somebody who does not speak TLS.
  TlsFiles files;
  // Expected in the certificate; empty: the host of the address.
  std::string name;
  absl::Duration timeout = absl::Seconds(2);
};

// Why a connection that gRPC only calls broken does not come about, as far as
// TLS is to blame: connects once more, and looks. Nothing is sent through the
// connection, so it also looks behind a certificate that is refused. Errors
// (kUnauthenticated), one line: expired, not of this CA, for another name; no
// TLS there, or TLS where none was asked for; our certificate missing, expired
// or refused. OK: nothing to be found fault with. Blocks for up to the timeout.
absl::Status DiagnoseTls(const TlsProbe& probe);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_TLS_PROBE_H_
