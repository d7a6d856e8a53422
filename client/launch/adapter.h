#ifndef INTERNODE_CLIENT_LAUNCH_ADAPTER_H_
#define INTERNODE_CLIENT_LAUNCH_ADAPTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "client/launch/slurm_queue.h"

namespace internode::launch {

// How many workers there are to be: between `least`, always, and `most`, while
// there is work for them.
struct AdaptRule {
  int least = 0;
  int most = 1;
  // Tasks that a worker runs at a time.
  int tasks_per_worker = 1;
  // A worker whose job ends within this takes no more work: another one is
  // submitted for it, so that it waits in the queue meanwhile.
  absl::Duration lead = absl::Seconds(60);
  // Without work for so long, workers above `least` are let go.
  absl::Duration idle_timeout = absl::Minutes(5);
  // After workers that did nothing before they were gone, the next ones are
  // submitted so much later, then after twice as long each time.
  absl::Duration first_delay = absl::Minutes(1);
  absl::Duration last_delay = absl::Minutes(30);
};

// What is to be done now.
struct AdaptStep {
  // Jobs to submit, jobs to take out of the queue, workers to drain.
  int submit = 0;
  std::vector<std::string> cancel;
  std::vector<std::string> drain;
  // Why nothing is submitted although workers are missing; or empty.
  std::string waits;
};

// Decides, from what the scheduler and Slurm say, how many workers are to come
// or go. It has no clock of its own. Thread-compatible.
class Adapter {
 public:
  explicit Adapter(const AdaptRule& rule) : rule_(rule) {}

  // `tasks_left`: of all jobs that have not ended; `tasks_done`: of all jobs,
  // which tells whether workers did anything; `jobs`: of ours that Slurm knows.
  // `now` does not go backwards.
  AdaptStep Next(absl::Time now, int64_t tasks_left, int64_t tasks_done,
                 const std::vector<SlurmJob>& jobs);

 private:
  int64_t Wanted(absl::Time now, int64_t tasks_left, int64_t staying);
  void NoteProgress(absl::Time now, int64_t tasks_done, int64_t present);
  void LetGo(int64_t surplus, bool idle, const std::vector<SlurmJob>& staying,
             AdaptStep* step) const;

  const AdaptRule rule_;
  absl::Time last_work_ = absl::InfiniteFuture();
  // Workers were submitted, and how many tasks were done by then.
  bool submitted_ = false;
  int64_t done_when_submitted_ = 0;
  absl::Duration delay_ = absl::ZeroDuration();
  absl::Time not_before_ = absl::InfinitePast();
};

}  // namespace internode::launch

#endif  // INTERNODE_CLIENT_LAUNCH_ADAPTER_H_
