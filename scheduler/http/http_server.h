#ifndef INTERNODE_SCHEDULER_HTTP_HTTP_SERVER_H_
#define INTERNODE_SCHEDULER_HTTP_HTTP_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "scheduler/engine/engine.h"

namespace internode::scheduler {

struct HttpOptions {
  std::string host = "127.0.0.1";
  // 0: any free port.
  int port = 0;
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
// rebinding). Thread-compatible.
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
