#include "http/server.h"

#include <httplib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

#include "http/host_check.h"
#include "security/server_certificate.h"

namespace internode::http {
namespace {

constexpr size_t kThreads = 4;
constexpr time_t kKeepAliveSeconds = 5;
constexpr size_t kMostBodyBytes = 4096;

constexpr char kJson[] = "application/json";
constexpr char kText[] = "text/plain; charset=utf-8";

std::vector<std::string> NamesOf(const ServerOptions& options) {
  std::vector<std::string> names = options.names;
  names.push_back(options.host);
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) {
    names.emplace_back(name.data());
  }
  return names;
}

class HttplibServer final : public Server {
 public:
  explicit HttplibServer(const ServerOptions& options)
      : options_(options),
        names_(NamesOf(options)),
        server_(NewServer(options_)) {}

  ~HttplibServer() override {
    server_->stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(const std::function<void(httplib::Server*)>& route) {
    Configure();
    route(server_.get());
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
      const ServerOptions& options) {
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
        [this](const httplib::Request&, httplib::Response& response) {
          if (!response.body.empty()) return;
          response.set_content(
              ErrorJson(absl::StrCat("there is nothing here; there are ",
                                     options_.paths)),
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
    if (options_.admit == nullptr || request.path == "/healthz" ||
        request.path == "/readyz") {
      return true;
    }
    const absl::Status admitted = options_.admit(
        request.get_header_value("Authorization"),
        absl::StrCat(request.remote_addr, ":", request.remote_port));
    if (admitted.ok()) return true;
    response->status = StatusOf(admitted);
    response->set_content(ErrorJson(admitted.message()), kJson);
    if (response->status == 401) {
      // Browsers ask for a password then.
      response->set_header("WWW-Authenticate", "Basic realm=\"internode\"");
    }
    return false;
  }

  const ServerOptions options_;
  const std::vector<std::string> names_;
  std::string url_;
  const std::unique_ptr<httplib::Server> server_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options,
    const std::function<void(httplib::Server*)>& route) {
  auto server = std::make_unique<HttplibServer>(options);
  absl::Status listening = server->Listen(route);
  if (!listening.ok()) return listening;
  return server;
}

int StatusOf(const absl::Status& status) {
  return absl::IsNotFound(status)           ? 404
         : absl::IsInvalidArgument(status)  ? 400
         : absl::IsUnauthenticated(status)  ? 401
         : absl::IsPermissionDenied(status) ? 403
                                            : 503;
}

std::string ErrorJson(absl::string_view message) {
  return nlohmann::json{{"error", std::string(message)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace internode::http
