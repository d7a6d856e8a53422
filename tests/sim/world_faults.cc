#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/sim/world.h"

// What clients do, and what goes wrong with the scheduler, the spool and the
// network.

namespace internode::sim {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace ::internode::scheduler::core;

// A client tries again so long after it found no scheduler.
constexpr absl::Duration kTryAgain = absl::Milliseconds(100);

}  // namespace

void World::Submit(JobId id) {
  DurableJob& job = jobs_[id];
  if (job.submitted) return;
  if (running_ && !stopped_) {
    Feed(job.job.submission);
    return;
  }
  At(now_ + kTryAgain, [this, id] { Submit(id); });
}

void World::Cancel(JobId id) {
  const DurableJob& job = jobs_[id];
  if (!running_ || stopped_ || !job.submitted) {
    At(now_ + kTryAgain, [this, id] { Cancel(id); });
    return;
  }
  if (!job.ended) {
    ++result_.num_cancelled_jobs;
    Feed(JobCancelled{id});
    if (!job.ended || core_->Job(id)->leased > 0) {
      Broken(absl::StrCat("job ", id.value, " goes on though cancelled"));
    }
  }
  if (job.job.forget) At(now_ + absl::Seconds(1), [this, id] { Forget(id); });
}

void World::Forget(JobId id) {
  if (!running_ || stopped_) {
    At(now_ + kTryAgain, [this, id] { Forget(id); });
    return;
  }
  Feed(JobForgotten{id});
}

void World::ScheduleFaults() {
  const auto repeat = [this](absl::Duration every, auto what) {
    if (every == absl::InfiniteDuration()) return;
    for (absl::Duration when = every * (0.5 + Uniform());
         when < absl::Seconds(1000) + 100 * every;
         when += every * (0.5 + Uniform())) {
      At(when, what);
    }
  };
  repeat(options_.faults.scheduler_restarts, [this] {
    if (running_) KillScheduler();
  });
  repeat(options_.faults.spool_blocks, [this] { BlockSpool(); });
  repeat(options_.faults.spool_slow,
         [this] { slow_until_ = now_ + absl::Seconds(5); });
  repeat(options_.faults.scheduler_stops, [this] { StopScheduler(); });
  repeat(options_.faults.partitions, [this] { Partition(); });
}

void World::BlockSpool() {
  if (!running_ || stopped_ || blocked_) return;
  blocked_ = true;
  if (Happens(0.5)) LoseAccepted();
  Feed(SpoolBlocked{"disk full"});
  Recount();
  At(now_ + absl::Seconds(1), [this, life = life_] {
    if (life != life_ || !running_) return;
    blocked_ = false;
    Feed(SpoolResumed{});
    if (!to_commit_.empty()) Commit();
    Recount();
  });
}

void World::StopScheduler() {
  if (!running_ || stopped_) return;
  stopped_ = true;
  Recount();
  At(now_ + 2 * options_.core.worker_ttl, [this, life = life_] {
    if (life != life_) return;
    stopped_ = false;
    std::vector<Event> events;
    events.swap(waiting_);
    for (const Event& event : events) Feed(event);
    Recount();
  });
}

void World::Partition() {
  const size_t num = workers_.size();
  const size_t size = (num + 9) / 10;
  const auto first =
      static_cast<size_t>(static_cast<double>(num - size + 1) * Uniform());
  const absl::Duration how_long = 2 * options_.core.worker_ttl * Uniform();
  for (size_t i = first; i < first + size; ++i) {
    workers_[i]->PutOutOfReach(how_long);
  }
}

void World::DrainOne(size_t worker) {
  if (running_ && !stopped_) Feed(DrainRequested{workers_[worker]->id()});
}

}  // namespace internode::sim
