#ifndef INTERNODE_SCHEDULER_RPC_CLIENT_SERVICE_H_
#define INTERNODE_SCHEDULER_RPC_CLIENT_SERVICE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "internode/v1/client.grpc.pb.h"
#include "scheduler/access/gate.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/strand.h"

namespace internode::scheduler {

// The face that clients see: lets them in through the gate, hands what they ask
// to the engine (both outlive the server), and reads the spool for them on
// threads of its own. Thread-safe.
class ClientServiceImpl final
    : public v1::ClientService::WithRawCallbackMethod_FetchFrames<
          v1::ClientService::CallbackService> {
 public:
  ClientServiceImpl(Engine* engine, Gate* gate);
  // After the server has stopped.
  ~ClientServiceImpl() override;

  grpc::ServerUnaryReactor* GetCluster(
      grpc::CallbackServerContext* context,
      const v1::GetClusterRequest* request,
      v1::GetClusterResponse* response) override;
  grpc::ServerUnaryReactor* ListFunctions(
      grpc::CallbackServerContext* context,
      const v1::ListFunctionsRequest* request,
      v1::ListFunctionsResponse* response) override;
  grpc::ServerUnaryReactor* DescribeCube(
      grpc::CallbackServerContext* context,
      const v1::DescribeCubeRequest* request,
      v1::DescribeCubeResponse* response) override;
  grpc::ServerUnaryReactor* PlanJob(grpc::CallbackServerContext* context,
                                    const v1::PlanJobRequest* request,
                                    v1::PlanJobResponse* response) override;
  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* context,
                                      const v1::SubmitJobRequest* request,
                                      v1::SubmitJobResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::GetJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::JobInfo>* WatchJob(
      grpc::CallbackServerContext* context,
      const v1::WatchJobRequest* request) override;
  // As it is on the wire, so that frames need not be copied.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* FetchFrames(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ListFailures(
      grpc::CallbackServerContext* context,
      const v1::ListFailuresRequest* request,
      v1::ListFailuresResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::CancelJobResponse* response) override;
  grpc::ServerUnaryReactor* RetryJob(grpc::CallbackServerContext* context,
                                     const v1::RetryJobRequest* request,
                                     v1::RetryJobResponse* response) override;
  grpc::ServerUnaryReactor* ForgetJob(grpc::CallbackServerContext* context,
                                      const v1::ForgetJobRequest* request,
                                      v1::ForgetJobResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* ListWorkers(
      grpc::CallbackServerContext* context,
      const v1::ListWorkersRequest* request,
      v1::ListWorkersResponse* response) override;
  grpc::ServerUnaryReactor* DrainWorker(
      grpc::CallbackServerContext* context,
      const v1::DrainWorkerRequest* request,
      v1::DrainWorkerResponse* response) override;

 private:
  Engine* const engine_;
  Gate* const gate_;
  // Each fetch is read on one of these.
  std::vector<std::unique_ptr<Strand>> readers_;
  std::atomic<size_t> next_reader_ = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_RPC_CLIENT_SERVICE_H_
