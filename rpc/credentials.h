#ifndef INTERNODE_RPC_CREDENTIALS_H_
#define INTERNODE_RPC_CREDENTIALS_H_

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "security/tls_files.h"

namespace internode::rpc {

// How a client or worker connects, as its flags say. All empty: without TLS,
// without a token.
struct ConnectionSecurity {
  // With a `ca`: by TLS, 1.2 or later.
  security::TlsFiles tls;
  // The name expected in the scheduler's certificate; empty: the host of the
  // address.
  std::string tls_name;
  // A file that holds a token, and nothing else.
  std::string token_file;
};

// What a client or worker shows. Files of certificates are read again within
// seconds of each change, that of the token for each call. Thread-safe.
class Credentials {
 public:
  // Errors (one line, naming the file or flag): kInvalidArgument, kNotFound,
  // kPermissionDenied.
  static absl::StatusOr<std::shared_ptr<const Credentials>> Create(
      const ConnectionSecurity& security);
  // Without TLS, without a token.
  static std::shared_ptr<const Credentials> None();
  ~Credentials();

  // Whether they may be used there. Error (kInvalidArgument): a token would be
  // sent to another machine without TLS.
  absl::Status CheckAddress(absl::string_view address) const;

  // What a call or connection to `address` that ended with `status` means to
  // the user: gRPC calls everything that goes wrong with TLS a broken
  // connection. Connects once more to look, for up to 2 s, if `status` may be
  // due to that.
  absl::Status Explain(absl::string_view address,
                       const absl::Status& status) const;

 private:
  friend std::shared_ptr<grpc::Channel> NewChannel(
      const std::string& address, const Credentials& credentials);
  class TokenFile;
  class TokenInterceptorFactory;

  explicit Credentials(const ConnectionSecurity& security);

  const ConnectionSecurity security_;
  std::shared_ptr<grpc::ChannelCredentials> channel_;
  std::shared_ptr<TokenFile> token_;
};

struct ServerSecurity {
  // With a `certificate`: TLS, 1.2 or later. With a `ca` too: clients may show
  // a certificate of it, …
  security::TlsFiles tls;
  // … or must.
  bool client_certificate_required = false;
};

// What a server takes. `guard`, which may be null, is asked about each call;
// without TLS only this machine can then connect. Files are read again within
// seconds of each change. Errors: as CheckTlsFiles.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> NewServerCredentials(
    const ServerSecurity& security,
    const std::shared_ptr<grpc::AuthMetadataProcessor>& guard);

// Whether the address, as ParseAddress takes it, is this machine's own.
bool IsLocalAddress(absl::string_view address);

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_CREDENTIALS_H_
