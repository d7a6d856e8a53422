#ifndef INTERNODE_TESTS_SIM_SCENARIO_H_
#define INTERNODE_TESTS_SIM_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "tests/sim/world.h"

namespace internode::sim {

// What the command line of tests/sim/run says.
struct Scenario {
  uint64_t seed = 1;
  int64_t num_workers = 100;
  int slots = 1;
  int64_t num_tasks = 100'000;
  int64_t num_jobs = 1;
  absl::Duration mean_task = absl::Milliseconds(10);
  // Speeds are spread evenly over 1 +- this.
  double speed_spread = 0.5;
  // "none", "light" or "heavy".
  std::string faults = "none";
  int64_t check_every = 1;
};

// Null for an unknown name. Heavy: for a world of a minute or so, everything
// that can happen happens.
std::optional<Faults> FaultsNamed(absl::string_view name);

WorldOptions ToWorld(const Scenario& scenario);

// The command that runs it again.
std::string CommandLine(const Scenario& scenario);

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_SCENARIO_H_
