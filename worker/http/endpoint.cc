#include "worker/http/endpoint.h"

#include <httplib.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "security/token_list.h"

namespace internode::worker {
namespace {

// A daemon that does not answer for so long is not well.
constexpr absl::Duration kAnswerWithin = absl::Seconds(5);

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kPrometheus[] = "text/plain; version=0.0.4; charset=utf-8";

absl::StatusOr<DaemonFacts> Await(const AskFacts& ask) {
  struct Answer {
    absl::Notification come;
    DaemonFacts facts;
  };
  const auto answer = std::make_shared<Answer>();
  ask([answer](const DaemonFacts& facts) {
    answer->facts = facts;
    answer->come.Notify();
  });
  if (!answer->come.WaitForNotificationWithTimeout(kAnswerWithin)) {
    return absl::UnavailableError("the daemon does not answer");
  }
  return answer->facts;
}

// Read anew each time: a scrape comes every few seconds.
absl::Status Admit(const std::string& path, absl::string_view authorization) {
  if (!absl::ConsumePrefix(&authorization, "Bearer ")) {
    return absl::UnauthenticatedError("a token is needed");
  }
  std::ifstream file(path);
  if (!file) {
    return absl::UnavailableError("the list of tokens cannot be read");
  }
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  INTERNODE_ASSIGN_OR_RETURN(const security::TokenList tokens,
                             security::TokenList::Parse(text));
  INTERNODE_ASSIGN_OR_RETURN(const auto entry,
                             tokens.Check(authorization, absl::Now()));
  if (entry->second.role == security::Role::kWorker) {
    return absl::PermissionDeniedError("a worker's token may not read");
  }
  return absl::OkStatus();
}

void Route(httplib::Server* server, const AskFacts& ask) {
  using Format = std::function<void(const DaemonFacts&, httplib::Response*)>;
  const auto get = [server, &ask](const char* path, const Format& format) {
    server->Get(
        path, [ask, format](const httplib::Request&, httplib::Response& out) {
          const absl::StatusOr<DaemonFacts> facts = Await(ask);
          if (facts.ok()) return format(*facts, &out);
          out.status = 503;
          out.set_content(absl::StrCat(facts.status().message(), "\n"), kText);
        });
  };
  get("/healthz", [](const DaemonFacts&, httplib::Response* out) {
    out->set_content("ok\n", kText);
  });
  get("/readyz", [](const DaemonFacts& facts, httplib::Response* out) {
    const std::string why = NotReady(facts);
    if (!why.empty()) out->status = 503;
    out->set_content(absl::StrCat(why.empty() ? "ok" : why, "\n"), kText);
  });
  get("/metrics", [](const DaemonFacts& facts, httplib::Response* out) {
    out->set_content(MetricsText(facts), kPrometheus);
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<http::Server>> StartEndpoint(
    const EndpointOptions& options, AskFacts ask) {
  http::ServerOptions server;
  server.host = options.host;
  server.port = options.port;
  server.names = options.names;
  server.tls = options.tls;
  server.paths = "/metrics, /healthz and /readyz";
  if (!options.tokens.empty()) {
    server.admit = [path = options.tokens](absl::string_view authorization,
                                           absl::string_view /*peer*/) {
      return Admit(path, authorization);
    };
  }
  return http::Server::Start(
      server, [&ask](httplib::Server* routes) { Route(routes, ask); });
}

}  // namespace internode::worker
