#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "base/mutex.h"
#include "functions/job_plan.h"
#include "functions/registry.h"
#include "worker/engine/engine.h"

// What a worker costs per task besides the function itself: leases of one-pixel
// `noop` tasks in, acknowledged frames out. The argument is the number of
// slots.

namespace internode::worker {
namespace {

constexpr int64_t kTasks = int64_t{1} << 20;

absl::StatusOr<std::shared_ptr<const WorkerJob>> OpenNoop(
    const JobRequest& request) {
  const functions::Registry registry = functions::Registry::WithBuiltins();
  auto job = std::make_shared<WorkerJob>();
  absl::StatusOr<functions::JobPlan> plan = functions::MakeJobPlan(
      request.spec, functions::CubeOfShape(request.spec.shape), registry);
  if (!plan.ok()) return plan.status();
  job->plan = *std::move(plan);
  job->read = functions::ReadNothing();
  job->dim_names = {"y", "x"};
  return job;
}

// Runs the tasks of one lease, acknowledging each frame at once. Returns the
// bytes of their frames.
class Link {
 public:
  explicit Link(int slots)
      : states_(static_cast<size_t>(slots)),
        engine_({}, absl::MakeSpan(states_), OpenNoop, [this] {
          MutexLock lock(&mu_);
          woken_ = true;
        }) {
    engine_.Connect();
    engine_.Connected(int64_t{1} << 24);
    auto request = std::make_shared<JobRequest>();
    request->spec.function = "noop";
    request->spec.core_dims = {};
    request->spec.chunks = core::NoChunks();
    request->spec.shape = {{"y", 1 << 10}, {"x", 1 << 10}};
    request_ = std::move(request);
  }

  int64_t Run(int64_t tasks) {
    Lease lease;
    lease.job = 1;
    lease.lease = ++last_lease_;
    lease.tasks = {0, tasks};
    lease.request = request_;
    engine_.Handle(lease);
    int64_t bytes = 0;
    for (int64_t done = 0; done < tasks;) {
      {
        MutexLock lock(&mu_);
        mu_.Await([this] {
          mu_.AssertHeld();
          return woken_;
        });
        woken_ = false;
      }
      uint64_t last = 0;
      for (const Outgoing& outgoing : engine_.TakeOutgoing()) {
        const auto* frame = std::get_if<FrameToSend>(&outgoing);
        if (frame == nullptr) continue;
        done += frame->tasks.size();
        bytes += static_cast<int64_t>(frame->bytes->size());
        last = frame->sequence;
      }
      if (last > 0) engine_.Acknowledge(last);
    }
    return bytes;
  }

 private:
  Mutex mu_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<SlotState> states_;
  Engine engine_;
  std::shared_ptr<const JobRequest> request_;
  LeaseId last_lease_ = 0;
};

void BM_NoopTasks(benchmark::State& state) {
  Link link(static_cast<int>(state.range(0)));
  int64_t bytes = 0;
  for (auto _ : state) bytes += link.Run(kTasks);
  state.SetItemsProcessed(state.iterations() * kTasks);
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_NoopTasks)
    ->Arg(1)
    ->Arg(2)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// One task at a time: from its lease to its frame.
void BM_OneTask(benchmark::State& state) {
  Link link(1);
  for (auto _ : state) link.Run(1);
}
BENCHMARK(BM_OneTask)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace internode::worker
