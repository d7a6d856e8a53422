#include "scheduler/exposure.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/listen_address.h"
#include "base/status_macros.h"

namespace internode::scheduler {
namespace {

absl::Status Wrong(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

absl::Status CheckFlagsFit(const Config& config) {
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return Wrong("--tls-cert and --tls-key are given together, or neither");
  }
  if (!config.tls_client_ca.empty() && config.tls_cert.empty()) {
    return Wrong(
        "--tls-client-ca needs --tls-cert and --tls-key: certificates are "
        "shown in TLS");
  }
  return absl::OkStatus();
}

absl::Status CheckGrpc(const Config& config) {
  if (IsLoopback(config.listen_host)) return absl::OkStatus();
  const std::string reach = absl::StrCat("--listen ", config.listen_host,
                                         " can be reached from other machines");
  if (!config.tokens.empty() && config.tls_cert.empty()) {
    return Wrong(absl::StrCat(
        reach,
        ", where --tokens would travel unencrypted: give --tls-cert "
        "and --tls-key (internode tls init makes them)"));
  }
  if (config.insecure) return absl::OkStatus();
  if (config.tls_cert.empty()) {
    return Wrong(absl::StrCat(
        reach,
        ": give --tls-cert, --tls-key and --tokens (internode tls init "
        "and internode token create make them), or --insecure if all "
        "who can connect may read and write all jobs"));
  }
  if (!AsksClients(config)) {
    return Wrong(absl::StrCat(
        reach,
        ": give --tokens or --tls-client-ca, or --insecure if all who "
        "can connect may read and write all jobs"));
  }
  return absl::OkStatus();
}

absl::Status CheckHttp(const Config& config) {
  if (!config.http || IsLoopback(config.http_host) || config.insecure) {
    return absl::OkStatus();
  }
  const std::string reach = absl::StrCat("--http ", config.http_host,
                                         " can be reached from other machines");
  if (config.tls_cert.empty()) {
    return Wrong(absl::StrCat(
        reach,
        ": give --tls-cert, --tls-key and --tokens, or --insecure if "
        "all who can connect may read all jobs"));
  }
  if (config.tokens.empty()) {
    return Wrong(absl::StrCat(
        reach,
        ": give --tokens, or --insecure if all who can connect may "
        "read all jobs"));
  }
  return absl::OkStatus();
}

}  // namespace

bool AsksClients(const Config& config) {
  return !config.tokens.empty() || !config.tls_client_ca.empty();
}

bool HttpsServed(const Config& config) {
  return config.http && !IsLoopback(config.http_host) &&
         !config.tls_cert.empty();
}

bool AsksReaders(const Config& config) {
  // Plain HTTP would show tokens to everybody on the way.
  return HttpsServed(config) && !config.tokens.empty();
}

bool OpenToStrangers(const Config& config) {
  const bool grpc = !IsLoopback(config.listen_host) && !AsksClients(config);
  const bool http =
      config.http && !IsLoopback(config.http_host) && !AsksReaders(config);
  return grpc || http;
}

absl::Status CheckExposure(const Config& config) {
  INTERNODE_RETURN_IF_ERROR(CheckFlagsFit(config));
  INTERNODE_RETURN_IF_ERROR(CheckGrpc(config));
  return CheckHttp(config);
}

}  // namespace internode::scheduler
