#include "tests/sim/world.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::sim {
namespace {

using namespace ::internode::scheduler::core;  // NOLINT(build/namespaces)

constexpr absl::Duration kGroupCommit = absl::Milliseconds(2);

// The CPU time of one in so many events is measured.
constexpr int64_t kMeasureEvery = 13;

// Of the numbers, well mixed (splitmix64, Steele, Lea and Flood 2014).
uint64_t Mix(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t x = a * 0x9e3779b97f4a7c15 + b * 0xbf58476d1ce4e5b9 + c;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double ToUnit(uint64_t x) {
  return (static_cast<double>(x >> 11) + 0.5) * 0x1p-53;
}

// The order of actions, and the numbers in them.
class Trace {
 public:
  explicit Trace(uint64_t* hash) : hash_(hash) {}

  void Add(uint64_t x) { *hash_ = Mix(*hash_, x, 1); }
  void Add(Interval tasks) {
    Add(static_cast<uint64_t>(tasks.begin));
    Add(static_cast<uint64_t>(tasks.end));
  }
  void Add(const Intervals& all) {
    for (const Interval& tasks : all) Add(tasks);
  }

  void operator()(const PersistJob& a) { Add(a.job.value); }
  void operator()(const PersistFailure& a) { Add(a.failure.tasks); }
  void operator()(const PersistRetry& a) { Add(a.job.value); }
  void operator()(const EraseJob& a) { Add(a.job.value); }
  void operator()(const AcceptFrame& a) { Add(a.fresh); }
  void operator()(const DropFrame& a) { Add(a.frame.value); }
  void operator()(const AckFrame& a) { Add(a.frame.value); }
  void operator()(const GrantLease& a) {
    Add(a.worker.value);
    Add(a.lease.value);
    Add(a.tasks);
  }
  void operator()(const TakeBack& a) {
    Add(a.lease.value);
    Add(a.tasks);
  }
  void operator()(const RevokeLease& a) {
    Add(a.lease.value);
    Add(a.tasks);
  }
  void operator()(const AnswerOffer& a) {
    Add(a.lease.value);
    Add(a.wanted);
  }
  void operator()(const DrainWorker& a) { Add(a.worker.value); }
  void operator()(const RestartProcess& a) { Add(a.worker.value); }
  void operator()(const CloseWorker& a) { Add(a.worker.value); }
  void operator()(const RejectJob& a) { Add(a.job.value); }
  void operator()(const NotifyJob& a) { Add(static_cast<uint64_t>(a.state)); }

 private:
  uint64_t* const hash_;
};

absl::Duration ThreadCpu() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

// What measuring nothing costs.
absl::Duration CostOfMeasuring() {
  constexpr int kRounds = 1000;
  const absl::Duration begin = ThreadCpu();
  for (int i = 0; i < kRounds; ++i) ThreadCpu();
  return (ThreadCpu() - begin) / kRounds;
}

absl::Time ToTime(absl::Duration since_start) {
  return absl::FromUnixSeconds(1'700'000'000) + since_start;
}

}  // namespace

World::World(const WorldOptions& options)
    : options_(options), random_(options.seed) {
  for (const JobSubmitted& job : options_.jobs) {
    DurableJob& durable = jobs_[job.job];
    durable.submission = job;
  }
  for (int64_t i = 0; i < options_.num_workers; ++i) {
    const double speed = 1 + options_.speed_spread * (2 * Uniform() - 1);
    workers_.push_back(std::make_unique<SimWorker>(this, static_cast<size_t>(i),
                                                   options_.slots, speed));
  }
}

World::~World() = default;

void World::At(absl::Duration when, std::function<void()> what) {
  queue_.push({when, next_order_++, std::move(what)});
}

absl::Duration World::Latency() {
  return absl::Microseconds(200) + absl::Microseconds(800) * Uniform();
}

absl::Duration World::Pause(double per_hour) {
  if (per_hour <= 0) return absl::InfiniteDuration();
  return absl::Hours(1) / per_hour * -std::log(1 - Uniform());
}

absl::Duration World::Work(JobId job, int64_t task) const {
  if (options_.constant_tasks) return options_.mean_task;
  const double unit =
      ToUnit(Mix(options_.seed, job.value, static_cast<uint64_t>(task)));
  return options_.mean_task * std::min(8.0, -std::log(unit));
}

bool World::IsPoison(int64_t task) const {
  const int64_t every = options_.faults.poison_every;
  return every > 0 && task % every == every / 2;
}

bool World::IsFlaky(JobId job, int64_t task) const {
  const double flaky = options_.faults.flaky_tasks;
  return flaky > 0 && ToUnit(Mix(options_.seed + 1, job.value,
                                 static_cast<uint64_t>(task))) < flaky;
}

void World::Send(absl::Duration delay, Event event) {
  At(now_ + delay, [this, life = life_, event = std::move(event)] {
    if (life == life_ && running_) Feed(event);
  });
}

void World::SendFrame(size_t worker, uint64_t key, absl::Duration delay,
                      FrameArrived frame) {
  At(now_ + delay, [this, life = life_, worker, key, frame] {
    if (life != life_ || !running_) return;
    FrameArrived arrived = frame;
    arrived.frame = {next_frame_++};
    sent_[arrived.frame] = {worker, key};
    Feed(arrived);
  });
}

void World::StartScheduler() {
  CoreOptions core = options_.core;
  core.incarnation = life_;
  core_ = std::make_unique<Core>(core);
  running_ = true;
  blocked_ = false;
  tick_at_ = absl::InfiniteDuration();
  for (const auto& [id, job] : jobs_) {
    if (life_ == 1) {
      Feed(job.submission);
    } else {
      Feed(JobRecovered{job.submission, job.state, job.done.intervals(),
                        job.failures});
    }
  }
}

void World::KillScheduler() {
  ++result_.num_restarts;
  ++life_;
  running_ = false;
  stopped_ = false;
  waiting_.clear();
  to_commit_.clear();
  commit_due_ = false;
  sent_.clear();
  for (const auto& worker : workers_) {
    worker->Deliver([w = worker.get()] { w->Disconnect(false); });
  }
  At(now_ + absl::Milliseconds(200), [this] { StartScheduler(); });
}

void World::Feed(const Event& event) {
  if (!status_.ok()) return;
  if (stopped_) {
    waiting_.push_back(event);
    return;
  }
  ++result_.num_events;
  actions_.clear();
  if (options_.measure_cpu && result_.num_events % kMeasureEvery == 0) {
    static const absl::Duration cost = CostOfMeasuring();
    const absl::Duration begin = ThreadCpu();
    core_->Handle(ToTime(now_), event, &actions_);
    result_.cpu += (ThreadCpu() - begin - cost) * kMeasureEvery;
  } else {
    core_->Handle(ToTime(now_), event, &actions_);
  }
  if (result_.num_events % options_.check_every == 0) Check();
  Trace trace(&result_.trace);
  for (const Action& action : actions_) {
    trace.Add(action.index());
    std::visit(trace, action);
    Perform(action);
  }
  ScheduleTick();
}

void World::ScheduleTick() {
  const absl::Time wakeup = core_->NextWakeup();
  if (wakeup == absl::InfiniteFuture()) return;
  const absl::Duration when = std::max(now_, wakeup - ToTime({}));
  if (tick_at_ <= when) return;
  tick_at_ = when;
  At(when, [this, life = life_, when] {
    if (life != life_ || !running_ || tick_at_ != when) return;
    tick_at_ = absl::InfiniteDuration();
    Feed(Tick{});
  });
}

void World::Perform(const Action& action) {
  const auto to_worker = [this](const auto& message) {
    SimWorker* const worker = workers_[message.worker.value - 1].get();
    At(now_ + absl::Microseconds(500), [worker, message] {
      worker->Deliver([worker, message] {
        if (worker->connected() && worker->epoch() == message.epoch) {
          worker->Receive(message);
        }
      });
    });
  };
  const auto acknowledge = [this](FrameId frame) {
    const auto it = sent_.find(frame);
    if (it == sent_.end()) return;
    const SentFrame sent = it->second;
    sent_.erase(it);
    SimWorker* const worker = workers_[sent.worker].get();
    At(now_ + absl::Microseconds(500), [worker, sent] {
      worker->Deliver([worker, sent] { worker->Acknowledge(sent.key); });
    });
  };
  if (const auto* grant = std::get_if<GrantLease>(&action)) {
    ++result_.num_leases;
    to_worker(*grant);
  } else if (const auto* ask = std::get_if<TakeBack>(&action)) {
    to_worker(*ask);
  } else if (const auto* revoke = std::get_if<RevokeLease>(&action)) {
    to_worker(*revoke);
  } else if (const auto* answer = std::get_if<AnswerOffer>(&action)) {
    to_worker(*answer);
  } else if (const auto* close = std::get_if<CloseWorker>(&action)) {
    to_worker(*close);
  } else if (const auto* accept = std::get_if<AcceptFrame>(&action)) {
    Accept(*accept);
  } else if (const auto* drop = std::get_if<DropFrame>(&action)) {
    ++result_.num_dropped_frames;
    acknowledge(drop->frame);
    if (drop->reason == DropFrame::Reason::kInvalid) Broken("frame refused");
  } else if (const auto* ack = std::get_if<AckFrame>(&action)) {
    acknowledge(ack->frame);
  } else if (const auto* failure = std::get_if<PersistFailure>(&action)) {
    jobs_[failure->job].failures.push_back(failure->failure);
    result_.num_failed_tasks += failure->failure.tasks.size();
  } else if (const auto* job = std::get_if<PersistJob>(&action)) {
    DurableJob& durable = jobs_[job->job];
    durable.state = job->state;
    if (IsTerminal(job->state) && !durable.ended) {
      durable.ended = true;
      ++num_ended_;
      result_.makespan = now_;
    }
  }
}

void World::Accept(const AcceptFrame& accept) {
  to_commit_.push_back(accept);
  if (commit_due_ || blocked_) return;
  commit_due_ = true;
  At(now_ + kGroupCommit, [this, life = life_] {
    if (life == life_ && running_) Commit();
  });
}

void World::Commit() {
  commit_due_ = false;
  if (blocked_) return;
  std::vector<AcceptFrame> frames;
  frames.swap(to_commit_);
  for (const AcceptFrame& frame : frames) {
    IntervalSet& done = jobs_[frame.job].done;
    for (const Interval& run : frame.fresh) {
      if (done.CountWithin(run) > 0) {
        Broken(absl::StrCat("task ", run.begin, " committed twice"));
      }
      done.Add(run);
    }
  }
  // A scheduler killed here has the frames, and has told nobody.
  At(now_ + absl::Microseconds(100),
     [this, life = life_, frames = std::move(frames)] {
       for (const AcceptFrame& frame : frames) {
         if (life == life_ && running_) Feed(FrameCommitted{frame.frame});
       }
     });
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
  repeat(options_.faults.spool_blocks, [this] {
    if (!running_ || blocked_) return;
    blocked_ = true;
    Feed(SpoolBlocked{"disk full"});
    At(now_ + absl::Seconds(1), [this, life = life_] {
      if (life != life_ || !running_) return;
      blocked_ = false;
      Feed(SpoolResumed{});
      if (!to_commit_.empty()) Commit();
    });
  });
  repeat(options_.faults.scheduler_stops, [this] {
    if (!running_ || stopped_) return;
    stopped_ = true;
    At(now_ + 2 * options_.core.worker_ttl, [this, life = life_] {
      if (life != life_) return;
      stopped_ = false;
      std::vector<Event> events;
      events.swap(waiting_);
      for (const Event& event : events) Feed(event);
    });
  });
}

void World::Check() {
  const absl::Status status = core_->CheckInvariants();
  if (!status.ok()) Broken(std::string(status.message()));
  for (const auto& [id, job] : jobs_) {
    if (const IntervalSet* done = core_->Done(id)) {
      result_.most_runs = std::max(result_.most_runs, done->num_intervals());
    }
  }
}

void World::Broken(const std::string& what) {
  if (!status_.ok()) return;
  status_ = absl::InternalError(absl::StrCat("at ", absl::FormatDuration(now_),
                                             ", event ", result_.num_events,
                                             ": ", what));
}

absl::Status World::Run() {
  life_ = 1;
  ScheduleFaults();
  StartScheduler();
  for (const auto& worker : workers_) worker->Start();
  while (status_.ok() && num_ended_ < jobs_.size()) {
    if (queue_.empty() || queue_.top().when > options_.limit) {
      std::string why;
      for (const JobInfo& job : core_->Jobs()) {
        absl::StrAppend(&why, "; job ", job.job.value, ": ",
                        core_->Explain(job.job).text);
      }
      return absl::DeadlineExceededError(absl::StrCat("a job hangs", why));
    }
    const Due due = queue_.top();
    queue_.pop();
    now_ = due.when;
    due.what();
  }
  INTERNODE_RETURN_IF_ERROR(status_);
  return CheckEnd();
}

absl::Status World::CheckEnd() {
  for (const auto& [id, job] : jobs_) {
    IntervalSet failed;
    for (const TaskFailure& failure : job.failures) {
      if (failed.CountWithin(failure.tasks) > 0 ||
          job.done.CountWithin(failure.tasks) > 0) {
        return absl::InternalError("a task ended twice");
      }
      failed.Add(failure.tasks);
      for (int64_t i = failure.tasks.begin; i < failure.tasks.end; ++i) {
        if (IsPoison(i) && failure.kind == TaskFailure::Kind::kPoisonous) {
          continue;
        }
        return absl::InternalError(
            absl::StrCat("task ", i, " failed: ", failure.message));
      }
    }
    const int64_t num_tasks = job.submission.num_tasks;
    if (job.done.size() + failed.size() != num_tasks) {
      return absl::InternalError("a task was lost");
    }
    const JobState expected = failed.empty() ? JobState::kCompleted
                                             : JobState::kCompletedWithFailures;
    if (job.state != expected) return absl::InternalError("wrong end");
  }
  Summarize();
  return absl::OkStatus();
}

void World::Summarize() {
  absl::Duration work;
  for (const auto& [id, job] : jobs_) {
    for (const Interval& run : job.done.intervals()) {
      for (int64_t i = run.begin; i < run.end; ++i) work += Work(id, i);
    }
  }
  double speed = 0;
  double speed_of_uptime = 0;
  absl::Duration starved;
  for (const auto& worker : workers_) {
    const double up =
        1 - std::min(1.0, absl::FDivDuration(worker->down(), result_.makespan));
    speed += worker->speed() * options_.slots;
    speed_of_uptime += worker->speed() * options_.slots * up;
    starved += worker->starved();
  }
  result_.ideal = work / speed;
  result_.ideal_of_uptime = work / speed_of_uptime;
  const double slots =
      static_cast<double>(options_.num_workers * options_.slots);
  result_.starved = absl::FDivDuration(starved, result_.makespan * slots);
}

}  // namespace internode::sim
