#ifndef INTERNODE_CLIENT_LAUNCH_SLURM_SCRIPT_H_
#define INTERNODE_CLIENT_LAUNCH_SLURM_SCRIPT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace internode::launch {

// One worker of a scheduler as a job of Slurm.
struct SlurmJobSpec {
  // The jobs of one scheduler are found again by it.
  std::string job_name;
  int cpus = 1;
  // 0: the partition's default, and the worker looks itself.
  int64_t memory_bytes = 0;
  // Infinite: the partition's default.
  absl::Duration walltime = absl::InfiniteDuration();
  // Empty: Slurm's default.
  std::string partition;
  std::string account;
  std::string qos;
  // Where the jobs' logs go; empty: the folder in which they are submitted.
  std::string log_dir;
  // Further lines "#SBATCH …", and lines of the script before the worker.
  std::vector<std::string> directives;
  std::vector<std::string> prologue;

  // The program and what it is told, without the threads, the memory, the name.
  std::string worker_program;
  std::vector<std::string> worker_arguments;
  // Worker processes that share the cpus.
  int processes = 1;
};

// The batch script that runs `count` of them, as an array if there are several.
// The worker is told when its job ends, also where Slurm is too old to say.
// Errors (kInvalidArgument): a value that would break out of its line; fewer
// cpus than processes.
absl::StatusOr<std::string> SlurmScript(const SlurmJobSpec& spec, int count);

// The name for the jobs of the scheduler that `where`, an address or a file,
// names: "internode-" and what Slurm takes of it.
std::string SlurmJobName(absl::string_view where);

}  // namespace internode::launch

#endif  // INTERNODE_CLIENT_LAUNCH_SLURM_SCRIPT_H_
