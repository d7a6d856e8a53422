#include "client/remote/scheduler_address.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::client {
namespace {

absl::StatusOr<std::string> AddressInFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::NotFoundError(absl::StrCat(
        "cannot read the scheduler file '", path,
        "'; internode-scheduler --scheduler-file writes it while it runs"));
  }
  const std::string text((std::istreambuf_iterator<char>(in)),
                         std::istreambuf_iterator<char>());
  const nlohmann::json json =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("address") ||
      !json["address"].is_string()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the scheduler file '", path, "' holds no address"));
  }
  return json["address"].get<std::string>();
}

}  // namespace

absl::StatusOr<std::string> AddressOf(const SetupOptions& options) {
  return options.scheduler_file.empty()
             ? absl::StatusOr<std::string>(options.address)
             : AddressInFile(options.scheduler_file);
}

rpc::ConnectionSecurity SecurityOf(const SetupOptions& options) {
  return {.tls = {.ca = options.tls_ca,
                  .certificate = options.tls_cert,
                  .key = options.tls_key},
          .tls_name = options.tls_name,
          .token_file = options.token_file};
}

}  // namespace internode::client
