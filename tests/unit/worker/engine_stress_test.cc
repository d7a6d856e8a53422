#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "core/interval_set.h"
#include "tests/unit/worker/engine_testutil.h"
#include "worker/engine/engine.h"

namespace internode::worker {
namespace {

using core::Interval;

// Leases, take-backs, revocations and broken connections at random: at the end
// every task that the scheduler still wants has come, with the right bytes.
class EngineStressTest : public testing::TestWithParam<int> {};

TEST_P(EngineStressTest, LosesNothing) {
  constexpr int64_t kTasks = 20'000;
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  EngineOptions options;
  options.frame_bytes = 2000;
  options.buffer_bytes = 100'000;
  TestLink link({.slots = 3,
                 .num_tasks = kTasks,
                 .reads = GetParam() % 2 == 0,
                 .options = options,
                 .window_bytes = 20'000,
                 .acknowledge = false});
  // As the scheduler sees it.
  core::IntervalSet pending({0, kTasks});
  core::IntervalSet acknowledged;
  std::map<LeaseId, core::IntervalSet> leases;
  LeaseId last_lease = 0;
  size_t seen_frames = 0;
  size_t seen_returns = 0;
  const auto take = [&] {
    for (; seen_frames < link.frames.size(); ++seen_frames) {
      const FrameToSend& frame = link.frames[seen_frames];
      ASSERT_EQ(*frame.bytes, ExpectedFrame(frame.tasks));
      acknowledged.Add(frame.tasks);
      pending.Remove(frame.tasks);
      leases[frame.lease].Remove(frame.tasks);
      if (random() % 4 == 0) link.engine().Acknowledge(frame.sequence);
    }
    if (!link.frames.empty()) {
      link.engine().Acknowledge(link.frames.back().sequence);
    }
    for (; seen_returns < link.returned.size(); ++seen_returns) {
      const LeaseReturned& returned = link.returned[seen_returns];
      for (const Interval& run : returned.tasks) {
        ASSERT_TRUE(leases[returned.lease].ContainsAll(run));
        leases[returned.lease].Remove(run);
        pending.Add(run);
      }
    }
  };
  const auto reconnect = [&] {
    link.Await([](const TestLink&) { return true; });
    take();
    const std::vector<Offer> offers = link.Reconnect();
    seen_returns = link.returned.size();
    core::IntervalSet wanted;
    for (const auto& [lease, tasks] : leases) pending.Add(tasks);
    leases.clear();
    for (const Offer& offer : offers) {
      for (const Interval& run : offer.tasks) {
        wanted.Add(pending.Intersection(run));
      }
    }
    if (offers.empty()) return;
    leases[++last_lease] = wanted;
    pending.Remove(wanted);
    link.engine().Handle(
        OfferAnswer{1, last_lease, wanted.intervals(), link.request()});
  };
  ASSERT_TRUE(link.Await([&](const TestLink&) {
    take();
    if (testing::Test::HasFatalFailure()) return true;
    if (acknowledged.size() == kTasks) return true;
    if (const auto run = pending.TakeFront(1 + random() % 500)) {
      leases[++last_lease].Add(*run);
      link.Grant(last_lease, *run);
    }
    if (last_lease > 0 && random() % 8 == 0) {
      const LeaseId lease = 1 + random() % last_lease;
      const auto held = leases[lease].First();
      if (held.has_value()) {
        link.engine().Handle(TakeBack{1, lease, *held});
      }
    }
    if (random() % 64 == 0) reconnect();
    return false;
  }));
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineStressTest, testing::Range(0, 8));

}  // namespace
}  // namespace internode::worker
