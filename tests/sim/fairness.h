#ifndef INTERNODE_TESTS_SIM_FAIRNESS_H_
#define INTERNODE_TESTS_SIM_FAIRNESS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/info.h"

namespace internode::sim {

// Watches whether jobs of one priority that have tasks waiting are given equal
// slot time, so that none starves, and whether jobs of a lower priority get
// nothing meanwhile.
class Fairness {
 public:
  // What all workers together may hold in advance: so far apart may be what
  // jobs were given, besides half of it, since it is not known at first how
  // long a job's tasks take.
  explicit Fairness(absl::Duration slack) : slack_(slack) {}

  // A worker was given tasks of the job that take so long.
  void Given(scheduler::core::JobId job, absl::Duration work);
  // Looks at the jobs, after each event. What is wrong; empty if all is well.
  std::string Look(const std::vector<scheduler::core::JobInfo>& jobs);
  // The scheduler has begun anew, and knows nothing of what it gave.
  void Reset() { contests_.clear(); }

  // How many looks found jobs of one priority, or of several, that waited.
  int64_t num_contests() const { return num_contests_; }

 private:
  // Jobs of one priority that have had tasks waiting all the time since.
  struct Contest {
    std::map<scheduler::core::JobId, absl::Duration> given;
  };

  const absl::Duration slack_;
  std::map<int, Contest> contests_;
  // Since the last look.
  std::map<scheduler::core::JobId, absl::Duration> given_;
  int64_t num_contests_ = 0;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_FAIRNESS_H_
