#ifndef INTERNODE_SECURITY_CERTIFICATE_FILES_H_
#define INTERNODE_SECURITY_CERTIFICATE_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "security/certificate.h"
#include "security/role.h"

// A folder of certificates, of a CA of one's own:
//
//   ca.crt      what every machine needs      ca.key      for new ones; keep it
//   server.crt  the scheduler's               server.key
//   worker.crt  for workers: OU worker        worker.key
//   client.crt  for clients: OU admin         client.key

namespace internode::security {

struct CertificateFilesOptions {
  // Under which the scheduler is reached; at least one.
  std::vector<std::string> server_names;
  absl::Duration lifetime = absl::Hours(24 * 365);
  absl::Duration authority_lifetime = absl::Hours(24 * 3650);
};

// Makes the folder, mode 0700, and the files, mode 0600, all or none. Errors:
// kAlreadyExists (a file is there), the file system's, those of certificate.h.
absl::Status InitCertificates(const std::string& folder,
                              const CertificateFilesOptions& options,
                              absl::Time now);

// Whether all the files are there.
bool HasCertificates(const std::string& folder);

// Makes server, worker and client certificates anew, of the CA that is there.
// Errors: kNotFound (no CA there), as InitCertificates.
absl::Status RenewCertificates(const std::string& folder,
                               const CertificateFilesOptions& options,
                               absl::Time now);

// Makes NAME.crt and NAME.key for one more client or worker. Errors: as
// RenewCertificates; kAlreadyExists.
absl::Status IssueCertificate(const std::string& folder, absl::string_view name,
                              Role role, absl::Time now,
                              absl::Duration lifetime);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_CERTIFICATE_FILES_H_
