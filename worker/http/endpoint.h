#ifndef INTERNODE_WORKER_HTTP_ENDPOINT_H_
#define INTERNODE_WORKER_HTTP_ENDPOINT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "http/server.h"
#include "worker/http/facts.h"

namespace internode::worker {

struct EndpointOptions {
  std::string host = "127.0.0.1";
  // 0: any free port.
  int port = 0;
  // Further Host names that requests may be made to.
  std::vector<std::string> names;
  // With a certificate: HTTPS.
  security::TlsFiles tls;
  // List of the tokens whose bearers may read more than the probes; empty:
  // everybody may.
  std::string tokens;
};

// Calls what it is given with the facts, on a thread of the daemon's.
using AskFacts = std::function<void(std::function<void(const DaemonFacts&)>)>;

// What probes and Prometheus see of a worker.
//
//   /healthz    200: the daemon's event loop answers; else 503
//   /readyz     200: it is connected and can work; else 503 and why
//   /metrics    Prometheus' text format
//
// `ask` is called on several threads, as long as the server lives. Errors:
// those of http::Server::Start.
absl::StatusOr<std::unique_ptr<http::Server>> StartEndpoint(
    const EndpointOptions& options, AskFacts ask);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_HTTP_ENDPOINT_H_
