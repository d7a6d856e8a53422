#ifndef INTERNODE_TESTS_SIM_TRACE_H_
#define INTERNODE_TESTS_SIM_TRACE_H_

#include <cstdint>
#include <variant>

#include "scheduler/core/action.h"

namespace internode::sim {

// Of the numbers, well mixed (splitmix64, Steele, Lea and Flood 2014).
inline uint64_t Mix(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t x = a * 0x9e3779b97f4a7c15 + b * 0xbf58476d1ce4e5b9 + c;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// A hash of actions, in order, and of the numbers in them.
class Trace {
 public:
  void Add(const scheduler::core::Action& action) {
    Add(action.index());
    std::visit(*this, action);
  }

  uint64_t hash() const { return hash_; }

  void operator()(const scheduler::core::PersistJob& a) { Add(a.job.value); }
  void operator()(const scheduler::core::PersistFailure& a) {
    Add(a.failure.tasks);
  }
  void operator()(const scheduler::core::PersistRetry& a) { Add(a.job.value); }
  void operator()(const scheduler::core::EraseJob& a) { Add(a.job.value); }
  void operator()(const scheduler::core::AcceptFrame& a) { Add(a.fresh); }
  void operator()(const scheduler::core::DropFrame& a) { Add(a.frame.value); }
  void operator()(const scheduler::core::AckFrame& a) { Add(a.frame.value); }
  void operator()(const scheduler::core::GrantLease& a) {
    Add(a.worker.value);
    Add(a.lease.value);
    Add(a.tasks);
  }
  void operator()(const scheduler::core::TakeBack& a) {
    Add(a.lease.value);
    Add(a.tasks);
  }
  void operator()(const scheduler::core::RevokeLease& a) {
    Add(a.lease.value);
    Add(a.tasks);
  }
  void operator()(const scheduler::core::AnswerOffer& a) {
    Add(a.lease.value);
    Add(a.wanted);
  }
  void operator()(const scheduler::core::DrainWorker& a) {
    Add(a.worker.value);
  }
  void operator()(const scheduler::core::RestartProcess& a) {
    Add(a.worker.value);
  }
  void operator()(const scheduler::core::CloseWorker& a) {
    Add(a.worker.value);
  }
  void operator()(const scheduler::core::RejectJob& a) { Add(a.job.value); }
  void operator()(const scheduler::core::NotifyJob& a) {
    Add(static_cast<uint64_t>(a.state));
  }

 private:
  void Add(uint64_t x) { hash_ = Mix(hash_, x, 1); }
  void Add(scheduler::core::Interval tasks) {
    Add(static_cast<uint64_t>(tasks.begin));
    Add(static_cast<uint64_t>(tasks.end));
  }
  void Add(const scheduler::core::Intervals& all) {
    for (const auto& tasks : all) Add(tasks);
  }

  uint64_t hash_ = 0;
};

}  // namespace internode::sim

#endif  // INTERNODE_TESTS_SIM_TRACE_H_
