#include "client/cli/http_probe.h"

#include <httplib.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace internode::cli {

bool IsHttpUrl(const std::string& address) {
  return absl::StartsWith(address, "http://") ||
         absl::StartsWith(address, "https://");
}

absl::Status ProbeHttp(const std::string& url, const std::string& ca_file,
                       absl::Duration timeout) {
  const size_t host = url.find("://") + 3;
  if (!IsHttpUrl(url) || host == url.size() ||
      url.find('/', host) != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", url, "' is no address; write http://HOST:PORT"));
  }
  httplib::Client client(url);
  if (!client.is_valid()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", url, "' is no address; write http://HOST:PORT"));
  }
  if (!ca_file.empty()) client.set_ca_cert_path(ca_file);
  const auto micros = absl::ToChronoMicroseconds(timeout);
  client.set_connection_timeout(micros);
  client.set_read_timeout(micros);
  client.set_write_timeout(micros);
  const httplib::Result answer = client.Get("/healthz");
  if (!answer) {
    return absl::UnavailableError(
        absl::StrCat(url, " does not answer: ", to_string(answer.error())));
  }
  if (answer->status != 200) {
    return absl::UnavailableError(
        absl::StrCat(url, " answers ", answer->status, ": ",
                     absl::StripAsciiWhitespace(answer->body).substr(0, 200)));
  }
  return absl::OkStatus();
}

}  // namespace internode::cli
