#ifndef INTERNODE_SCHEDULER_RPC_FETCH_CALL_H_
#define INTERNODE_SCHEDULER_RPC_FETCH_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/slice.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/mutex.h"
#include "core/interval_set.h"
#include "internode/v1/client.pb.h"
#include "scheduler/access/gate.h"
#include "scheduler/engine/engine.h"
#include "scheduler/engine/strand.h"
#include "scheduler/spool/spool_reader.h"

namespace internode::scheduler {

// One call of FetchFrames: asks the engine what is next, takes it from memory
// or reads it on a reader's strand, and sends it in pieces, without copying it.
// Holds a frame that is sent and about one that is next, however slowly the
// client reads. Keeps itself alive until OnDone. Thread-safe.
class FetchCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                        public std::enable_shared_from_this<FetchCall> {
 public:
  // `reader` outlives the server.
  FetchCall(Engine* engine, Gate* gate, Strand* reader,
            const v1::FetchFramesRequest& request);

  // Either, once, before the method's handler returns.
  void Start(const Caller& caller);
  void Refuse(const absl::Status& status);

 private:
  // What is to be sent: what is left of a frame, or a failure.
  struct Item {
    internode::core::Interval tasks;
    grpc::Slice frame;
    std::optional<v1::TaskFailure> failure;
  };

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Ends the call without what is queued.
  void Abandon(const absl::Status& status);
  // Finds out what is next, unless that is under way or enough is queued.
  void PrepareLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnStep(absl::StatusOr<FetchStep> step);
  void QueueLocked(Item item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // On the reader's strand: queues frames of `ready_`.
  void Read();
  absl::StatusOr<Item> ReadFrame(const FetchStep& step, int64_t task);
  // The frame that begins with `task`, if it is in memory and has at most
  // `most_bytes`.
  std::optional<Item> FindFrame(const FetchStep& step, int64_t task,
                                int64_t most_bytes) const;
  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Does what is next, unless a write is in flight.
  void ProceedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the next message off the queue, and returns it.
  grpc::ByteBuffer NextMessageLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Engine* const engine_;
  Gate* const gate_;
  uint64_t stream_ = 0;
  Strand* const reader_;
  const std::string job_id_;
  const int64_t end_task_;
  const bool done_only_;
  const uint64_t waiter_;
  std::shared_ptr<FetchCall> self_;
  // The reader strand's.
  std::unique_ptr<SpoolReader> spool_reader_;

  Mutex mu_;
  int64_t next_task_ ABSL_GUARDED_BY(mu_);
  // Where the wanted tasks end, once the engine has said so.
  std::optional<int64_t> last_task_ ABSL_GUARDED_BY(mu_);
  // Frames that can be read now.
  FetchStep ready_ ABSL_GUARDED_BY(mu_);
  std::deque<Item> queue_ ABSL_GUARDED_BY(mu_);
  int64_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // The engine or the reader is asked.
  bool preparing_ ABSL_GUARDED_BY(mu_) = false;
  // Nothing more is to be prepared.
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);
  // Read by gRPC while `writing_`.
  grpc::ByteBuffer written_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_RPC_FETCH_CALL_H_
