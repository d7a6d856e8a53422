#ifndef INTERNODE_CLIENT_LAUNCH_SLURM_QUEUE_H_
#define INTERNODE_CLIENT_LAUNCH_SLURM_QUEUE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace internode::launch {

// A job of ours that Slurm has not ended.
struct SlurmJob {
  // "17", or "17_3" for one of an array.
  std::string id;
  // Waits for a node; else it runs, or is being begun.
  bool pending = false;
  // Until Slurm ends it.
  absl::Duration left = absl::InfiniteDuration();
};

// What squeue is asked for.
std::vector<std::string> SqueueWords(absl::string_view job_name,
                                     absl::string_view user);

// What it answered: a line `ID|STATE|TIME_LEFT` per job. Jobs that are over, or
// nearly (COMPLETING), are left out. Errors (kInternal): another kind of line.
absl::StatusOr<std::vector<SlurmJob>> ParseSqueue(absl::string_view text);

}  // namespace internode::launch

#endif  // INTERNODE_CLIENT_LAUNCH_SLURM_QUEUE_H_
