#ifndef INTERNODE_SCHEDULER_ENGINE_METRICS_H_
#define INTERNODE_SCHEDULER_ENGINE_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace internode::scheduler {

// How often durations of different length occurred. Thread-safe.
class Histogram {
 public:
  // Upper bounds of the buckets in microseconds, each included; one more
  // bucket has what is longer.
  static constexpr std::array<int64_t, 13> kBoundsMicros = {
      10,     30,      100,     300,       1'000,     3'000,     10'000,
      30'000, 100'000, 300'000, 1'000'000, 3'000'000, 10'000'000};

  struct Counts {
    std::array<uint64_t, kBoundsMicros.size() + 1> buckets{};
    uint64_t count = 0;
    double sum_seconds = 0;
  };

  void Add(absl::Duration duration) {
    const int64_t nanos = absl::ToInt64Nanoseconds(duration);
    size_t bucket = 0;
    while (bucket < kBoundsMicros.size() &&
           nanos > kBoundsMicros[bucket] * 1000) {
      ++bucket;
    }
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_nanos_.fetch_add(nanos, std::memory_order_relaxed);
  }

  Counts counts() const {
    Counts counts;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      counts.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
      counts.count += counts.buckets[i];
    }
    counts.sum_seconds =
        1e-9 * static_cast<double>(sum_nanos_.load(std::memory_order_relaxed));
    return counts;
  }

 private:
  std::array<std::atomic<uint64_t>, kBoundsMicros.size() + 1> buckets_{};
  std::atomic<int64_t> sum_nanos_ = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_METRICS_H_
