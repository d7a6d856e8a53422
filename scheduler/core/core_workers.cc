#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "scheduler/core/core.h"

// What workers, and those who watch them, tell.

namespace internode::scheduler::core {
namespace {

// For how long, and for how many workers, it is known what they held: until
// the report comes of how they died.
constexpr Nanos kRememberDeparted = 60 * kSecond;
constexpr size_t kMostDeparted = 20'000;

}  // namespace

WorkerRecord* Core::Session(WorkerId worker, Epoch epoch) {
  const auto it = workers_.find(worker);
  if (it == workers_.end() || it->second->epoch != epoch) return nullptr;
  WorkerRecord* const found = it->second.get();
  found->last_seen = now_;
  if (found->unheard) {
    found->unheard = false;
    Touch(found);
  }
  return found;
}

void Core::On(const WorkerJoined& event) {
  const auto it = workers_.find(event.worker);
  if (it != workers_.end()) {
    if (event.epoch <= it->second->epoch) return;
    Close(it->second.get(), "the worker has a newer connection");
  }
  auto added = std::make_unique<WorkerRecord>(event.worker);
  WorkerRecord* const worker = added.get();
  workers_.emplace(event.worker, std::move(added));
  worker->epoch = event.epoch;
  worker->slots = std::clamp(event.slots, 1, kMostSlots);
  worker->last_seen = now_;
  worker->silent_at = now_ + ttl_;
  silences_.emplace(std::make_pair(worker->silent_at, worker->id), worker);
  ++num_fed_;
  fed_slots_ += worker->slots;
  absl::btree_map<JobId, IntervalSet> offered;
  for (const Offer& offer : event.offers) {
    // Sizes are computed only of what a job can have.
    offered[offer.job].Add({std::max<int64_t>(0, offer.tasks.begin),
                            std::min(offer.tasks.end, kMostTasks)});
  }
  for (const auto& [job, tasks] : offered) Adopt(worker, job, tasks);
  Touch(worker);
}

void Core::Adopt(WorkerRecord* worker, JobId id, const IntervalSet& offered) {
  JobRecord* const job = FindJob(id);
  IntervalSet wanted;
  LeaseId lease_id;
  if (job != nullptr && job->active()) {
    IntervalSet held;
    for (const Interval& run :
         offered.Intersection({0, job->num_tasks}).intervals()) {
      held.Add(Unended(*job, run));
      // Those being committed come again, and are dropped if they were.
      wanted.Add(job->committing.Intersection(run));
      for (const auto& copied : job->copies.Within(run)) {
        held.Remove(copied.interval);
      }
    }
    wanted.Add(held);
    if (!held.empty()) lease_id = Keep(job, worker, std::move(held));
  }
  actions_->push_back(
      AnswerOffer{worker->id, worker->epoch, id, lease_id, RunsOf(wanted)});
}

LeaseId Core::Keep(JobRecord* job, WorkerRecord* worker, IntervalSet tasks) {
  Lease* const lease = AddLease(job, worker, false);
  lease->offered = true;
  for (const Interval& piece : tasks.intervals()) {
    lease->granted.push_back(piece);
    // Of those that another worker holds meanwhile this one holds copies.
    IntervalSet free(piece);
    for (const auto& [interval, holder] : job->holders.Within(piece)) {
      for (const Interval& run :
           holder->remaining.Intersection(interval).intervals()) {
        job->copies.Assign(run, lease);
        free.Remove(run);
      }
    }
    for (const Interval& run : free.intervals()) {
      job->pending.Remove(run);
      job->retry.Remove(run);
      job->suspects.Remove(run);
      job->holders.Assign(run, lease);
      job->leased += run.size();
    }
  }
  worker->num_tasks += tasks.size();
  lease->remaining = std::move(tasks);
  Requeue(job);
  return lease->id;
}

void Core::StopFeeding(WorkerRecord* worker) {
  if (worker->draining) return;
  worker->draining = true;
  --num_fed_;
  fed_slots_ -= worker->slots;
  if (!worker->RunsAlone()) SetAlone(worker, false);
}

void Core::Lose(WorkerRecord* worker) {
  Departed departed;
  departed.epoch = worker->epoch;
  departed.until = now_ + kRememberDeparted;
  departed.may_run_revoked = worker->may_run_revoked;
  StopFeeding(worker);
  SetAlone(worker, false);
  while (!worker->leases.empty()) {
    Lease* const lease = worker->leases.back().get();
    departed.held.emplace_back(lease->job->id, lease->remaining);
    Drop(lease);
  }
  RemoveFromIndexes(worker);
  silences_.erase({worker->silent_at, worker->id});
  std::replace(touched_.begin(), touched_.end(), worker,
               static_cast<WorkerRecord*>(nullptr));
  departures_.emplace_back(departed.until, worker->id);
  departed_[worker->id] = std::move(departed);
  if (departures_.size() > kMostDeparted) {
    departed_.erase(departures_.front().second);
    departures_.pop_front();
  }
  workers_.erase(worker->id);
}

void Core::Close(WorkerRecord* worker, absl::string_view message) {
  actions_->push_back(
      CloseWorker{worker->id, worker->epoch, std::string(message)});
  Lose(worker);
}

void Core::On(const WorkerLost& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker != nullptr) Lose(worker);
}

