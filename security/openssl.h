#ifndef INTERNODE_SECURITY_OPENSSL_H_
#define INTERNODE_SECURITY_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// OpenSSL's objects as C++ owns them. For this module's sources alone.

namespace internode::security {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using SslPtr = std::unique_ptr<SSL, Free<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;

// kInternal, with OpenSSL's last words; its queue of errors is empty then.
absl::Status OpensslError(absl::string_view what);

// The first certificate, or the key, of a PEM text; `what` names it in the
// error (kInvalidArgument).
absl::StatusOr<X509Ptr> ParseCertificate(absl::string_view pem,
                                         absl::string_view what);
absl::StatusOr<KeyPtr> ParseKey(absl::string_view pem, absl::string_view what);

// "DNS:node1, IP:10.0.0.1": the names that a certificate is for.
std::string NamesOf(X509* certificate);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_OPENSSL_H_
