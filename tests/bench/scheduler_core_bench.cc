// What the scheduler's core costs by itself, without the simulated world round
// it: a driver that answers each lease with a frame, and each frame with its
// commit. Figures with a whole world round it: tests/sim/run.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "scheduler/core/core.h"

namespace internode::scheduler::core {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

void BM_Submit(benchmark::State& state) {
  for (auto _ : state) {
    Core core{CoreOptions()};
    std::vector<Action> actions;
    core.Handle(kStart, JobSubmitted{{1}, state.range(0), 0, {}}, &actions);
    benchmark::DoNotOptimize(actions.data());
  }
}
BENCHMARK(BM_Submit)->Arg(10)->Arg(100'000'000);

// One job from its submission to its end, with so many workers that take turns,
// and frames of so many tasks of 10 ms. Prints the time for each task.
void BM_RunJob(benchmark::State& state) {
  const int64_t num_workers = state.range(0);
  const int64_t num_tasks = state.range(1);
  const int64_t tasks_per_frame = state.range(2);
  int64_t num_events = 0;
  for (auto _ : state) {
    Core core{CoreOptions()};
    std::vector<Action> actions;
    absl::Time now = kStart;
    std::deque<GrantLease> running;
    uint64_t next_frame = 1;
    const auto handle = [&](const Event& event) {
      actions.clear();
      core.Handle(now, event, &actions);
      ++num_events;
      for (const Action& action : actions) {
        if (const auto* grant = std::get_if<GrantLease>(&action)) {
          running.push_back(*grant);
        }
      }
    };
    handle(JobSubmitted{{1}, num_tasks, 0, {}});
    for (int64_t i = 1; i <= num_workers; ++i) {
      handle(WorkerJoined{{static_cast<uint64_t>(i)}, 1, 1, {}});
    }
    while (!running.empty()) {
      GrantLease lease = running.front();
      running.pop_front();
      const Interval tasks = {
          lease.tasks.begin,
          std::min(lease.tasks.end, lease.tasks.begin + tasks_per_frame)};
      const FrameId frame = {next_frame++};
      now += absl::Milliseconds(10 * tasks.size()) / num_workers;
      handle(FrameArrived{frame, lease.worker, 1, lease.lease, lease.job, tasks,
                          absl::Milliseconds(10) * tasks.size()});
      handle(FrameCommitted{frame});
      lease.tasks.begin = tasks.end;
      if (lease.tasks.size() > 0) running.push_back(lease);
    }
    if (core.Job({1})->done != num_tasks) {
      state.SkipWithError("the job did not end");
    }
  }
  state.SetItemsProcessed(state.iterations() * num_tasks);
  state.counters["ns_per_task"] = benchmark::Counter(
      static_cast<double>(state.iterations() * num_tasks) * 1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["ns_per_event"] = benchmark::Counter(
      static_cast<double>(num_events) * 1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_RunJob)
    ->Unit(benchmark::kMillisecond)
    ->Args({2, 1'000'000, 10})
    ->Args({1'000, 1'000'000, 10})
    ->Args({10'000, 10'000'000, 10})
    ->Args({10'000, 10'000'000, 50});

void BM_Heartbeat(benchmark::State& state) {
  Core core{CoreOptions()};
  std::vector<Action> actions;
  const auto num_workers = static_cast<uint64_t>(state.range(0));
  for (uint64_t i = 1; i <= num_workers; ++i) {
    core.Handle(kStart, WorkerJoined{{i}, 1, 1, {}}, &actions);
  }
  uint64_t i = 0;
  for (auto _ : state) {
    core.Handle(kStart, HeartbeatReceived{{++i % num_workers + 1}, 1, {}},
                &actions);
  }
}
BENCHMARK(BM_Heartbeat)->Arg(2)->Arg(10'000);

}  // namespace
}  // namespace internode::scheduler::core
