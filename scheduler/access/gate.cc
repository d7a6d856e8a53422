#include "scheduler/access/gate.h"

#include <grpcpp/server_context.h>

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "rpc/status.h"
#include "scheduler/access/permissions.h"
#include "security/certificate.h"

namespace internode::scheduler {
namespace {

using security::Role;

// Failed attempts that are looked at: so many at once, then one each time.
constexpr int64_t kMostAttempts = 20;
constexpr absl::Duration kAttemptInterval = absl::Seconds(1);

constexpr char kAuthorization[] = "authorization";
constexpr char kPath[] = ":path";
constexpr char kCertificate[] = "x509_pem_cert";

template <class Metadata>
absl::string_view ValueOf(const Metadata& metadata, const char* key) {
  const auto it = metadata.find(key);
  if (it == metadata.end()) return "";
  return {it->second.data(), it->second.size()};
}

absl::StatusOr<Caller> IdentifyCertificate(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> found =
      context.FindPropertyValues(kCertificate);
  if (found.empty()) return absl::NotFoundError("");
  INTERNODE_ASSIGN_OR_RETURN(
      const security::CertificateInfo info,
      security::DescribeCertificate({found[0].data(), found[0].size()},
                                    "the certificate"));
  const absl::StatusOr<Role> role = security::ParseRole(info.unit);
  if (!role.ok()) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the certificate of '", absl::CEscape(info.name),
        "' has no role: its subject's OU must be admin, submit, read or "
        "worker"));
  }
  Caller caller;
  caller.name = absl::CEscape(info.name);
  caller.role = *role;
  return caller;
}

absl::Status MayNot(const Caller& caller, absl::string_view method) {
  const absl::string_view name = method.substr(method.rfind('/') + 1);
  return absl::PermissionDeniedError(
      absl::StrCat("'", caller.name, "' has the role ", RoleName(caller.role),
                   "; ", name, " is for ", WhoMayCall(method)));
}

}  // namespace

std::string TokenOf(absl::string_view authorization) {
  if (absl::StartsWithIgnoreCase(authorization, "bearer ")) {
    return std::string(absl::StripAsciiWhitespace(authorization.substr(7)));
  }
  std::string decoded;
  if (!absl::StartsWithIgnoreCase(authorization, "basic ") ||
      !absl::Base64Unescape(authorization.substr(6), &decoded)) {
    return "";
  }
  const size_t colon = decoded.find(':');
  return colon == std::string::npos ? "" : decoded.substr(colon + 1);
}

std::string PeerText(absl::string_view peer) {
  if (!absl::ConsumePrefix(&peer, "ipv4:")) absl::ConsumePrefix(&peer, "ipv6:");
  return absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}});
}

// Asked by gRPC when a call's metadata have come, before its message.
class Gate::Guard final : public grpc::AuthMetadataProcessor {
 public:
  explicit Guard(Gate* gate) : gate_(gate) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata,
                       grpc::AuthContext* context, OutputMetadata* /*consumed*/,
                       OutputMetadata* /*response*/) override {
    const absl::string_view method = ValueOf(metadata, kPath);
    if (IsForEverybody(method)) return grpc::Status::OK;
    const absl::StatusOr<Caller> caller =
        gate_->Identify(ValueOf(metadata, kAuthorization), context);
    const absl::Status status = !caller.ok() ? caller.status()
                                : MayCall(caller->role, method)
                                    ? absl::OkStatus()
                                    : MayNot(*caller, method);
    if (status.ok()) return grpc::Status::OK;
    // Services that do not ask Admit.
    if (!absl::StartsWith(method, "/internode.")) {
      ++gate_->refused_;
      return rpc::ToGrpc(status);
    }
    MutexLock lock(&gate_->mu_);
    // Admit refuses it, and knows the address.
    if (gate_->budget_.Take(absl::Now())) return grpc::Status::OK;
    ++gate_->refused_;
    return rpc::ToGrpc(absl::ResourceExhaustedError(absl::StrCat(
        "too many failed attempts; try again later: ", status.message())));
  }

 private:
  Gate* const gate_;
};

Gate::Gate(const GateOptions& options)
    : tokens_(options.tokens),
      certificates_(options.certificates),
      budget_(kMostAttempts, kAttemptInterval) {
  if (tokens_ != nullptr) tokens_->Watch([this] { Look(); });
}

Gate::~Gate() {
  if (tokens_ != nullptr) tokens_->Watch(nullptr);
}

std::shared_ptr<grpc::AuthMetadataProcessor> Gate::guard() {
  return asks() ? std::make_shared<Guard>(this) : nullptr;
}

