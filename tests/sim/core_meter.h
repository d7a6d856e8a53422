#ifndef INTERNODE_TESTS_SIM_CORE_METER_H_
#define INTERNODE_TESTS_SIM_CORE_METER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/core.h"

namespace internode::sim {

// Measures the CPU time of the core: a second Core, which is given the same
// events in turns of many, as the engine does it; so the clock is read seldom,
// and the simulated world is not measured.
class CoreMeter {
 public:
  // The scheduler begins anew.
  void Start(const scheduler::core::CoreOptions& options);
  void Handle(absl::Time now, const scheduler::core::Event& event);

  // Of all events.
  absl::Duration Cpu();
  // That followed from all events.
  int64_t num_actions() const { return num_actions_; }

 private:
  void Flush();

  std::unique_ptr<scheduler::core::Core> core_;
  std::vector<std::pair<absl::Time, scheduler::core::Event>> events_;
  std::vector<scheduler::core::Action> actions_;
  int64_t num_actions_ = 0;
  absl::Duration cpu_;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_CORE_METER_H_
