#include "scheduler/engine/engine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "scheduler/journal/job_id.h"

namespace internode::scheduler {
namespace {

// How often a journal that cannot be written is tried.
constexpr absl::Duration kJournalRetry = absl::Seconds(1);
constexpr absl::Duration kLongestForgetInterval = absl::Minutes(10);

core::CoreOptions CoreOptionsOf(const EngineOptions& options,
                                const Journal& journal) {
  core::CoreOptions core;
  core.worker_ttl = options.worker_timeout;
  core.incarnation = journal.incarnation();
  return core;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(
    const EngineOptions& options, const Clock* clock, Journal* journal,
    Spool* spool) {
  auto engine = absl::WrapUnique(new Engine(options, clock, journal, spool));
  INTERNODE_RETURN_IF_ERROR(engine->Recover());
  return engine;
}

Engine::Engine(const EngineOptions& options, const Clock* clock,
               Journal* journal, Spool* spool)
    : options_(options),
      clock_(clock),
      journal_(journal),
      spool_(spool),
      core_(CoreOptionsOf(options, *journal)),
      started_(clock->Now()),
      now_(started_),
      questions_([this](core::WorkerId id, const v1::Question& question) {
        v1::SchedulerMessage message;
        *message.mutable_question() = question;
        Send(*workers_by_id_.at(id), std::move(message));
      }),
      recent_(options.recent_bytes) {
  strand_ = std::make_unique<Strand>(
      clock, Strand::Hooks{.turn_end = [this] { EndTurn(); },
                           .next_wakeup = [this] { return NextWakeup(); }});
  writer_ = std::make_unique<SpoolWriter>(
      clock, spool, &recent_,
      SpoolWriter::Handler{
          .committed =
              [this](std::vector<core::FrameId> frames) {
                strand_->Post([this, frames = std::move(frames)] {
                  for (const core::FrameId frame : frames) OnCommitted(frame);
                });
              },
          .lost =
              [this](core::FrameId frame) {
                strand_->Post([this, frame] { OnFrameLost(frame); });
              },
          .blocked =
              [this](std::string reason) {
                strand_->Post([this, reason = std::move(reason)] {
                  spool_blocked_ = reason;
                  UpdateBlocked();
                });
              },
          .resumed =
              [this] {
                strand_->Post([this] {
                  spool_blocked_.clear();
                  UpdateBlocked();
                });
              }});
  recoverer_ = std::make_unique<Strand>(
      clock,
      Strand::Hooks{.turn_end = [] {},
                    .next_wakeup = [] { return absl::InfiniteFuture(); }});
  if (options_.retain < absl::InfiniteDuration()) next_forget_ = started_;
}

Engine::~Engine() {
  Stop();
  strand_->Stop();
}

void Engine::Start() {
  threaded_ = true;
  strand_->Start();
  writer_->Start();
  recoverer_->Start();
}

void Engine::Stop() {
  if (stopped_) return;
  stopped_ = true;
  strand_->Post([this] {
    stopping_ = true;
    UpdateBlocked();
  });
  if (!threaded_) {
    while (RunTurn()) {
    }
  }
  stop_recovery_ = true;
  recoverer_->Stop();
  // What arrived before is made durable, and acknowledged.
  writer_->Stop();
  absl::Notification closed;
  strand_->Post([this, &closed] {
    // Acknowledgements of this turn go before.
    EndTurn();
    CloseAll();
    closed.Notify();
  });
  if (threaded_) {
    closed.WaitForNotification();
  } else {
    strand_->RunTurn();
  }
}

bool Engine::RunTurn() {
  const bool ran = strand_->RunTurn();
  const bool wrote = writer_->RunTurn();
  return recoverer_->RunTurn() || wrote || ran;
}

void Engine::SetAddresses(absl::string_view address,
                          absl::string_view dashboard) {
  strand_->Post([this, address = std::string(address),
                 dashboard = std::string(dashboard)] {
    address_ = address;
    dashboard_ = dashboard;
  });
}

// ---- recovery ----

absl::Status Engine::Recover() {
  INTERNODE_ASSIGN_OR_RETURN(std::vector<JournalJob> jobs, journal_->Jobs());
  for (JournalJob& job : jobs) {
    INTERNODE_ASSIGN_OR_RETURN(JobEntry * entry, AddStored(std::move(job)));
    if (entry->recovering) continue;
    INTERNODE_RETURN_IF_ERROR(
        OnRecovered(entry, spool_->Recover(entry->id.value)));
  }
  for (const uint64_t job : spool_->JobsToRecover()) {
    // Submitted or forgotten, but for the end of the process.
    if (FindEntry({job}) != nullptr) continue;
    INTERNODE_RETURN_IF_ERROR(spool_->Forget(job));
    INTERNODE_RETURN_IF_ERROR(spool_->DeleteForgotten(job));
  }
  CollectFacts();
  INTERNODE_RETURN_IF_ERROR(journal_->Commit(facts_));
  facts_.clear();
  Release();
  for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) {
    if (!it->second->recovering) continue;
    recoverer_->Post([this, job = it->first] {
      if (stop_recovery_) return;
      auto damages = spool_->Recover(job.value);
      strand_->Post([this, job, damages = std::move(damages)]() mutable {
        OnRecovered(FindEntry(job), std::move(damages)).IgnoreError();
      });
    });
  }
  return absl::OkStatus();
}

absl::StatusOr<JobEntry*> Engine::AddStored(JournalJob stored) {
  auto added = std::make_unique<JobEntry>();
  JobEntry* const entry = added.get();
  entry->id = stored.job;
  INTERNODE_ASSIGN_OR_RETURN(entry->job, ParseStoredJob(stored.plan));
  entry->job.bytes.clear();
  entry->job.policies.task_timeout =
      std::min(entry->job.policies.task_timeout, options_.task_timeout);
  entry->accepted = entry->durable = true;
  entry->submitted = stored.submitted;
  entry->started = stored.started;
  entry->start_collected = stored.started != absl::InfinitePast();
  entry->ended = stored.finished;
  entry->reason = stored.message;
  entry->stored_state = stored.state;
  entry->stored_done = stored.num_done;
  entry->stored_failed = stored.num_failed;
  entry->recovering = entry->counted_out = core::IsTerminal(stored.state);
  if (!entry->counted_out) ++num_active_jobs_;
  jobs_by_request_.emplace(entry->job.request_id, stored.job);
  jobs_.emplace(stored.job, std::move(added));
  return entry;
}

absl::Status Engine::OnRecovered(
    JobEntry* entry, absl::StatusOr<std::vector<SpoolDamage>> damages) {
  const std::string id = FormatJobId(entry->id);
  core::JobRecovered event;
  event.submission = {.job = entry->id,
                      .num_tasks = entry->job.num_tasks,
                      .priority = entry->job.priority,
                      .policies = entry->job.policies};
  event.state = entry->stored_state;
  if (damages.ok()) {
    for (const SpoolDamage& damage : *damages) {
      LogWarning("job ", id, ": ", damage.ToString());
    }
    event.done = spool_->Find(entry->id.value)->Done().intervals();
  } else {
    LogError("job ", id,
             ": its results cannot be read: ", damages.status().message());
  }
  MarkChanged(entry->id);
  if (entry->recovering && !damages.ok()) {
    entry->unreadable = damages.status();
    return damages.status();
  }
  auto failures = journal_->Failures(entry->id, 0, core::kMostTasks);
  INTERNODE_RETURN_IF_ERROR(failures.status());
  event.failures = *std::move(failures);
  Handle(event);
  entry->recovering = false;
  if (!damages.ok()) {
    Handle(
        core::JobAborted{entry->id, absl::StrCat("its results cannot be read: ",
                                                 damages.status().message())});
  } else if (entry->counted_out && !core::IsTerminal(StateOf(*entry))) {
    Reopen(entry);
  }
  return absl::OkStatus();
}

void Engine::Reopen(JobEntry* entry) {
  LogWarning("job ", FormatJobId(entry->id),
             " goes on: results that it had are lost");
  entry->counted_out = false;
  ++num_active_jobs_;
  entry->ended = absl::InfinitePast();
  AddChange(entry->id, core::JobState::kRunning, "", now_);
}

// ---- the turn ----

absl::Time Engine::Now() {
  now_ = std::max(now_, clock_->Now());
  return now_;
}

void Engine::Handle(const core::Event& event) {
  ++counters_.events;
  core_.Handle(Now(), event, &actions_);
}

void Engine::EndTurn() {
  const absl::Time begin = clock_->Now();
  Now();
  ++counters_.turns;
  if (now_ >= core_.NextWakeup()) Handle(core::Tick{});
  questions_.Expire(now_);
  ForgetOldJobs();
  // What the spool has can be fetched, whatever the journal still has to note.
  AnswerFromSpool();
  do {
    CollectFacts();
    if (!CommitFacts()) break;
    Release();
    UpdateChanged();
  } while (!actions_.empty());
  turn_seconds_.Add(clock_->Now() - begin);
}

absl::Time Engine::NextWakeup() const {
  return std::min({core_.NextWakeup(), questions_.NextDeadline(),
                   journal_retry_, next_forget_, next_watch_});
}

void Engine::CollectFacts() {
  for (; num_collected_ < actions_.size(); ++num_collected_) {
    std::visit([this](const auto& action) { Collect(action); },
               actions_[num_collected_]);
  }
}

void Engine::Collect(const core::PersistJob& action) {
  JobEntry* const entry = FindEntry(action.job);
  if (entry == nullptr) return;
  if (!entry->accepted) {
    entry->accepted = true;
    JournalJob job;
    job.job = action.job;
    job.name = entry->job.name;
    job.plan = std::move(entry->job.bytes);
    job.num_tasks = entry->job.num_tasks;
    job.priority = entry->job.priority;
    job.policies = entry->job.policies;
    job.submitted = entry->submitted;
    job.state = action.state;
    facts_.push_back(JobAccepted{std::move(job)});
    entry->job.bytes.clear();
    return;
  }
  if (entry->started != absl::InfinitePast() && !entry->start_collected) {
    entry->start_collected = true;
    AddChange(action.job, core::JobState::kRunning, "", entry->started);
  }
  if (core::IsTerminal(action.state)) entry->ended = now_;
  AddChange(action.job, action.state,
            action.state == core::JobState::kCancelled ? entry->reason
                                                       : action.message,
            now_);
}

void Engine::AddChange(core::JobId job, core::JobState state,
                       const std::string& message, absl::Time when) {
  const std::optional<core::JobInfo> info = core_.Job(job);
  facts_.push_back(
      JobChanged{.job = job,
                 .state = state,
                 .message = message,
                 .when = when,
                 .num_done = info.has_value() ? info->done : 0,
                 .num_failed = info.has_value() ? info->failed : 0});
}

void Engine::Collect(const core::PersistFailure& action) {
  counters_.tasks_failed += static_cast<uint64_t>(action.failure.tasks.size());
  facts_.push_back(TasksFailed{action.job, action.failure});
}

void Engine::Collect(const core::PersistRetry& action) {
  facts_.push_back(FailuresVoided{action.job});
  JobEntry* const entry = FindEntry(action.job);
  if (entry == nullptr) return;
  entry->ended = absl::InfinitePast();
  AddChange(action.job, core::JobState::kRunning, "", now_);
}

void Engine::Collect(const core::EraseJob& action) {
  facts_.push_back(JobErased{action.job});
}

bool Engine::CommitFacts() {
  if (facts_.empty()) return true;
  if (now_ < journal_retry_ && !journal_blocked_.empty()) return false;
  const absl::Time begin = clock_->Now();
  absl::Status status = journal_->Commit(facts_);
  journal_seconds_.Add(clock_->Now() - begin);
  if (absl::IsNotFound(status) || absl::IsAlreadyExists(status) ||
      absl::IsInvalidArgument(status)) {
    status = CommitOneByOne();
  }
  if (!status.ok()) {
    journal_retry_ = clock_->Now() + kJournalRetry;
    if (journal_blocked_ != status.message()) {
      LogError("the journal cannot be written: ", status.message());
    }
    journal_blocked_ = std::string(status.message());
    UpdateBlocked();
    return false;
  }
  facts_.clear();
  journal_retry_ = absl::InfiniteFuture();
  if (!journal_blocked_.empty()) {
    LogInfo("the journal can be written again");
    journal_blocked_.clear();
    UpdateBlocked();
  }
  return true;
}

absl::Status Engine::CommitOneByOne() {
  for (auto fact = facts_.begin(); fact != facts_.end();) {
    absl::Status status = journal_->Commit(absl::MakeConstSpan(&*fact, 1));
    const bool bad = absl::IsNotFound(status) ||
                     absl::IsAlreadyExists(status) ||
                     absl::IsInvalidArgument(status);
    if (bad) LogError("the journal refuses a fact: ", status.message());
    if (!status.ok() && !bad) return status;
    fact = facts_.erase(fact);
  }
  return absl::OkStatus();
}

std::string Engine::NotReady() const {
  if (stopping_) return std::string(kStopping);
  if (!journal_blocked_.empty()) return journal_blocked_;
  return spool_blocked_;
}

void Engine::UpdateBlocked() {
  const std::string reason = NotReady();
  if (reason == blocked_) return;
  if (reason.empty()) {
    LogInfo("results can be written again");
    Handle(core::SpoolResumed{});
  } else {
    if (!stopping_) LogWarning("no tasks are given out: ", reason);
    Handle(core::SpoolBlocked{reason});
  }
  blocked_ = reason;
}

void Engine::ForgetOldJobs() {
  if (now_ < next_forget_) return;
  next_forget_ = now_ + std::min(options_.retain / 10 + absl::Seconds(1),
                                 kLongestForgetInterval);
  const absl::StatusOr<std::vector<core::JobId>> old =
      journal_->FinishedBefore(now_ - options_.retain);
  if (!old.ok()) {
    LogWarning("old jobs are not forgotten: ", old.status().message());
    return;
  }
  for (const core::JobId job : *old) {
    const JobEntry* const entry = FindEntry(job);
    if (entry == nullptr || entry->recovering) continue;
    LogInfo("job ", FormatJobId(job),
            " is forgotten: it ended longer ago than ",
            absl::FormatDuration(options_.retain));
    Handle(core::JobForgotten{job});
  }
}

}  // namespace internode::scheduler
