#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "scheduler/engine/engine.h"
#include "scheduler/journal/job_id.h"

// What the core wants done, once what must be durable is.

namespace internode::scheduler {
namespace {

template <typename Intervals>
void AddRanges(const Intervals& intervals,
               google::protobuf::RepeatedPtrField<v1::TaskRange>* ranges) {
  for (const internode::core::Interval& interval : intervals) {
    v1::TaskRange* const range = ranges->Add();
    range->set_begin(interval.begin);
    range->set_end(interval.end);
  }
}

}  // namespace

void Engine::Release() {
  // What is done here can make the core want more.
  std::vector<core::Action> actions;
  actions.swap(actions_);
  num_collected_ = 0;
  for (const core::Action& action : actions) {
    std::visit([this](const auto& known) { Do(known); }, action);
  }
  SendAcks();
  EndCommands(absl::OkStatus());
}

void Engine::EndCommands(const absl::Status& status) {
  std::vector<absl::AnyInvocable<void(const absl::Status&)>> ended;
  ended.swap(after_commit_);
  for (auto& end : ended) end(status);
}

Worker* Engine::Connected(core::WorkerId worker, core::Epoch epoch) {
  const auto it = workers_by_id_.find(worker);
  if (it == workers_by_id_.end()) return nullptr;
  Worker* const found = it->second;
  return found->control != 0 && found->epoch == epoch ? found : nullptr;
}

void Engine::Send(const Worker& worker, v1::SchedulerMessage message) {
  const auto it = controls_.find(worker.control);
  if (it != controls_.end()) it->second.link->Send(std::move(message));
}

const v1::JobPlan* Engine::PlanFor(Worker* worker, core::JobId job) {
  const JobEntry* const entry = FindEntry(job);
  if (entry == nullptr || !worker->plans.insert(job).second) return nullptr;
  return entry->job.plan.get();
}

// ---- jobs ----

void Engine::Do(const core::PersistJob& action) {
  JobEntry* const entry = FindEntry(action.job);
  if (entry == nullptr || entry->durable) return;
  entry->durable = true;
  MarkChanged(action.job);
  // After the leases of this turn: so the workers begin meanwhile.
  after_commit_.emplace_back(
      [this, job = action.job](const absl::Status&) { AnswerSubmitters(job); });
}

void Engine::AnswerSubmitters(core::JobId job) {
  JobEntry* const entry = FindEntry(job);
  if (entry == nullptr) return;
  v1::SubmitJobResponse response;
  response.set_job_id(FormatJobId(job));
  for (auto& reply : entry->submitters) reply(response);
  entry->submitters.clear();
  LogInfo("job ", FormatJobId(job),
          " submitted: ", entry->job.plan->spec().function(), ", ",
          entry->job.num_tasks, " tasks, ", entry->job.num_pixels, " pixels");
}

void Engine::Do(const core::PersistFailure& action) { MarkChanged(action.job); }

void Engine::Do(const core::PersistRetry& action) {
  JobEntry* const entry = FindEntry(action.job);
  if (entry == nullptr) return;
  if (entry->counted_out) ++num_active_jobs_;
  entry->counted_out = false;
  MarkChanged(action.job);
}

void Engine::Do(const core::EraseJob& action) {
  writer_->Forget(action.job);
  EraseEntry(action.job);
}

void Engine::Do(const core::RejectJob& action) {
  LogError("job ", FormatJobId(action.job), " is rejected: ", action.message);
  JobEntry* const entry = FindEntry(action.job);
  if (entry == nullptr) return;
  for (auto& reply : entry->submitters) {
    reply(absl::InvalidArgumentError(action.message));
  }
  entry->submitters.clear();
  EraseEntry(action.job);
}

void Engine::Do(const core::NotifyJob& action) {
  MarkChanged(action.job);
  JobEntry* const entry = FindEntry(action.job);
  if (entry == nullptr || !core::IsTerminal(action.state)) return;
  CountOut(entry);
  LogInfo("job ", FormatJobId(action.job), " ended: ", SummaryOf(*entry));
  TellJobEnded(action.job);
}

void Engine::CountOut(JobEntry* entry) {
  if (!entry->counted_out) --num_active_jobs_;
  entry->counted_out = true;
}

void Engine::TellJobEnded(core::JobId job) {
  for (auto& [id, worker] : workers_by_id_) {
    if (worker->plans.erase(job) == 0 || worker->control == 0) continue;
    v1::SchedulerMessage message;
    message.mutable_forget_job()->set_job(job.value);
    Send(*worker, std::move(message));
  }
}

// ---- frames ----

void Engine::Do(const core::AcceptFrame& action) {
  const auto it = frames_.find(action.frame);
  if (it == frames_.end() || it->second.frame == nullptr) return;
  writer_->Write({.id = action.frame,
                  .job = action.job,
                  .wanted = action.fresh,
                  .frame = std::move(it->second.frame)});
}

void Engine::Do(const core::DropFrame& action) {
  ++counters_.frames_dropped;
  Settle(action.frame);
}

void Engine::Do(const core::AckFrame& action) { Settle(action.frame); }

// ---- workers ----

void Engine::Do(const core::GrantLease& action) {
  Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  ++counters_.leases_granted;
  counters_.tasks_granted += static_cast<uint64_t>(action.tasks.size());
  if (JobEntry* const entry = FindEntry(action.job);
      entry != nullptr && entry->started == absl::InfinitePast()) {
    entry->started = Now();
  }
  MarkChanged(action.job);
  v1::SchedulerMessage message;
  v1::Lease* const lease = message.mutable_lease();
  lease->set_job(action.job.value);
  lease->set_lease_id(action.lease.value);
  lease->mutable_tasks()->set_begin(action.tasks.begin);
  lease->mutable_tasks()->set_end(action.tasks.end);
  lease->set_front(action.front);
  lease->set_alone(action.alone);
  if (const v1::JobPlan* plan = PlanFor(worker, action.job)) {
    *lease->mutable_plan() = *plan;
  }
  Send(*worker, std::move(message));
}

void Engine::Do(const core::TakeBack& action) {
  const Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  v1::SchedulerMessage message;
  v1::TakeBack* const ask = message.mutable_take_back();
  ask->set_job(action.job.value);
  ask->set_lease_id(action.lease.value);
  ask->mutable_tasks()->set_begin(action.tasks.begin);
  ask->mutable_tasks()->set_end(action.tasks.end);
  Send(*worker, std::move(message));
}

void Engine::Do(const core::RevokeLease& action) {
  const Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  v1::SchedulerMessage message;
  v1::Revoke* const revoke = message.mutable_revoke();
  revoke->set_job(action.job.value);
  revoke->set_lease_id(action.lease.value);
  AddRanges(action.tasks, revoke->mutable_tasks());
  Send(*worker, std::move(message));
}

void Engine::Do(const core::AnswerOffer& action) {
  Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  v1::SchedulerMessage message;
  v1::OfferAnswer* const answer = message.mutable_offer_answer();
  answer->set_job(action.job.value);
  answer->set_lease_id(action.lease.value);
  AddRanges(action.wanted, answer->mutable_wanted());
  if (!action.wanted.empty()) {
    if (const v1::JobPlan* plan = PlanFor(worker, action.job)) {
      *answer->mutable_plan() = *plan;
    }
  }
  Send(*worker, std::move(message));
}

void Engine::Do(const core::DrainWorker& action) {
  const Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  v1::SchedulerMessage message;
  message.mutable_drain()->set_reason("an operator asked for it");
  Send(*worker, std::move(message));
}

void Engine::Do(const core::RestartProcess& action) {
  const Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  LogWarning("worker ", WorkerName(action.worker),
             " is restarted: ", action.message);
  v1::SchedulerMessage message;
  message.mutable_restart()->set_reason(action.message);
  Send(*worker, std::move(message));
}

void Engine::Do(const core::CloseWorker& action) {
  Worker* const worker = Connected(action.worker, action.epoch);
  if (worker == nullptr) return;
  LogWarning("worker ", WorkerName(action.worker),
             " is disconnected: ", action.message);
  Disconnect(worker, absl::AbortedError(action.message));
}

}  // namespace internode::scheduler
