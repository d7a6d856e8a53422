#ifndef INTERNODE_SECURITY_CERTIFICATE_H_
#define INTERNODE_SECURITY_CERTIFICATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "security/role.h"

// X.509 certificates with keys on the curve P-256. A certificate of a client or
// worker says by its subject who it is: CN its name, OU its role.

namespace internode::security {

// A certificate and its key, as PEM texts.
struct KeyPair {
  std::string certificate;
  std::string key;
};

// A certificate authority of one's own. Errors (kInternal): OpenSSL's.
absl::StatusOr<KeyPair> NewAuthority(absl::string_view name, absl::Time now,
                                     absl::Duration lifetime);

// For a server that is reached under `names`, DNS names and IP addresses.
// Errors (kInvalidArgument): no name, or not a name; `authority` is none.
absl::StatusOr<KeyPair> NewServerCertificate(
    const KeyPair& authority, const std::vector<std::string>& names,
    absl::Time now, absl::Duration lifetime);

// For a client or worker. Errors (kInvalidArgument): as CheckName; `authority`
// is none.
absl::StatusOr<KeyPair> NewClientCertificate(const KeyPair& authority,
                                             absl::string_view name, Role role,
                                             absl::Time now,
                                             absl::Duration lifetime);

// What a certificate says.
struct CertificateInfo {
  std::string name;
  // "worker", …; empty: none.
  std::string unit;
  // "DNS:node1, IP:10.0.0.1".
  std::string names;
  std::string issuer;
  absl::Time begins;
  absl::Time expires;
};
// Error (kInvalidArgument): `what` is none.
absl::StatusOr<CertificateInfo> DescribeCertificate(absl::string_view pem,
                                                    absl::string_view what);

// Whether the key is that of the certificate. Errors (kInvalidArgument): which
// of the two, as they are called, is none; that they do not fit.
absl::Status CheckKeyPair(const KeyPair& pair,
                          absl::string_view certificate_name,
                          absl::string_view key_name);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_CERTIFICATE_H_
