#ifndef INTERNODE_SCHEDULER_HTTP_HTTP_SERVER_H_
#define INTERNODE_SCHEDULER_HTTP_HTTP_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "scheduler/access/gate.h"
#include "scheduler/engine/engine.h"
#include "security/tls_files.h"

namespace internode::scheduler {

struct HttpOptions {
  std::string host = "127.0.0.1";
  // 0: any free port.
  int port = 0;
  // Host names, besides this machine's, that requests may be made to.
  std::vector<std::string> names = {};
  // With a certificate: HTTPS.
  security::TlsFiles tls = {};
  // Who may connect to the scheduler. Outlives the server; null: everybody.
  Gate* gate = nullptr;
  // It is asked about everything but /healthz and /readyz.
  bool asks_readers = false;
  // What /metrics says of it: strangers may connect.
  bool open_to_strangers = false;
};

// What browsers, probes and Prometheus see of the scheduler: read-only.
//
//   /healthz                     200: the engine answers; else 503
//   /readyz                      200: results can be written; else 503 and why
//   /metrics                     Prometheus' text format
//   /api/v1/jobs, …/jobs/ID, /api/v1/workers, /api/v1/cluster    JSON
//   /, /status                   the same facts as a page
//
// Requests that name another host than this one are refused: a page of someone
// else's could read all of it through the browser of whoever visits it (DNS
// rebinding); so are those that another site's page makes, by their Origin.
// Thread-compatible.
class HttpServer {
 public:
  // `engine` outlives the server. Errors (kFailedPrecondition): the address
  // cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const HttpOptions& options, Engine* engine);
  // Stops at once.
  virtual ~HttpServer() = default;

  // "http://127.0.0.1:8787".
  virtual const std::string& url() const = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_HTTP_HTTP_SERVER_H_
