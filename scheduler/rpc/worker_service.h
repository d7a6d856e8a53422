#ifndef INTERNODE_SCHEDULER_RPC_WORKER_SERVICE_H_
#define INTERNODE_SCHEDULER_RPC_WORKER_SERVICE_H_

#include "internode/v1/worker.grpc.pb.h"
#include "rpc/server.h"
#include "scheduler/access/gate.h"
#include "scheduler/engine/engine.h"

namespace internode::scheduler {

// The face that workers see: lets them in through the gate, and hands their
// streams to the engine. Each stream of results adds to `buffers` what it may
// need. All outlive the server. Thread-safe.
class WorkerServiceImpl final : public v1::WorkerService::CallbackService {
 public:
  WorkerServiceImpl(Engine* engine, Gate* gate, rpc::BufferQuota* buffers)
      : engine_(engine), gate_(gate), buffers_(buffers) {}

  grpc::ServerBidiReactor<v1::WorkerMessage, v1::SchedulerMessage>* Control(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<v1::FrameMessage, v1::FrameAck>* Data(
      grpc::CallbackServerContext* context) override;

 private:
  Engine* const engine_;
  Gate* const gate_;
  rpc::BufferQuota* const buffers_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_RPC_WORKER_SERVICE_H_
