#include "rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace internode::rpc {
namespace {

void SetChannelArguments(const ServerOptions& options,
                         grpc::ServerBuilder* builder) {
  if (options.buffers != nullptr) {
    builder->SetResourceQuota(options.buffers->quota());
  }
  builder->SetMaxReceiveMessageSize(options.max_message_bytes);
  builder->SetMaxSendMessageSize(kMaxMessageBytes);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              options.max_streams);
  // A second server on the port must fail, not share it.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  // Who connects and says nothing is not waited for.
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20000);
}

}  // namespace

BufferQuota::BufferQuota(int64_t bytes) : quota_("internode"), bytes_(bytes) {
  quota_.Resize(static_cast<size_t>(bytes));
}

void BufferQuota::Add(int64_t bytes) {
  MutexLock lock(&mu_);
  bytes_ += bytes;
  quota_.Resize(static_cast<size_t>(bytes_));
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options, const std::vector<grpc::Service*>& services) {
  grpc::EnableDefaultHealthCheckService(true);
  if (options.reflection) {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  }
  const std::string host = absl::StrContains(options.host, ":") &&
                                   !absl::StartsWith(options.host, "[")
                               ? absl::StrCat("[", options.host, "]")
                               : options.host;
  const std::string wanted = absl::StrCat(host, ":", options.port);
  int bound = 0;
  grpc::ServerBuilder builder;
  SetChannelArguments(options, &builder);
  builder.AddListeningPort(wanted,
                           options.credentials != nullptr
                               ? options.credentials
                               : grpc::InsecureServerCredentials(),
                           &bound);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot listen on ", wanted,
        ": the port is taken or the address is not this machine's; choose "
        "another with --port, or 0 for any free one"));
  }
  return absl::WrapUnique(
      new Server(std::move(server), absl::StrCat(host, ":", bound), bound));
}

Server::Server(std::unique_ptr<grpc::Server> server, std::string address,
               int port)
    : server_(std::move(server)), address_(std::move(address)), port_(port) {}

Server::~Server() { Stop(absl::Now()); }

void Server::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::Stop(absl::Time deadline) {
  server_->Shutdown(absl::ToChronoTime(deadline));
  server_->Wait();
}

}  // namespace internode::rpc
