#include "scheduler/core/durations.h"

#include <algorithm>

namespace internode::scheduler::core {
namespace {

// What one task may take; longer ones count as this.
constexpr Nanos kLongestTask = int64_t{1} << 50;
constexpr int64_t kMostMeasured = int64_t{1} << 53;

// Older measurements lose half their weight when there are so many tasks that
// took so long in sum.
constexpr int64_t kTasksToRemember = 1 << 12;
constexpr Nanos kBusyToRemember = 64 * kSecond;

}  // namespace

void TaskDuration::Measure(int64_t tasks, Nanos busy) {
  tasks = std::clamp<int64_t>(tasks, 1, kMostMeasured);
  busy = std::clamp<Nanos>(busy, 0, MultiplyUpTo(tasks, kLongestTask, kNever));
  measured_ = std::min(measured_ + tasks, kMostMeasured);
  if ((tasks_ > kTasksToRemember && busy_ > kBusyToRemember) ||
      busy_ >= kNever / 2 || tasks_ >= kMostMeasured) {
    tasks_ = std::max<int64_t>(1, tasks_ / 2);
    busy_ /= 2;
  }
  tasks_ += tasks;
  busy_ = std::min(busy_ + busy, kNever);
  mean_ = std::max<Nanos>(1, busy_ / tasks_);
}

void Slowness::Measure(Nanos expected, Nanos busy) {
  // One long frame does not outweigh all others.
  constexpr Nanos kMost = 64 * kSecond;
  if (expected <= 0) return;
  busy = std::clamp<Nanos>(busy, 0, MultiplyUpTo(expected, 64, kNever));
  if (expected > kMost) {
    busy /= expected / kMost + 1;
    expected /= expected / kMost + 1;
  }
  if (expected_ > 16 * kSecond) {
    expected_ /= 2;
    busy_ /= 2;
  }
  expected_ += expected;
  busy_ += busy;
  units_ =
      std::clamp<int64_t>(busy_ * kUnit / expected_, kUnit / 16, kUnit * 64);
}

int64_t LeaseSize(const LeaseRequest& request) {
  const int64_t slots = std::max<int64_t>(1, request.slots);
  if (!request.duration.measured()) {
    return std::max<int64_t>(1, std::min(slots, request.waiting));
  }
  const int64_t one = std::max<int64_t>(
      1, MultiplyUpTo(request.duration.mean(), request.slowness_units, kNever) /
             Slowness::kUnit);
  const int64_t by_time = slots * request.target / one;
  const int64_t least = slots * request.least / one;
  const int64_t all_slots = std::max(slots, request.all_slots);
  const int64_t half_share =
      MultiplyUpTo(request.waiting, slots, kNever) / (2 * all_slots);
  const int64_t by_measure =
      std::max(slots, 16 * request.duration.num_measured());
  const int64_t size =
      std::min({by_time, std::max(half_share, least), by_measure});
  return std::max<int64_t>(1, std::min(size, request.waiting));
}

}  // namespace internode::scheduler::core
