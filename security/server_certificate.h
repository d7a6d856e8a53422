#ifndef INTERNODE_SECURITY_SERVER_CERTIFICATE_H_
#define INTERNODE_SECURITY_SERVER_CERTIFICATE_H_

#include "security/tls_files.h"

struct ssl_ctx_st;

namespace internode::security {

// Lets a server of OpenSSL's show the certificate in `files`, which outlives
// it, read anew for each connection; TLS 1.2 or later. False: it cannot.
bool ServeCertificate(ssl_ctx_st* context, const TlsFiles* files);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_SERVER_CERTIFICATE_H_
