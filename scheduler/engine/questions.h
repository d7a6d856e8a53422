#ifndef INTERNODE_SCHEDULER_ENGINE_QUESTIONS_H_
#define INTERNODE_SCHEDULER_ENGINE_QUESTIONS_H_

#include <cstdint>
#include <functional>
#include <map>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "internode/v1/worker.pb.h"
#include "scheduler/core/ids.h"

namespace internode::scheduler {

// What clients ask and workers answer: a cube, a plan. A question goes to the
// worker that has the fewest, to another one if that one is lost, and waits
// where there is none. Thread-compatible.
class Questions {
 public:
  using Reply = absl::AnyInvocable<void(absl::StatusOr<v1::Answer>)>;
  using Send = std::function<void(core::WorkerId, const v1::Question&)>;

  // How many workers may be lost over one question: it may be its fault.
  static constexpr int kMostLosses = 3;
  // Questions at a time.
  static constexpr size_t kMostQuestions = 10'000;

  explicit Questions(Send send) : send_(std::move(send)) {}

  // `reply` is called once, at `deadline` at the latest. Errors: what the
  // worker says; kUnavailable (no worker is connected, or too many were lost),
  // kDeadlineExceeded, kResourceExhausted (too many questions).
  void Ask(v1::Question question, absl::Time deadline, Reply reply);

  void AddWorker(core::WorkerId worker);
  void RemoveWorker(core::WorkerId worker);
  // An answer to a question that this worker was not asked changes nothing.
  void Answered(core::WorkerId worker, v1::Answer answer);

  // Ends all, and what is asked later, with `status`.
  void Close(const absl::Status& status);

  // Ends what is due. Call it at NextDeadline.
  void Expire(absl::Time now);
  absl::Time NextDeadline() const;

 private:
  struct Pending {
    v1::Question question;
    absl::Time deadline;
    Reply reply;
    // Who was asked; 0: nobody.
    core::WorkerId worker;
    int losses = 0;
  };

  void Assign(Pending* pending);
  void Finish(uint64_t id, absl::StatusOr<v1::Answer> answer);

  const Send send_;
  absl::Status closed_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Pending> pending_;
  // By worker: the questions that it was asked.
  std::map<core::WorkerId, int64_t> workers_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_QUESTIONS_H_
