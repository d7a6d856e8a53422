#include "scheduler/rpc/client_service.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/clock.h"
#include "rpc/byte_field.h"
#include "rpc/peer.h"
#include "rpc/status.h"
#include "scheduler/access/audit.h"
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

constexpr char kService[] = "/internode.v1.ClientService/";

template <typename Response>
Reply<Response> FinishWith(grpc::ServerUnaryReactor* reactor,
                           Response* response) {
  return [reactor, response](absl::StatusOr<Response> result) {
    const absl::Status status = result.status();
    if (status.ok()) *response = *std::move(result);
    reactor->Finish(rpc::ToGrpc(status));
  };
}

// Lets the caller in, and `ask` answer by the reply that it gets.
template <typename Response, typename Ask>
grpc::ServerUnaryReactor* Answer(Gate* gate, absl::string_view method,
                                 grpc::CallbackServerContext* context,
                                 Response* response, const Ask& ask) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::StatusOr<Caller> caller =
      gate->Admit(*context, absl::StrCat(kService, method));
  if (caller.ok()) {
    ask(*caller, FinishWith(reactor, response));
  } else {
    reactor->Finish(rpc::ToGrpc(caller.status()));
  }
  return reactor;
}

// A reply that says in the log what was done, and by whom, before it answers.
template <typename Response>
Reply<Response> Audited(absl::string_view action, const Caller& caller,
                        std::vector<std::pair<std::string, std::string>> facts,
                        Reply<Response> reply) {
  return [action = std::string(action), caller, facts = std::move(facts),
          reply = std::move(reply)](absl::StatusOr<Response> result) mutable {
    if constexpr (std::is_same_v<Response, v1::SubmitJobResponse>) {
      if (result.ok()) facts.insert(facts.begin(), {"job", result->job_id()});
    }
    Audit(action, caller, facts, result.status());
    reply(std::move(result));
  };
}

// A stream that is refused.
template <typename Response>
class RefusedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  static grpc::ServerWriteReactor<Response>* New(const absl::Status& status) {
    // Deletes itself when gRPC is done with it.
    return std::make_unique<RefusedStream>(status).release();
  }
  explicit RefusedStream(const absl::Status& status) {
    this->Finish(rpc::ToGrpc(status));
  }

 private:
  void OnDone() override { std::unique_ptr<RefusedStream>(this).reset(); }
};

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const absl::Time now = absl::Now();
  const absl::Time latest = now + kLongestQuestion;
  const absl::Time deadline = absl::FromChrono(context.deadline());
  if (deadline >= latest) return latest;
  return deadline - std::min(kDeadlineMargin, (deadline - now) / 4);
}

}  // namespace

