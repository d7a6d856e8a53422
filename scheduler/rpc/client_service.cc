#include "scheduler/rpc/client_service.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/clock.h"
#include "rpc/byte_field.h"
#include "rpc/peer.h"
#include "rpc/status.h"
#include "scheduler/engine/submitted_job.h"
#include "scheduler/rpc/fetch_call.h"
#include "scheduler/rpc/watch_call.h"

namespace internode::scheduler {
namespace {

constexpr size_t kReaders = 2;
// A question to a worker is answered at the latest after this, …
constexpr absl::Duration kLongestQuestion = absl::Minutes(10);
// … and so long before its client gives up, so that it learns why.
constexpr absl::Duration kDeadlineMargin = absl::Milliseconds(100);

template <typename Response>
Reply<Response> FinishWith(grpc::ServerUnaryReactor* reactor,
                           Response* response) {
  return [reactor, response](absl::StatusOr<Response> result) {
    const absl::Status status = result.status();
    if (status.ok()) *response = *std::move(result);
    reactor->Finish(rpc::ToGrpc(status));
  };
}

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const absl::Time now = absl::Now();
  const absl::Time latest = now + kLongestQuestion;
  const absl::Time deadline = absl::FromChrono(context.deadline());
  if (deadline >= latest) return latest;
  return deadline - std::min(kDeadlineMargin, (deadline - now) / 4);
}

}  // namespace

ClientServiceImpl::ClientServiceImpl(Engine* engine) : engine_(engine) {
  readers_.reserve(kReaders);
  for (size_t i = 0; i < kReaders; ++i) {
    readers_.push_back(std::make_unique<Strand>(
        RealClock(),
        Strand::Hooks{.turn_end = [] {},
                      .next_wakeup = [] { return absl::InfiniteFuture(); }}));
    readers_.back()->Start();
  }
}

ClientServiceImpl::~ClientServiceImpl() = default;

grpc::ServerUnaryReactor* ClientServiceImpl::GetCluster(
    grpc::CallbackServerContext* context, const v1::GetClusterRequest* request,
    v1::GetClusterResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::Status checked = request->has_peer()
                                   ? rpc::CheckPeer(request->peer(), "client")
                                   : absl::OkStatus();
  if (!checked.ok()) {
    reactor->Finish(rpc::ToGrpc(checked));
  } else {
    engine_->GetCluster(FinishWith(reactor, response));
  }
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListFunctions(
    grpc::CallbackServerContext* context, const v1::ListFunctionsRequest*,
    v1::ListFunctionsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->ListFunctions(FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::DescribeCube(
    grpc::CallbackServerContext* context,
    const v1::DescribeCubeRequest* request,
    v1::DescribeCubeResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->DescribeCube(*request, DeadlineOf(*context),
                        FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::PlanJob(
    grpc::CallbackServerContext* context, const v1::PlanJobRequest* request,
    v1::PlanJobResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->PlanJob(*request, DeadlineOf(*context),
                   FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::SubmitJob(
    grpc::CallbackServerContext* context, const v1::SubmitJobRequest* request,
    v1::SubmitJobResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<SubmittedJob> job = CheckSubmission(*request);
  if (!job.ok()) {
    reactor->Finish(rpc::ToGrpc(job.status()));
  } else {
    engine_->SubmitJob(*std::move(job), FinishWith(reactor, response));
  }
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::GetJob(
    grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
    v1::GetJobResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->GetJob(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListJobs(
    grpc::CallbackServerContext* context, const v1::ListJobsRequest*,
    v1::ListJobsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->ListJobs(FinishWith(reactor, response));
  return reactor;
}

grpc::ServerWriteReactor<v1::JobInfo>* ClientServiceImpl::WatchJob(
    grpc::CallbackServerContext*, const v1::WatchJobRequest* request) {
  const auto call = std::make_shared<WatchCall>(engine_);
  call->Start(request->job_id());
  return call.get();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ClientServiceImpl::FetchFrames(
    grpc::CallbackServerContext*, const grpc::ByteBuffer* request) {
  v1::FetchFramesRequest parsed;
  const bool whole = rpc::FromByteBuffer(*request, &parsed);
  const auto call = std::make_shared<FetchCall>(
      engine_, readers_[next_reader_++ % kReaders].get(), parsed);
  if (whole) {
    call->Start();
  } else {
    call->Refuse(absl::InvalidArgumentError("the request cannot be read"));
  }
  return call.get();
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListFailures(
    grpc::CallbackServerContext* context,
    const v1::ListFailuresRequest* request,
    v1::ListFailuresResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->ListFailures(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::CancelJob(
    grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
    v1::CancelJobResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->CancelJob(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::RetryJob(
    grpc::CallbackServerContext* context, const v1::RetryJobRequest* request,
    v1::RetryJobResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->RetryJob(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ForgetJob(
    grpc::CallbackServerContext* context, const v1::ForgetJobRequest* request,
    v1::ForgetJobResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->ForgetJob(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::Explain(
    grpc::CallbackServerContext* context, const v1::ExplainRequest* request,
    v1::ExplainResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->Explain(*request, FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListWorkers(
    grpc::CallbackServerContext* context, const v1::ListWorkersRequest*,
    v1::ListWorkersResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->ListWorkers(FinishWith(reactor, response));
  return reactor;
}

grpc::ServerUnaryReactor* ClientServiceImpl::DrainWorker(
    grpc::CallbackServerContext* context, const v1::DrainWorkerRequest* request,
    v1::DrainWorkerResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  engine_->DrainWorker(*request, FinishWith(reactor, response));
  return reactor;
}

}  // namespace internode::scheduler
