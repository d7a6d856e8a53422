#include "client/remote/connection.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "rpc/channel.h"
#include "rpc/peer.h"
#include "rpc/status.h"

namespace internode::client {
namespace {

// How often a wait looks whether it should end.
constexpr absl::Duration kLookInterval = absl::Milliseconds(50);
// A scheduler that says nothing for so long, to a call that it should answer
// at once, is away.
constexpr absl::Duration kAttemptTimeout = absl::Seconds(60);
constexpr absl::Duration kFirstBackOff = absl::Milliseconds(50);
constexpr absl::Duration kMaxBackOff = absl::Seconds(5);

}  // namespace

std::string ShortReason(absl::string_view message) {
  for (const absl::string_view before :
       {"Failed to connect to remote host: ", "last error: ", "UNKNOWN: "}) {
    const size_t at = message.rfind(before);
    if (at != absl::string_view::npos) {
      message.remove_prefix(at + before.size());
      break;
    }
  }
  return std::string(message.substr(0, message.find('\n')));
}

absl::StatusOr<std::shared_ptr<Connection>> Connection::Open(Options options) {
  INTERNODE_ASSIGN_OR_RETURN(options.address,
                             rpc::ParseAddress(options.address));
  INTERNODE_ASSIGN_OR_RETURN(
      std::shared_ptr<const rpc::Credentials> credentials,
      rpc::Credentials::Create(options.security));
  INTERNODE_RETURN_IF_ERROR(credentials->CheckAddress(options.address));
  auto connection = absl::WrapUnique(
      new Connection(std::move(options), std::move(credentials)));
  INTERNODE_RETURN_IF_ERROR(connection->Handshake());
  return std::shared_ptr<Connection>(std::move(connection));
}

Connection::Connection(Options options,
                       std::shared_ptr<const rpc::Credentials> credentials)
    : options_(std::move(options)),
      credentials_(std::move(credentials)),
      channel_(rpc::NewChannel(options_.address, *credentials_)),
      stub_(v1::ClientService::NewStub(channel_)),
      random_(std::random_device()()) {}

Connection::~Connection() = default;

absl::Status Connection::Handshake() {
  v1::GetClusterRequest request;
  *request.mutable_peer() = rpc::LocalPeer();
  v1::GetClusterResponse response;
  CallLimits limits;
  limits.deadline = absl::Now() + options_.connect_timeout;
  absl::Status status =
      Call(&Stub::PrepareAsyncGetCluster, request, &response, limits);
  status = credentials_->Explain(options_.address, status);
  if (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) {
    return absl::Status(status.code(),
                        absl::StrCat("the scheduler at ", options_.address,
                                     " cannot be used: ", status.message()));
  }
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    return absl::UnavailableError(absl::StrCat(
        "no scheduler answers at ", options_.address, ": ",
        ShortReason(status.message()),
        "; start one with internode-scheduler, or a local cluster with "
        "--nprocs N"));
  }
  if (absl::IsUnimplemented(status)) {
    return absl::FailedPreconditionError(
        absl::StrCat("what listens at ", options_.address,
                     " is no scheduler of this version: ", status.message()));
  }
  INTERNODE_RETURN_IF_ERROR(status);
  shaken_ = true;
  return rpc::CheckPeer(response.scheduler(),
                        absl::StrCat("scheduler at ", options_.address));
}

void Connection::Close() { closed_ = true; }

absl::Status Connection::Interrupted(const CallLimits& limits) const {
  if (limits.cancel != nullptr && limits.cancel->load()) {
    return absl::CancelledError("cancelled");
  }
  if (closed_.load()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the executor of the scheduler at ", address(), " is closed"));
  }
  if (options_.check) INTERNODE_RETURN_IF_ERROR(options_.check());
  if (absl::Now() >= limits.deadline) {
    return absl::DeadlineExceededError(
        absl::StrCat("the deadline passed before the scheduler at ", address(),
                     " was through"));
  }
  return absl::OkStatus();
}

void Connection::Pause(absl::Duration duration) {
  MutexLock lock(&mu_);
  mu_.AwaitWithDeadline([] { return false; }, absl::Now() + duration);
}

