#include "security/server_certificate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace internode::security {
namespace {

// Of OpenSSL, when a client has said hello: 1, go on; 0, end the handshake.
int ShowCertificate(SSL* ssl, void* argument) {
  const auto* const files = static_cast<const TlsFiles*>(argument);
  const bool shown =
      SSL_use_certificate_chain_file(ssl, files->certificate.c_str()) == 1 &&
      SSL_use_PrivateKey_file(ssl, files->key.c_str(), SSL_FILETYPE_PEM) == 1;
  ERR_clear_error();
  return shown ? 1 : 0;
}

}  // namespace

bool ServeCertificate(ssl_ctx_st* context, const TlsFiles* files) {
  // Only read, but OpenSSL takes what may be changed.
  SSL_CTX_set_cert_cb(context, &ShowCertificate, const_cast<TlsFiles*>(files));
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

}  // namespace internode::security
