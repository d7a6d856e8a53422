// Submissions as they come off the wire: what is accepted is kept as it is by
// the journal, each of its tasks has a place, and the scheduler's state machine
// runs it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "internode/v1/client.pb.h"
#include "scheduler/core/core.h"
#include "scheduler/engine/submitted_job.h"

namespace internode::scheduler {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// A worker is granted tasks of the job, delivers the first lease, and dies
// with the next; the job is cancelled.
void Run(const SubmittedJob& job) {
  core::Core core({});
  std::vector<core::Action> actions;
  const absl::Time start = absl::FromUnixSeconds(1'700'000'000);
  const auto handle = [&](const core::Event& event) {
    core.Handle(start, event, &actions);
    Require(core.CheckInvariants().ok());
  };
  handle(core::JobSubmitted{{1}, job.num_tasks, job.priority, job.policies});
  handle(core::WorkerJoined{{7}, 1, 3, {}});
  const std::vector<core::Action> first = actions;
  uint64_t frame = 0;
  for (const core::Action& action : first) {
    Require(!std::holds_alternative<core::RejectJob>(action));
    const auto* grant = std::get_if<core::GrantLease>(&action);
    if (grant == nullptr) continue;
    Require(grant->tasks.begin >= 0 && grant->tasks.end <= job.num_tasks);
    handle(core::FrameArrived{{++frame},
                              {7},
                              1,
                              grant->lease,
                              {1},
                              grant->tasks,
                              absl::Milliseconds(1)});
    handle(core::FrameCommitted{{frame}});
  }
  Require(job.num_tasks == 0 || frame > 0);
  handle(core::ProcessDied{{7}, 1, "killed", {}});
  handle(core::JobCancelled{{1}});
  Require(core::IsTerminal(core.Job({1})->state));
}

void Check(const SubmittedJob& job) {
  Require(job.num_tasks >= 0 && job.num_tasks <= core::kMostTasks);
  Require(job.num_pixels >= 0 && job.record_bytes >= 0);
  Require(job.owner == "fuzz");
  for (const int64_t task :
       {int64_t{0}, job.num_tasks / 3, job.num_tasks - 1}) {
    if (task >= 0 && task < job.num_tasks) (void)job.LocationOf(task);
  }
  const absl::StatusOr<SubmittedJob> stored = ParseStoredJob(job.bytes);
  Require(stored.ok());
  Require(stored->num_tasks == job.num_tasks);
  Require(stored->num_pixels == job.num_pixels);
  Require(stored->record_bytes == job.record_bytes);
  Require(stored->request_id == job.request_id);
  Require(stored->priority == job.priority);
  Require(stored->policies == job.policies);
}

}  // namespace
}  // namespace internode::scheduler

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace scheduler = internode::scheduler;
  if (size > 1 << 16) return 0;
  internode::v1::SubmitJobRequest request;
  if (request.ParseFromArray(data, static_cast<int>(size))) {
    const absl::StatusOr<scheduler::SubmittedJob> job =
        scheduler::CheckSubmission(request, "fuzz");
    if (job.ok()) {
      scheduler::Check(*job);
      scheduler::Run(*job);
    } else {
      scheduler::Require(job.status().code() ==
                         absl::StatusCode::kInvalidArgument);
    }
  }
  // A damaged journal.
  (void)scheduler::ParseStoredJob({reinterpret_cast<const char*>(data), size})
      .ok();
  return 0;
}
