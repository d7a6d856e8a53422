#ifndef INTERNODE_HTTP_SERVER_H_
#define INTERNODE_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "security/tls_files.h"

namespace httplib {
class Server;
}

namespace internode::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  // 0: any free port.
  int port = 0;
  // Host names, besides this machine's, that requests may be made to.
  std::vector<std::string> names;
  // With a certificate: HTTPS.
  security::TlsFiles tls;
  // Asked about everything but /healthz and /readyz, with what the request has
  // as Authorization and whom it comes from; none: everybody may read.
  std::function<absl::Status(absl::string_view authorization,
                             absl::string_view peer)>
      admit;
  // What there is, for those who ask for something else.
  std::string paths;
};

// A small HTTP server of a daemon: for probes, Prometheus and browsers, which
// may read. It refuses requests that name another host than this one: a page of
// someone else's could read all of it through the browser of whoever visits it
// (DNS rebinding); and those that another site's page makes, by their Origin.
// Thread-compatible.
class Server {
 public:
  // `route` adds the handlers, which are called on several threads. Errors
  // (kFailedPrecondition): the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options,
      const std::function<void(httplib::Server*)>& route);
  // Stops at once.
  virtual ~Server() = default;

  // "http://127.0.0.1:8787".
  virtual const std::string& url() const = 0;
};

// The status of HTTP for an error: 404, 400, 401, 403, else 503.
int StatusOf(const absl::Status& status);
// {"error":MESSAGE}
std::string ErrorJson(absl::string_view message);

}  // namespace internode::http

#endif  // INTERNODE_HTTP_SERVER_H_
