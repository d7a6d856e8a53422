#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/sim/world.h"

// What the engine does round the core.

namespace internode::sim {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace)
using namespace ::internode::scheduler::core;

constexpr absl::Duration kGroupCommit = absl::Milliseconds(2);
constexpr absl::Duration kSlowCommit = absl::Milliseconds(300);
constexpr absl::Duration kToWorker = absl::Microseconds(500);

absl::Time ToTime(absl::Duration since_start) {
  return absl::FromUnixSeconds(1'700'000'000) + since_start;
}

}  // namespace

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
    ++result_.num_frames;
    Feed(arrived);
  });
}

void World::StartScheduler() {
  CoreOptions core = options_.core;
  core.incarnation = life_;
  core_ = std::make_unique<Core>(core);
  if (options_.measure_cpu) meter_.Start(core);
  running_ = true;
  blocked_ = false;
  tick_at_ = absl::InfiniteDuration();
  fairness_.Reset();
  for (const auto& [id, job] : jobs_) {
    if (!job.submitted || job.erased) continue;
    Feed(JobRecovered{job.job.submission, job.state, job.done.intervals(),
                      job.failures});
  }
  Recount();
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
  Recount();
}

void World::Recount() {
  moved_at_ = now_;
  for (const auto& worker : workers_) worker->Recount();
}

void World::Feed(const Event& event) {
  if (!status_.ok()) return;
  if (stopped_) {
    waiting_.push_back(event);
    return;
  }
  ++result_.num_events;
  actions_.clear();
  if (options_.measure_cpu) meter_.Handle(ToTime(now_), event);
  core_->Handle(ToTime(now_), event, &actions_);
  num_actions_ += static_cast<int64_t>(actions_.size());
  if (result_.num_events % options_.check_every == 0) Check();
  Watch(event);
  for (const Action& action : actions_) {
    trace_.Add(action);
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

void World::Acknowledge(FrameId frame) {
  const auto it = sent_.find(frame);
  if (it == sent_.end()) return;
  const SentFrame sent = it->second;
  sent_.erase(it);
  SimWorker* const worker = workers_[sent.worker].get();
  At(now_ + kToWorker, [worker, sent] {
    if (worker->out_of_reach()) return;
    worker->Deliver([worker, sent] { worker->Acknowledge(sent.key); });
  });
}

void World::Perform(const Action& action) {
  const auto to_worker = [this](const auto& message) {
    SimWorker* const worker = workers_[message.worker.value - 1].get();
    At(now_ + kToWorker, [worker, message] {
      if (worker->out_of_reach()) return;
      worker->Deliver([worker, message] {
        if (worker->connected() && worker->epoch() == message.epoch) {
          worker->Receive(message);
        }
      });
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
  } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
    to_worker(*drain);
  } else if (const auto* close = std::get_if<CloseWorker>(&action)) {
    to_worker(*close);
  } else if (const auto* accept = std::get_if<AcceptFrame>(&action)) {
    Accept(*accept);
  } else if (const auto* drop = std::get_if<DropFrame>(&action)) {
    ++result_.num_dropped_frames;
    Acknowledge(drop->frame);
    if (drop->reason == DropFrame::Reason::kInvalid) Broken("frame refused");
  } else if (const auto* ack = std::get_if<AckFrame>(&action)) {
    Acknowledge(ack->frame);
  } else if (const auto* failure = std::get_if<PersistFailure>(&action)) {
    jobs_[failure->job].failures.push_back(failure->failure);
    result_.num_failed_tasks += failure->failure.tasks.size();
  } else if (const auto* job = std::get_if<PersistJob>(&action)) {
    Persist(*job);
  } else if (const auto* erased = std::get_if<EraseJob>(&action)) {
    jobs_[erased->job].erased = true;
  } else if (const auto* reject = std::get_if<RejectJob>(&action)) {
    Broken(absl::StrCat("job refused: ", reject->message));
  }
}

void World::Persist(const PersistJob& job) {
  DurableJob& durable = jobs_[job.job];
  durable.submitted = true;
  durable.state = job.state;
  if (!IsTerminal(job.state) || durable.ended) return;
  durable.ended = true;
  ++num_ended_;
  result_.makespan = now_;
}

void World::Accept(const AcceptFrame& accept) {
  if (jobs_[accept.job].ended) Broken("a frame of an ended job is accepted");
  to_commit_.push_back(accept);
  if (commit_due_ || blocked_) return;
  commit_due_ = true;
  const absl::Duration commit = now_ < slow_until_ ? kSlowCommit : kGroupCommit;
  At(now_ + commit, [this, life = life_] {
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
  moved_at_ = now_;
  // A scheduler killed here has the frames, and has told nobody.
  At(now_ + absl::Microseconds(100),
     [this, life = life_, frames = std::move(frames)] {
       for (const AcceptFrame& frame : frames) {
         if (life == life_ && running_) Feed(FrameCommitted{frame.frame});
       }
     });
}

void World::LoseAccepted() {
  std::vector<AcceptFrame> frames;
  frames.swap(to_commit_);
  for (const AcceptFrame& frame : frames) {
    // The worker need not keep it: the tasks are run again.
    Acknowledge(frame.frame);
    Feed(FrameLost{frame.frame});
  }
}

}  // namespace internode::sim
