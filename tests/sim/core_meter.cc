#include "tests/sim/core_meter.h"

#include <ctime>

namespace internode::sim {
namespace {

// What comes in within a group commit of 2 ms or so, at 200,000 events a
// second.
constexpr size_t kTurn = 512;

absl::Duration ThreadCpu() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

}  // namespace

void CoreMeter::Start(const scheduler::core::CoreOptions& options) {
  Flush();
  core_ = std::make_unique<scheduler::core::Core>(options);
}

void CoreMeter::Handle(absl::Time now, const scheduler::core::Event& event) {
  events_.emplace_back(now, event);
  if (events_.size() == kTurn) Flush();
}

absl::Duration CoreMeter::Cpu() {
  Flush();
  return cpu_;
}

void CoreMeter::Flush() {
  if (events_.empty()) return;
  const absl::Duration begin = ThreadCpu();
  for (const auto& [now, event] : events_) {
    actions_.clear();
    core_->Handle(now, event, &actions_);
    core_->NextWakeup();
    num_actions_ += static_cast<int64_t>(actions_.size());
  }
  cpu_ += ThreadCpu() - begin;
  events_.clear();
}

}  // namespace internode::sim