void Core::On(const ProcessDied& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker != nullptr) Lose(worker);
  const auto it = departed_.find(event.worker);
  if (it == departed_.end() || it->second.epoch != event.epoch) return;
  const Departed departed = std::move(it->second);
  departed_.erase(it);
  Blame(departed, event);
}

void Core::Blame(const Departed& departed, const ProcessDied& event) {
  // Only what it held can have killed it, and only what has not ended.
  absl::btree_map<JobId, IntervalSet> suspects;
  for (const auto& [id, held] : departed.held) {
    const JobRecord* const job = FindJob(id);
    if (job == nullptr || !job->active()) continue;
    IntervalSet ran = held;
    if (event.running.has_value()) {
      ran.Clear();
      for (const RunningTask& task : *event.running) {
        if (task.job == id && held.Contains(task.task)) {
          ran.Add({task.task, task.task + 1});
        }
      }
    }
    IntervalSet& blamed = suspects[id];
    for (const Interval& run : ran.intervals()) blamed.Add(Unended(*job, run));
  }
  // What was revoked may have killed it too.
  int64_t num_suspects =
      departed.may_run_revoked && !event.running.has_value() ? 1 : 0;
  for (const auto& [id, blamed] : suspects) num_suspects += blamed.size();
  const Happening happening = {FromNanos(now_), event.worker,
                               Happening::Kind::kProcessDied,
                               event.message.substr(0, kMostMessageBytes)};
  for (const auto& [id, blamed] : suspects) {
    JobRecord* const job = FindJob(id);
    for (const Interval& run : blamed.intervals()) {
      Suspect(job, run, num_suspects, happening);
    }
    EndIfDue(job);
    Requeue(job);
  }
}

void Core::Suspect(JobRecord* job, Interval tasks, int64_t num_suspects,
                   const Happening& happening) {
  while (tasks.begin < tasks.end) {
    const auto [known, found] = job->troubles.First(tasks);
    const Interval part = found != nullptr && known.begin == tasks.begin
                              ? known
                              : Interval{tasks.begin, known.begin};
    Trouble trouble = found != nullptr && part == known ? *found : Trouble();
    tasks.begin = part.end;
    ++trouble.deaths;
    trouble.piece = std::max<int64_t>(1, num_suspects / 8);
    trouble.Remember(happening);
    if (num_suspects == 1 && trouble.deaths >= allowed_deaths_) {
      Withdraw(job, part, nullptr);
      Fail(job,
           {part, TaskFailure::Kind::kPoisonous,
            absl::StrCat(trouble.deaths,
                         " processes died while running it; the last one: ",
                         happening.message),
            happening.worker, std::move(trouble.history)});
      continue;
    }
    job->troubles.Assign(part, std::move(trouble));
    // Those that wait do so among the suspects from now on.
    IntervalSet waiting = job->pending.Intersection(part);
    waiting.Add(job->retry.Intersection(part));
    job->pending.Remove(part);
    job->retry.Remove(part);
    for (const Interval& run : waiting.intervals()) job->Return(run);
  }
}

void Core::On(const HeartbeatReceived& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker == nullptr) return;
  worker->running = event.running;
  const auto slots = static_cast<size_t>(worker->slots);
  if (worker->running.size() > slots) worker->running.resize(slots);
  if (worker->restart_asked) return;
  for (const RunningTask& task : worker->running) {
    const JobRecord* const job = FindJob(task.job);
    if (job == nullptr || task.elapsed <= job->policies.task_timeout) continue;
    worker->restart_asked = true;
    actions_->push_back(RestartProcess{
        worker->id, worker->epoch,
        absl::StrCat("task ", task.task, " of job ", task.job.value,
                     " ran longer than ",
                     absl::FormatDuration(job->policies.task_timeout))});
    return;
  }
}

void Core::On(const WorkerPaused& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker == nullptr) return;
  worker->paused = true;
  Reindex(worker);
}

void Core::On(const WorkerResumed& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker == nullptr) return;
  worker->paused = false;
  Touch(worker);
}

void Core::On(const WorkerDraining& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker == nullptr) return;
  StopFeeding(worker);
  Reindex(worker);
}

void Core::On(const DrainRequested& event) {
  const auto it = workers_.find(event.worker);
  if (it == workers_.end() || it->second->draining) return;
  WorkerRecord* const worker = it->second.get();
  StopFeeding(worker);
  Reindex(worker);
  actions_->push_back(DrainWorker{worker->id, worker->epoch});
}

void Core::On(const LeaseReturned& event) {
  WorkerRecord* const worker = Session(event.worker, event.epoch);
  if (worker == nullptr) return;
  Lease* const lease = FindLease(*worker, event.lease);
  if (lease == nullptr) return;
  IntervalSet returned;
  for (const Interval& any : event.tasks) {
    returned.Add(lease->remaining.Intersection(any));
  }
  if (lease->asked.has_value()) {
    const int64_t asked = lease->remaining.CountWithin(*lease->asked);
    lease->kept = returned.CountWithin(*lease->asked) < asked;
    ForgetAsk(lease);
  }
  ReleaseToPools(lease, RunsOf(returned));
  // Those who have less come first when the tasks are given out again.
  const Nanos due_at = worker->due_at;
  worker->Judge(now_, true);
  // That it has less to do does not make it less late.
  worker->due_at = std::min(worker->due_at, due_at);
  worker->copied_until = 0;
  Reindex(worker);
}

}  // namespace internode::scheduler::core