ClientServiceImpl::ClientServiceImpl(Engine* engine, Gate* gate)
    : engine_(engine), gate_(gate) {
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
  return Answer(gate_, "GetCluster", context, response,
                [&](const Caller&, Reply<v1::GetClusterResponse> reply) {
                  const absl::Status checked =
                      request->has_peer()
                          ? rpc::CheckPeer(request->peer(), "client")
                          : absl::OkStatus();
                  if (!checked.ok()) return reply(checked);
                  engine_->GetCluster(std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListFunctions(
    grpc::CallbackServerContext* context, const v1::ListFunctionsRequest*,
    v1::ListFunctionsResponse* response) {
  return Answer(gate_, "ListFunctions", context, response,
                [&](const Caller&, auto reply) {
                  engine_->ListFunctions(std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::DescribeCube(
    grpc::CallbackServerContext* context,
    const v1::DescribeCubeRequest* request,
    v1::DescribeCubeResponse* response) {
  return Answer(
      gate_, "DescribeCube", context, response, [&](const Caller&, auto reply) {
        engine_->DescribeCube(*request, DeadlineOf(*context), std::move(reply));
      });
}

grpc::ServerUnaryReactor* ClientServiceImpl::PlanJob(
    grpc::CallbackServerContext* context, const v1::PlanJobRequest* request,
    v1::PlanJobResponse* response) {
  return Answer(
      gate_, "PlanJob", context, response, [&](const Caller&, auto reply) {
        engine_->PlanJob(*request, DeadlineOf(*context), std::move(reply));
      });
}

grpc::ServerUnaryReactor* ClientServiceImpl::SubmitJob(
    grpc::CallbackServerContext* context, const v1::SubmitJobRequest* request,
    v1::SubmitJobResponse* response) {
  return Answer(gate_, "SubmitJob", context, response,
                [&](const Caller& caller, Reply<v1::SubmitJobResponse> reply) {
                  const v1::JobSpec& spec = request->plan().spec();
                  reply = Audited("submit", caller,
                                  {{"function", spec.function()},
                                   {"cube", spec.cube_path()},
                                   {"name", request->policy().name()}},
                                  std::move(reply));
                  absl::StatusOr<SubmittedJob> job =
                      CheckSubmission(*request, caller.name);
                  if (!job.ok()) return reply(job.status());
                  engine_->SubmitJob(*std::move(job), std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::GetJob(
    grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
    v1::GetJobResponse* response) {
  return Answer(gate_, "GetJob", context, response,
                [&](const Caller&, auto reply) {
                  engine_->GetJob(*request, std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListJobs(
    grpc::CallbackServerContext* context, const v1::ListJobsRequest*,
    v1::ListJobsResponse* response) {
  return Answer(
      gate_, "ListJobs", context, response,
      [&](const Caller&, auto reply) { engine_->ListJobs(std::move(reply)); });
}

grpc::ServerWriteReactor<v1::JobInfo>* ClientServiceImpl::WatchJob(
    grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) {
  const absl::StatusOr<Caller> caller =
      gate_->Admit(*context, absl::StrCat(kService, "WatchJob"));
  if (!caller.ok()) return RefusedStream<v1::JobInfo>::New(caller.status());
  const auto call = std::make_shared<WatchCall>(engine_, gate_);
  call->Start(*caller, request->job_id());
  return call.get();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ClientServiceImpl::FetchFrames(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const absl::StatusOr<Caller> caller =
      gate_->Admit(*context, absl::StrCat(kService, "FetchFrames"));
  if (!caller.ok()) {
    return RefusedStream<grpc::ByteBuffer>::New(caller.status());
  }
  v1::FetchFramesRequest parsed;
  const bool whole = rpc::FromByteBuffer(*request, &parsed);
  const auto call = std::make_shared<FetchCall>(
      engine_, gate_, readers_[next_reader_++ % kReaders].get(), parsed);
  if (whole) {
    Audit("fetch", *caller,
          {{"job", parsed.job_id()},
           {"from_task", absl::StrCat(parsed.from_task())}},
          absl::OkStatus());
    call->Start(*caller);
  } else {
    call->Refuse(absl::InvalidArgumentError("the request cannot be read"));
  }
  return call.get();
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListFailures(
    grpc::CallbackServerContext* context,
    const v1::ListFailuresRequest* request,
    v1::ListFailuresResponse* response) {
  return Answer(gate_, "ListFailures", context, response,
                [&](const Caller&, auto reply) {
                  engine_->ListFailures(*request, std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::CancelJob(
    grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
    v1::CancelJobResponse* response) {
  return Answer(gate_, "CancelJob", context, response,
                [&](const Caller& caller, auto reply) {
                  engine_->CancelJob(*request,
                                     Audited("cancel", caller,
                                             {{"job", request->job_id()},
                                              {"reason", request->reason()}},
                                             std::move(reply)));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::RetryJob(
    grpc::CallbackServerContext* context, const v1::RetryJobRequest* request,
    v1::RetryJobResponse* response) {
  return Answer(gate_, "RetryJob", context, response,
                [&](const Caller& caller, auto reply) {
                  engine_->RetryJob(
                      *request,
                      Audited("retry", caller, {{"job", request->job_id()}},
                              std::move(reply)));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::ForgetJob(
    grpc::CallbackServerContext* context, const v1::ForgetJobRequest* request,
    v1::ForgetJobResponse* response) {
  return Answer(gate_, "ForgetJob", context, response,
                [&](const Caller& caller, auto reply) {
                  engine_->ForgetJob(
                      *request,
                      Audited("forget", caller, {{"job", request->job_id()}},
                              std::move(reply)));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::Explain(
    grpc::CallbackServerContext* context, const v1::ExplainRequest* request,
    v1::ExplainResponse* response) {
  return Answer(gate_, "Explain", context, response,
                [&](const Caller&, auto reply) {
                  engine_->Explain(*request, std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::ListWorkers(
    grpc::CallbackServerContext* context, const v1::ListWorkersRequest*,
    v1::ListWorkersResponse* response) {
  return Answer(gate_, "ListWorkers", context, response,
                [&](const Caller&, auto reply) {
                  engine_->ListWorkers(std::move(reply));
                });
}

grpc::ServerUnaryReactor* ClientServiceImpl::DrainWorker(
    grpc::CallbackServerContext* context, const v1::DrainWorkerRequest* request,
    v1::DrainWorkerResponse* response) {
  return Answer(gate_, "DrainWorker", context, response,
                [&](const Caller& caller, auto reply) {
                  engine_->DrainWorker(
                      *request, Audited("drain", caller,
                                        {{"worker", request->worker_id()}},
                                        std::move(reply)));
                });
}

}  // namespace internode::scheduler