absl::StatusOr<Caller> Gate::IdentifyToken(absl::string_view token) const {
  if (tokens_ == nullptr) {
    return absl::UnauthenticatedError(
        "tokens are not taken here; a certificate is");
  }
  const std::shared_ptr<const security::TokenList> tokens = tokens_->tokens();
  INTERNODE_ASSIGN_OR_RETURN(const auto* entry,
                             tokens->Check(token, absl::Now()));
  Caller caller;
  caller.name = entry->second.name;
  caller.role = entry->second.role;
  caller.token_id = entry->first;
  return caller;
}

absl::StatusOr<Caller> Gate::Identify(absl::string_view authorization,
                                      const grpc::AuthContext* context) const {
  // What is shown on purpose counts first.
  if (!authorization.empty()) return IdentifyToken(TokenOf(authorization));
  if (certificates_ && context != nullptr) {
    absl::StatusOr<Caller> caller = IdentifyCertificate(*context);
    if (!absl::IsNotFound(caller.status())) return caller;
  }
  return absl::UnauthenticatedError(
      tokens_ == nullptr
          ? "no certificate was shown; give --tls-cert and --tls-key"
          : "no token was shown; give one with --token-file");
}

absl::StatusOr<Caller> Gate::Admit(const grpc::CallbackServerContext& context,
                                   absl::string_view method) {
  const std::string peer = PeerText(context.peer());
  if (!asks()) {
    Caller anybody;
    anybody.peer = peer;
    // Without the port, which is another for each connection.
    anybody.name = peer.substr(0, peer.rfind(':'));
    return anybody;
  }
  absl::StatusOr<Caller> caller =
      Identify(ValueOf(context.client_metadata(), kAuthorization),
               context.auth_context().get());
  absl::Status status = caller.status();
  if (status.ok() && !MayCall(caller->role, method)) {
    status = MayNot(*caller, method);
  }
  if (!status.ok()) {
    Tell(method, peer, status);
    return status;
  }
  caller->peer = peer;
  return caller;
}

absl::Status Gate::AdmitReader(absl::string_view authorization,
                               absl::string_view peer) {
  const absl::StatusOr<Caller> caller =
      authorization.empty()
          ? absl::StatusOr<Caller>(absl::UnauthenticatedError(
                "this needs a token, as Bearer or as the password of Basic"))
          : IdentifyToken(TokenOf(authorization));
  absl::Status status = caller.status();
  if (status.ok() && !MayRead(caller->role)) {
    status = absl::PermissionDeniedError(absl::StrCat(
        "'", caller->name, "' has the role ", RoleName(caller->role),
        "; this is for read, submit or "
        "admin"));
  }
  if (!status.ok()) {
    {
      MutexLock lock(&mu_);
      if (!budget_.Take(absl::Now())) {
        ++refused_;
        return status;
      }
    }
    Tell("HTTP", peer, status);
  }
  return status;
}

void Gate::Tell(absl::string_view method, absl::string_view peer,
                const absl::Status& status) {
  ++refused_;
  int64_t denied = 0;
  {
    MutexLock lock(&mu_);
    denied = budget_.TakeDenied();
  }
  LogWarning("refused ", peer, " at ", method, ": ", status.message(),
             denied == 0 ? ""
                         : absl::StrCat("; and ", denied,
                                        " attempts since the last one told"));
}

uint64_t Gate::BeginStream(const Caller& caller,
                           std::function<void(const absl::Status&)> close) {
  if (caller.token_id.empty()) return 0;
  MutexLock lock(&mu_);
  streams_[++last_stream_] = {caller.token_id, std::move(close)};
  return last_stream_;
}

void Gate::EndStream(uint64_t stream) {
  if (stream == 0) return;
  MutexLock lock(&mu_);
  streams_.erase(stream);
}

void Gate::Look() {
  const std::shared_ptr<const security::TokenList> tokens = tokens_->tokens();
  const absl::Time now = absl::Now();
  std::vector<Stream> ended;
  {
    MutexLock lock(&mu_);
    for (auto it = streams_.begin(); it != streams_.end();) {
      const auto entry = tokens->entries().find(it->second.token_id);
      if (entry != tokens->entries().end() && now < entry->second.expires) {
        ++it;
      } else {
        ended.push_back(std::move(it->second));
        it = streams_.erase(it);
      }
    }
  }
  for (const Stream& stream : ended) {
    stream.close(absl::UnauthenticatedError(absl::StrCat(
        "the token ", stream.token_id, " was revoked or has expired")));
  }
}

}  // namespace internode::scheduler
