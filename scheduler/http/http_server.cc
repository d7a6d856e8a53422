#include "scheduler/http/http_server.h"

#include <httplib.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "http/metric_families.h"
#include "http/server.h"
#include "scheduler/http/metrics_text.h"
#include "scheduler/http/pages.h"

namespace internode::scheduler {
namespace {

// An engine that does not answer for so long is not well.
constexpr absl::Duration kAnswerWithin = absl::Seconds(5);

constexpr char kJson[] = "application/json";
constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr char kPrometheus[] = "text/plain; version=0.0.4; charset=utf-8";

// Waits for what `ask` is answered with.
template <typename Response, typename Ask>
absl::StatusOr<Response> Await(Ask ask) {
  struct Answer {
    absl::Notification come;
    absl::StatusOr<Response> response;
  };
  const auto answer = std::make_shared<Answer>();
  ask([answer](absl::StatusOr<Response> response) {
    answer->response = std::move(response);
    answer->come.Notify();
  });
  if (!answer->come.WaitForNotificationWithTimeout(kAnswerWithin)) {
    return absl::UnavailableError("the engine does not answer");
  }
  return std::move(answer->response);
}

std::string AccessMetricsText(const HttpOptions& options) {
  http::MetricFamilies all;
  all.Gauge("internode_insecure", options.open_to_strangers ? 1 : 0,
            "1 if whoever can connect may do everything.");
  all.Counter("internode_attempts_refused_total",
              options.gate == nullptr
                  ? 0
                  : static_cast<uint64_t>(options.gate->refused()),
              "Calls and requests without a right.");
  return all.Text();
}

void Refuse(const absl::Status& status, httplib::Response* response) {
  response->status = http::StatusOf(status);
  response->set_content(http::ErrorJson(status.message()), kJson);
}

class EngineServer final : public HttpServer {
 public:
  EngineServer(const HttpOptions& options, Engine* engine)
      : options_(options), engine_(engine) {}

  absl::Status Listen() {
    http::ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    server.names = options_.names;
    server.tls = options_.tls;
    server.paths =
        "/status, /metrics, /healthz, /readyz and "
        "/api/v1/{jobs,workers,cluster}";
    if (options_.asks_readers && options_.gate != nullptr) {
      server.admit = [gate = options_.gate](absl::string_view authorization,
                                            absl::string_view peer) {
        return gate->AdmitReader(authorization, peer);
      };
    }
    INTERNODE_ASSIGN_OR_RETURN(
        server_, http::Server::Start(server, [this](httplib::Server* routes) {
          Route(routes);
        }));
    return absl::OkStatus();
  }

  const std::string& url() const override { return server_->url(); }

 private:
  void Route(httplib::Server* server) {
    server->Get("/healthz", [this](const auto&, auto& out) { Health(&out); });
    server->Get("/readyz", [this](const auto&, auto& out) { Ready(&out); });
    server->Get("/metrics", [this](const auto&, auto& out) { Metrics(&out); });
    server->Get("/api/v1/jobs", [this](const auto&, auto& out) {
      Answer(Jobs(), JobsJson, &out);
    });
    server->Get(R"(/api/v1/jobs/([A-Za-z0-9]+))",
                [this](const httplib::Request& in, httplib::Response& out) {
                  Answer(Job(in.matches[1].str()), JobJson, &out);
                });
    server->Get("/api/v1/workers", [this](const auto&, auto& out) {
      Answer(Workers(), WorkersJson, &out);
    });
    server->Get("/api/v1/cluster", [this](const auto&, auto& out) {
      Answer(Cluster(), ClusterJson, &out);
    });
    server->Get("/", [this](const auto&, auto& out) { Status(&out); });
    server->Get("/status", [this](const auto&, auto& out) { Status(&out); });
  }

  absl::StatusOr<v1::GetClusterResponse> Cluster() {
    return Await<v1::GetClusterResponse>(
        [this](auto reply) { engine_->GetCluster(std::move(reply)); });
  }
  absl::StatusOr<v1::ListJobsResponse> Jobs() {
    return Await<v1::ListJobsResponse>(
        [this](auto reply) { engine_->ListJobs(std::move(reply)); });
  }
  absl::StatusOr<v1::JobInfo> Job(const std::string& id) {
    v1::GetJobRequest request;
    request.set_job_id(id);
    absl::StatusOr<v1::GetJobResponse> response = Await<v1::GetJobResponse>(
        [&](auto reply) { engine_->GetJob(request, std::move(reply)); });
    if (!response.ok()) return response.status();
    return std::move(*response->mutable_job());
  }
  absl::StatusOr<v1::ListWorkersResponse> Workers() {
    return Await<v1::ListWorkersResponse>(
        [this](auto reply) { engine_->ListWorkers(std::move(reply)); });
  }

  template <typename Response, typename Format>
  void Answer(const absl::StatusOr<Response>& response, Format format,
              httplib::Response* out) {
    if (!response.ok()) return Refuse(response.status(), out);
    out->set_content(format(*response), kJson);
  }

  void Health(httplib::Response* out) {
    const auto cluster = Cluster();
    if (!cluster.ok()) return Refuse(cluster.status(), out);
    out->set_content("ok\n", kText);
  }

  void Ready(httplib::Response* out) {
    const auto cluster = Cluster();
    if (!cluster.ok()) return Refuse(cluster.status(), out);
    if (cluster->not_ready().empty()) {
      out->set_content("ok\n", kText);
      return;
    }
    out->status = 503;
    out->set_content(cluster->not_ready() + "\n", kText);
  }

  void Metrics(httplib::Response* out) {
    const absl::StatusOr<EngineStats> stats = Await<EngineStats>(
        [this](auto reply) { engine_->GetStats(std::move(reply)); });
    if (!stats.ok()) return Refuse(stats.status(), out);
    out->set_content(MetricsText(*stats) + AccessMetricsText(options_),
                     kPrometheus);
  }

  void Status(httplib::Response* out) {
    const auto cluster = Cluster();
    const auto jobs = Jobs();
    const auto workers = Workers();
    for (const absl::Status& status :
         {cluster.status(), jobs.status(), workers.status()}) {
      if (!status.ok()) return Refuse(status, out);
    }
    out->set_content(StatusPage(*cluster, *jobs, *workers), kHtml);
  }

  const HttpOptions options_;
  Engine* const engine_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpOptions& options, Engine* engine) {
  auto server = std::make_unique<EngineServer>(options, engine);
  absl::Status listening = server->Listen();
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace internode::scheduler
