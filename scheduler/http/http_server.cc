#include "scheduler/http/http_server.h"

#include <httplib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

#include "scheduler/http/host_check.h"
#include "scheduler/http/metrics_text.h"
#include "scheduler/http/pages.h"
#include "security/server_certificate.h"

namespace internode::scheduler {
namespace {

constexpr size_t kThreads = 4;
constexpr time_t kKeepAliveSeconds = 5;
constexpr size_t kMostBodyBytes = 4096;
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

std::vector<std::string> NamesOf(const HttpOptions& options) {
  std::vector<std::string> names = options.names;
  names.push_back(options.host);
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) {
    names.emplace_back(name.data());
  }
  return names;
}

std::string AccessMetricsText(const HttpOptions& options) {
  return absl::StrCat(
      "# HELP internode_insecure 1 if whoever can connect may do everything\n"
      "# TYPE internode_insecure gauge\n"
      "internode_insecure ",
      options.open_to_strangers ? 1 : 0,
      "\n"
      "# HELP internode_attempts_refused_total Calls and requests without a "
      "right\n"
      "# TYPE internode_attempts_refused_total counter\n"
      "internode_attempts_refused_total ",
      options.gate == nullptr ? 0 : options.gate->refused(), "\n");
}

void Refuse(const absl::Status& status, httplib::Response* response) {
  response->status = absl::IsNotFound(status)           ? 404
                     : absl::IsInvalidArgument(status)  ? 400
                     : absl::IsUnauthenticated(status)  ? 401
                     : absl::IsPermissionDenied(status) ? 403
                                                        : 503;
  response->set_content(ErrorJson(std::string(status.message())), kJson);
}

class HttplibServer final : public HttpServer {
 public:
  HttplibServer(const HttpOptions& options, Engine* engine)
      : options_(options),
        engine_(engine),
        names_(NamesOf(options)),
        server_(NewServer(options_)) {}

  ~HttplibServer() override {
    server_->stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen() {
    Configure();
    Route();
    const int port = options_.port == 0
                         ? server_->bind_to_any_port(options_.host)
                         : (server_->bind_to_port(options_.host, options_.port)
                                ? options_.port
                                : -1);
    if (port <= 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot listen on ", options_.host, ":", options_.port,
          " for HTTP: the port is taken or the address is not this "
          "machine's; choose another with --http, port 0 for any free one, or "
          "off"));
    }
    const bool v6 = options_.host.find(':') != std::string::npos;
    url_ =
        absl::StrCat(options_.tls.certificate.empty() ? "http" : "https", "://",
                     v6 ? "[" : "", options_.host, v6 ? "]" : "", ":", port);
    thread_ = std::thread([this] {
      server_->listen_after_bind();
      ended_ = true;
    });
    // A stop before it runs would be missed.
    while (!server_->is_running() && !ended_) std::this_thread::yield();
    return absl::OkStatus();
  }

  const std::string& url() const override { return url_; }

 private:
  static std::unique_ptr<httplib::Server> NewServer(
      const HttpOptions& options) {
    if (options.tls.certificate.empty()) {
      return std::make_unique<httplib::Server>();
    }
    return std::make_unique<httplib::SSLServer>([&options](SSL_CTX& context) {
      return security::ServeCertificate(&context, &options.tls);
    });
  }

  void Configure() {
    server_->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_->set_keep_alive_timeout(kKeepAliveSeconds);
    server_->set_read_timeout(kKeepAliveSeconds);
    server_->set_write_timeout(kKeepAliveSeconds);
    server_->set_payload_max_length(kMostBodyBytes);
    // A second server on the port must fail, not share it.
    server_->set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_->set_default_headers(
        {{"X-Content-Type-Options", "nosniff"},
         {"X-Frame-Options", "DENY"},
         {"Referrer-Policy", "no-referrer"},
         {"Cross-Origin-Resource-Policy", "same-origin"},
         {"Cache-Control", "no-store"},
         {"Content-Security-Policy",
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
          "form-action 'none'; frame-ancestors 'none'"}});
    // Before it matters which method and path it is.
    server_->set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          return IsAllowed(request, &response)
                     ? httplib::Server::HandlerResponse::Unhandled
                     : httplib::Server::HandlerResponse::Handled;
        });
    server_->set_error_handler(
        [](const httplib::Request&, httplib::Response& response) {
          if (!response.body.empty()) return;
          response.set_content(ErrorJson("there is nothing here; there are "
                                         "/status, /metrics, /healthz, "
                                         "/readyz and /api/v1/{jobs,workers,"
                                         "cluster}"),
                               kJson);
        });
  }

  bool IsAllowed(const httplib::Request& request, httplib::Response* response) {
    const std::string host = request.get_header_value("Host");
    if (!IsOurHost(host, names_) ||
        !IsOurOrigin(request.get_header_value("Origin"), host)) {
      response->status = 403;
      response->set_content("this is not the host that was asked for\n", kText);
      return false;
    }
    if (!options_.asks_readers || options_.gate == nullptr ||
        request.path == "/healthz" || request.path == "/readyz") {
      return true;
    }
    const absl::Status admitted = options_.gate->AdmitReader(
        request.get_header_value("Authorization"),
        absl::StrCat(request.remote_addr, ":", request.remote_port));
    if (admitted.ok()) return true;
    Refuse(admitted, response);
    if (response->status == 401) {
      // Browsers ask for a password then.
      response->set_header("WWW-Authenticate", "Basic realm=\"internode\"");
    }
    return false;
  }

  void Route() {
    server_->Get("/healthz", [this](const auto&, auto& out) { Health(&out); });
    server_->Get("/readyz", [this](const auto&, auto& out) { Ready(&out); });
    server_->Get("/metrics", [this](const auto&, auto& out) { Metrics(&out); });
    server_->Get("/api/v1/jobs", [this](const auto&, auto& out) {
      Answer(Jobs(), JobsJson, &out);
    });
    server_->Get(R"(/api/v1/jobs/([A-Za-z0-9]+))",
                 [this](const httplib::Request& in, httplib::Response& out) {
                   Answer(Job(in.matches[1].str()), JobJson, &out);
                 });
    server_->Get("/api/v1/workers", [this](const auto&, auto& out) {
      Answer(Workers(), WorkersJson, &out);
    });
    server_->Get("/api/v1/cluster", [this](const auto&, auto& out) {
      Answer(Cluster(), ClusterJson, &out);
    });
    server_->Get("/", [this](const auto&, auto& out) { Status(&out); });
    server_->Get("/status", [this](const auto&, auto& out) { Status(&out); });
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
  const std::vector<std::string> names_;
  std::string url_;
  const std::unique_ptr<httplib::Server> server_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpOptions& options, Engine* engine) {
  auto server = std::make_unique<HttplibServer>(options, engine);
  const absl::Status listening = server->Listen();
  if (!listening.ok()) return listening;
  return server;
}

}  // namespace internode::scheduler
