#ifndef INTERNODE_TESTS_SIM_SCENARIO_H_
#define INTERNODE_TESTS_SIM_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "tests/sim/world_options.h"

namespace internode::sim {

// What the command line of tests/sim/run says.
struct Scenario {
  uint64_t seed = 1;
  int64_t num_workers = 100;
  int slots = 1;
  int64_t num_tasks = 100'000;
  int64_t num_jobs = 1;
  // A job is submitted so long after the one before.
  absl::Duration stagger = absl::ZeroDuration();
  // The jobs have so many different priorities, and durations of tasks that
  // differ by factors of 4.
  int num_priorities = 1;
  bool mixed = false;
  // So many more jobs are submitted, of as many tasks as each of the others,
  // and cancelled at some time; half of them are forgotten then.
  int64_t num_cancelled = 0;
  absl::Duration mean_task = absl::Milliseconds(10);
  absl::Duration frame_interval = absl::Milliseconds(100);
  // Speeds are spread evenly over 1 +- this.
  double speed_spread = 0.5;
  // "none", "light" or "heavy".
  std::string faults = "none";
  absl::Duration worker_ttl = absl::Seconds(30);
  int64_t check_every = 1;
};

// Null for an unknown name. Heavy: each process dies every three minutes, and
// as often something else befalls it; in a minute or two everything that can
// happen happens.
std::optional<Faults> FaultsNamed(absl::string_view name);

WorldOptions ToWorld(const Scenario& scenario);

// The command that runs it again.
std::string CommandLine(const Scenario& scenario);

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_SCENARIO_H_
