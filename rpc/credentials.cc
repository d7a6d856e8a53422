#include "rpc/credentials.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "base/status_macros.h"
#include "rpc/channel.h"
#include "security/private_file.h"
#include "security/tls_probe.h"
#include "security/token.h"

namespace internode::rpc {
namespace {

namespace tls = grpc::experimental;

// How often files are looked at.
constexpr unsigned kRefreshSeconds = 2;

std::shared_ptr<tls::CertificateProviderInterface> Watch(
    const security::TlsFiles& files) {
  return std::make_shared<tls::FileWatcherCertificateProvider>(
      files.key, files.certificate, files.ca, kRefreshSeconds);
}

std::shared_ptr<grpc::ChannelCredentials> TlsOf(
    const security::TlsFiles& files) {
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(files));
  options.watch_root_certs();
  if (!files.certificate.empty()) options.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(options);
}

// Codes that gRPC gives to calls on a connection that does not come about.
bool MayBeTls(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

// The last token that could be read.
class Credentials::TokenFile {
 public:
  explicit TokenFile(const std::string& path) : path_(path) {}

  absl::Status Read() {
    INTERNODE_ASSIGN_OR_RETURN(const std::string text,
                               security::ReadSmallFile(path_));
    const absl::StatusOr<security::Token> token = security::ParseToken(text);
    if (!token.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path_,
                       "' holds no token; internode token create "
                       "--out writes such a file"));
    }
    MutexLock lock(&mu_);
    text_ = token->text;
    return absl::OkStatus();
  }

  std::string Get() {
    // A file that is being replaced is read the next time.
    Read().IgnoreError();
    MutexLock lock(&mu_);
    return text_;
  }

 private:
  const std::string path_;
  Mutex mu_;
  std::string text_ ABSL_GUARDED_BY(mu_);
};

// Puts the token into each call. Call credentials, gRPC's own means, are
// refused on connections without TLS, that is on loopback too.
class Credentials::TokenInterceptorFactory final
    : public tls::ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(std::shared_ptr<TokenFile> token)
      : token_(std::move(token)) {}

  tls::Interceptor* CreateClientInterceptor(tls::ClientRpcInfo*) override {
    // gRPC deletes it.
    return std::make_unique<TokenInterceptor>(token_).release();
  }

 private:
  class TokenInterceptor final : public tls::Interceptor {
   public:
    explicit TokenInterceptor(std::shared_ptr<TokenFile> token)
        : token_(std::move(token)) {}
    void Intercept(tls::InterceptorBatchMethods* methods) override {
      if (methods->QueryInterceptionHookPoint(
              tls::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
        methods->GetSendInitialMetadata()->insert(
            {"authorization", absl::StrCat("Bearer ", token_->Get())});
      }
      methods->Proceed();
    }

   private:
    const std::shared_ptr<TokenFile> token_;
  };

  const std::shared_ptr<TokenFile> token_;
};

Credentials::Credentials(const ConnectionSecurity& security)
    : security_(security),
      channel_(security.tls.ca.empty() ? grpc::InsecureChannelCredentials()
                                       : TlsOf(security.tls)) {}

Credentials::~Credentials() = default;

std::shared_ptr<const Credentials> Credentials::None() {
  return absl::WrapUnique(new Credentials({}));
}

absl::StatusOr<std::shared_ptr<const Credentials>> Credentials::Create(
    const ConnectionSecurity& security) {
  INTERNODE_RETURN_IF_ERROR(security::CheckTlsFiles(security.tls));
  if (security.tls.ca.empty() &&
      !(security.tls.certificate.empty() && security.tls_name.empty())) {
    return absl::InvalidArgumentError(
        "--tls-cert, --tls-key and --tls-name need --tls-ca: the CA of the "
        "scheduler's certificate");
  }
  auto credentials = absl::WrapUnique(new Credentials(security));
  if (!security.token_file.empty()) {
    credentials->token_ = std::make_shared<TokenFile>(security.token_file);
    INTERNODE_RETURN_IF_ERROR(credentials->token_->Read());
  }
  return std::shared_ptr<const Credentials>(std::move(credentials));
}

absl::Status Credentials::CheckAddress(absl::string_view address) const {
  if (token_ == nullptr || !security_.tls.ca.empty() ||
      IsLocalAddress(address)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the token is not sent to ", address,
                   " without TLS, where others could read it; give --tls-ca"));
}

absl::Status Credentials::Explain(absl::string_view address,
                                  const absl::Status& status) const {
  if (!MayBeTls(status) || absl::StartsWith(address, "unix:")) return status;
  security::TlsProbe probe;
  probe.address = std::string(address);
  probe.files = security_.tls;
  probe.name = security_.tls_name;
  const absl::Status fault = security::DiagnoseTls(probe);
  return fault.ok() ? status : fault;
}

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address,
                                          const Credentials& credentials) {
  grpc::ChannelArguments arguments = ChannelArgumentsOfClients();
  if (!credentials.security_.tls_name.empty()) {
    arguments.SetSslTargetNameOverride(credentials.security_.tls_name);
  }
  if (credentials.token_ == nullptr) {
    return grpc::CreateCustomChannel(address, credentials.channel_, arguments);
  }
  std::vector<std::unique_ptr<tls::ClientInterceptorFactoryInterface>> shown;
  shown.push_back(std::make_unique<Credentials::TokenInterceptorFactory>(
      credentials.token_));
  return tls::CreateCustomChannelWithInterceptors(address, credentials.channel_,
                                                  arguments, std::move(shown));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> NewServerCredentials(
    const ServerSecurity& security,
    const std::shared_ptr<grpc::AuthMetadataProcessor>& guard) {
  INTERNODE_RETURN_IF_ERROR(security::CheckTlsFiles(security.tls));
  std::shared_ptr<grpc::ServerCredentials> credentials;
  if (security.tls.certificate.empty()) {
    if (guard == nullptr) return grpc::InsecureServerCredentials();
    credentials = tls::LocalServerCredentials(LOCAL_TCP);
  } else {
    tls::TlsServerCredentialsOptions options(Watch(security.tls));
    options.watch_identity_key_cert_pairs();
    if (!security.tls.ca.empty()) {
      options.watch_root_certs();
      options.set_cert_request_type(
          security.client_certificate_required
              ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
              : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
    }
    credentials = tls::TlsServerCredentials(options);
  }
  if (guard != nullptr) credentials->SetAuthMetadataProcessor(guard);
  return credentials;
}

bool IsLocalAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return true;
  std::string host(address.substr(0, address.rfind(':')));
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  }
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24 == 127;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6);
  }
  return absl::EqualsIgnoreCase(host, "localhost");
}

}  // namespace internode::rpc
