#include "client/remote/health.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "client/remote/connection.h"
#include "client/remote/scheduler_address.h"
#include "rpc/channel.h"
#include "rpc/credentials.h"
#include "rpc/status.h"

namespace internode::client {
namespace {

constexpr char kMethod[] = "/grpc.health.v1.Health/Check";
// A HealthCheckResponse { status: SERVING }; the request, for the server as a
// whole, is empty.
constexpr char kServing[] = "\x08\x01";

absl::StatusOr<std::string> Ask(const std::shared_ptr<grpc::Channel>& channel,
                                absl::Time deadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(deadline));
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  grpc::ByteBuffer response;
  grpc::Status status;
  const grpc::Slice empty;
  const grpc::ByteBuffer nothing(&empty, 1);
  const auto call = stub.PrepareUnaryCall(&context, kMethod, nothing, &queue);
  call->StartCall();
  call->Finish(&response, &status, &context);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  INTERNODE_RETURN_IF_ERROR(rpc::FromGrpc(status));
  grpc::Slice slice;
  if (!response.TrySingleSlice(&slice).ok()) return "";
  return std::string(reinterpret_cast<const char*>(slice.begin()),
                     slice.size());
}

}  // namespace

absl::Status CheckHealth(const SetupOptions& options, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  INTERNODE_ASSIGN_OR_RETURN(const std::string named, AddressOf(options));
  INTERNODE_ASSIGN_OR_RETURN(const std::string address,
                             rpc::ParseAddress(named));
  INTERNODE_ASSIGN_OR_RETURN(
      const std::shared_ptr<const rpc::Credentials> credentials,
      rpc::Credentials::Create(SecurityOf(options)));
  INTERNODE_RETURN_IF_ERROR(credentials->CheckAddress(address));
  const std::shared_ptr<grpc::Channel> channel =
      rpc::NewChannel(address, *credentials);
  const absl::StatusOr<std::string> answer = Ask(channel, deadline);
  if (!answer.ok()) {
    const absl::Status why = credentials->Explain(address, answer.status());
    return absl::Status(why.code(),
                        absl::StrCat("no scheduler serves at ", address, ": ",
                                     ShortReason(why.message())));
  }
  if (*answer == kServing) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the scheduler at ", address, " does not serve now"));
}

}  // namespace internode::client
