#ifndef INTERNODE_SCHEDULER_RPC_WATCH_CALL_H_
#define INTERNODE_SCHEDULER_RPC_WATCH_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "internode/v1/client.pb.h"
#include "scheduler/access/gate.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/links.h"

namespace internode::scheduler {

// One call of WatchJob. Keeps only the latest state that was not sent, however
// slowly the client reads. Keeps itself alive until OnDone. Thread-safe.
class WatchCall final : public grpc::ServerWriteReactor<v1::JobInfo>,
                        public JobWatcher,
                        public std::enable_shared_from_this<WatchCall> {
 public:
  WatchCall(Engine* engine, Gate* gate)
      : engine_(engine), gate_(gate), watch_(engine->NewId()) {}

  // Once, before the method's handler returns.
  void Start(const Caller& caller, const std::string& job_id);

  void Update(const v1::JobInfo& info) override;
  void End(const absl::Status& status) override;

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Does what is next, unless a write is in flight.
  void ProceedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Engine* const engine_;
  Gate* const gate_;
  uint64_t stream_ = 0;
  const uint64_t watch_;
  std::shared_ptr<WatchCall> self_;

  Mutex mu_;
  // Read by gRPC while `writing_`.
  v1::JobInfo written_;
  std::optional<v1::JobInfo> latest_ ABSL_GUARDED_BY(mu_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_RPC_WATCH_CALL_H_