bool Connection::Reconnected(absl::Duration duration) {
  const grpc_connectivity_state state = channel_->GetState(true);
  if (state == GRPC_CHANNEL_READY) {
    Pause(duration);
    return false;
  }
  channel_->WaitForStateChange(state,
                               absl::ToChronoTime(absl::Now() + duration));
  return channel_->GetState(false) == GRPC_CHANNEL_READY;
}

absl::Duration Connection::BackOff(int attempts) {
  const absl::Duration most =
      std::min(kMaxBackOff, kFirstBackOff * (1 << std::min(attempts, 10)));
  MutexLock lock(&mu_);
  return most * std::uniform_real_distribution<>(0.5, 1)(random_);
}

absl::Status Connection::Away(const absl::Status& broken) const {
  const absl::Status status = credentials_->Explain(address(), broken);
  return absl::UnavailableError(
      absl::StrCat("the scheduler at ", address(),
                   " is not available: ", ShortReason(status.message())));
}

void Connection::Await(grpc::ClientContext* context,
                       grpc::CompletionQueue* queue,
                       const std::atomic<bool>* cancel) const {
  CallLimits limits;
  limits.cancel = cancel;
  void* tag = nullptr;
  bool ok = false;
  while (queue->AsyncNext(&tag, &ok,
                          absl::ToChronoTime(absl::Now() + kLookInterval)) ==
         grpc::CompletionQueue::TIMEOUT) {
    if (!Interrupted(limits).ok()) context->TryCancel();
  }
  queue->Shutdown();
  while (queue->Next(&tag, &ok)) {
  }
}

absl::Status Connection::StatusOf(const grpc::Status& status) {
  const absl::Status result = rpc::FromGrpc(status);
  // What gRPC says of a scheduler that stops, or dies, in the middle.
  const bool broken =
      absl::IsCancelled(result) ||
      // Also when it is short of buffers.
      ((absl::IsInternal(result) || absl::IsResourceExhausted(result)) &&
       absl::StrContains(result.message(), "RST_STREAM")) ||
      (absl::IsUnknown(result) &&
       absl::StrContains(result.message(), "Stream removed"));
  return broken ? absl::UnavailableError("the connection broke") : result;
}

Connection::Retry::Retry(Connection* connection, const CallLimits& limits)
    : connection_(connection), limits_(limits), heard_(absl::Now()) {}

absl::Time Connection::Retry::AttemptDeadline() const {
  return std::min(limits_.deadline, absl::Now() + kAttemptTimeout);
}

void Connection::Retry::Progressed() {
  heard_ = absl::Now();
  attempts_ = 0;
}

absl::Status Connection::Retry::Ended(const absl::Status& status) {
  again_ = false;
  const absl::Status interrupted = connection_->Interrupted(limits_);
  const bool away =
      absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  if (!away) return status;
  if (!connection_->shaken_.load() && attempts_ == 0) {
    // What is wrong with TLS from the beginning does not pass by waiting.
    absl::Status why =
        connection_->credentials_->Explain(connection_->address(), status);
    if (absl::IsUnauthenticated(why)) return why;
  }
  // The reason of the last attempt says more than that time is up.
  if (absl::IsDeadlineExceeded(interrupted) && absl::IsUnavailable(status)) {
    return connection_->Away(status);
  }
  INTERNODE_RETURN_IF_ERROR(interrupted);
  const absl::Time give_up = heard_ + connection_->options_.patience;
  const absl::Time until = std::min(limits_.deadline, give_up);
  if (absl::Now() >= give_up) return connection_->Away(status);
  if (attempts_ == 2) {
    LogWarning(connection_->Away(status).message(), "; trying again for ",
               absl::FormatDuration(
                   absl::Trunc(until - absl::Now(), absl::Seconds(1))));
  }
  const absl::Time resume =
      std::min(until, absl::Now() + connection_->BackOff(attempts_++));
  while (absl::Now() < resume) {
    if (connection_->Reconnected(
            std::min(kLookInterval, resume - absl::Now()))) {
      break;
    }
    CallLimits others = limits_;
    others.deadline = absl::InfiniteFuture();
    INTERNODE_RETURN_IF_ERROR(connection_->Interrupted(others));
  }
  again_ = absl::Now() < until;
  return again_ ? status : connection_->Away(status);
}

}  // namespace internode::client
