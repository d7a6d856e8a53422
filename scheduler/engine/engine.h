#ifndef INTERNODE_SCHEDULER_ENGINE_ENGINE_H_
#define INTERNODE_SCHEDULER_ENGINE_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "base/clock.h"
#include "internode/v1/client.pb.h"
#include "internode/v1/worker.pb.h"
#include "scheduler/core/core.h"
#include "scheduler/engine/engine_stats.h"
#include "scheduler/engine/job_entry.h"
#include "scheduler/engine/links.h"
#include "scheduler/engine/questions.h"
#include "scheduler/engine/received_frame.h"
#include "scheduler/engine/recent_frames.h"
#include "scheduler/engine/spool_writer.h"
#include "scheduler/engine/strand.h"
#include "scheduler/engine/submitted_job.h"
#include "scheduler/engine/workers.h"
#include "scheduler/journal/journal.h"
#include "scheduler/spool/spool.h"

namespace internode::scheduler {

struct EngineOptions {
  // A worker that is silent for so long is lost.
  absl::Duration worker_timeout = absl::Seconds(30);
  // How often a worker is to send a heartbeat.
  absl::Duration heartbeat_interval = absl::Seconds(1);
  // Jobs that ended longer ago are forgotten.
  absl::Duration retain = absl::InfiniteDuration();
  // A worker process that runs one task for longer is restarted, which counts
  // as its death. A job may ask for less.
  absl::Duration task_timeout = absl::InfiniteDuration();
  // Jobs that have not ended: of all, and of one owner.
  int64_t most_active_jobs = 100'000;
  int64_t most_active_jobs_of_owner = 10'000;
  // Of one job.
  int64_t most_tasks = core::kMostTasks;
  // Bytes of results on disk: of a job, which fails beyond; of all jobs of an
  // owner, who may submit no more beyond. Below 0: without limit.
  int64_t most_spool_bytes_of_job = -1;
  int64_t most_spool_bytes_of_owner = -1;
  // Bytes of frames that all workers together may have sent and not
  // acknowledged; each is told its share, within the limits below.
  int64_t window_bytes = int64_t{1} << 30;
  int64_t least_worker_window_bytes = int64_t{2} << 20;
  int64_t most_worker_window_bytes = int64_t{32} << 20;
  // Of frames that are durable, and kept in memory for those who fetch.
  int64_t recent_bytes = int64_t{32} << 20;
};

// The scheduler: the core on one strand, with the journal, and the spool on its
// writer's thread. A turn takes all that waits, hands it to the core, makes
// durable what the core says must be, and only then lets the rest out:
// leases, acknowledgements, answers. Knows streams only by links.h.
//
// Thread-safe, but for Start, Stop and RunTurn. Everything that is asked is
// answered once, on the strand, by a Reply that must not block.
class Engine {
 public:
  // Reads the journal, and the frames of the jobs that have not ended; those of
  // the others are read later, the newest first. What is damaged is logged, and
  // run again. All must outlive the engine. Errors: the journal's, the file
  // system's.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(
      const EngineOptions& options, const Clock* clock, Journal* journal,
      Spool* spool);
  ~Engine();

  void Start();
  // Grants no more leases, makes durable what has arrived, answers what can
  // be, and ends all streams. What is asked later is answered with
  // kUnavailable, as long as the engine lives. Idempotent.
  void Stop();
  // Where Start was not called: runs one turn of the engine and one of the
  // spool's writer on the caller's thread. Returns whether there was anything
  // to do.
  bool RunTurn();

  // What GetCluster says of where it listens.
  void SetAddresses(absl::string_view address, absl::string_view dashboard);

  // ---- Clients ----

  void SubmitJob(SubmittedJob job, Reply<v1::SubmitJobResponse> reply);
  void GetJob(const v1::GetJobRequest& request,
              Reply<v1::GetJobResponse> reply);
  void ListJobs(Reply<v1::ListJobsResponse> reply);
  void ListFailures(const v1::ListFailuresRequest& request,
                    Reply<v1::ListFailuresResponse> reply);
  void CancelJob(const v1::CancelJobRequest& request,
                 Reply<v1::CancelJobResponse> reply);
  void RetryJob(const v1::RetryJobRequest& request,
                Reply<v1::RetryJobResponse> reply);
  void ForgetJob(const v1::ForgetJobRequest& request,
                 Reply<v1::ForgetJobResponse> reply);
  void Explain(const v1::ExplainRequest& request,
               Reply<v1::ExplainResponse> reply);
  void GetCluster(Reply<v1::GetClusterResponse> reply);
  void ListWorkers(Reply<v1::ListWorkersResponse> reply);
  void DrainWorker(const v1::DrainWorkerRequest& request,
                   Reply<v1::DrainWorkerResponse> reply);
  void ListFunctions(Reply<v1::ListFunctionsResponse> reply);

  // Asks a worker; answered at `deadline` at the latest.
  void DescribeCube(const v1::DescribeCubeRequest& request, absl::Time deadline,
                    Reply<v1::DescribeCubeResponse> reply);
  void PlanJob(const v1::PlanJobRequest& request, absl::Time deadline,
               Reply<v1::PlanJobResponse> reply);

  // A number for WatchJob, NextFetch and the streams; never given twice.
  uint64_t NewId() { return next_id_++; }

  // Updates `watcher` now and at every change, at most ten times a second,
  // until the job ends or StopWatching.
  void WatchJob(absl::string_view job_id, uint64_t watch,
                std::shared_ptr<JobWatcher> watcher);
  void StopWatching(uint64_t watch);

  // What comes next of a job's results at `task`; answered when there is
  // something, at the latest when the job ends. `end` below 0: the last task.
  // Errors: kNotFound, kInvalidArgument (0 <= task <= end <= tasks),
  // kFailedPrecondition (the job ended without the task).
  void NextFetch(absl::string_view job_id, int64_t task, int64_t end,
                 bool done_only, uint64_t waiter, Reply<FetchStep> reply);
  // The reply is dropped, if it was not called.
  void StopWaiting(uint64_t waiter);
  // Of a step's tasks, the frame that begins with `task`, if it is in memory;
  // or null. The spool has it anyway.
  std::shared_ptr<const ReceivedFrame> FindRecent(core::JobId job,
                                                  int64_t task) const {
    return recent_.Find(job, task);
  }

  // ---- Workers ----

  // A control stream began, told something, ended.
  void OpenControl(LinkId link, std::shared_ptr<ControlLink> control);
  void Receive(LinkId link, v1::WorkerMessage message);
  void CloseControl(LinkId link);

  // A data stream began, said whose it is, sent a frame, ended.
  void OpenData(LinkId link, std::shared_ptr<DataLink> data);
  void Attach(LinkId link, uint64_t session);
  // `message` without the bytes, which are in `frame`.
  void ReceiveFrame(LinkId link, const v1::Frame& message,
                    std::unique_ptr<const ReceivedFrame> frame);
  // It said what cannot be; it is closed.
  void RejectData(LinkId link, const absl::Status& status);
  void CloseData(LinkId link);
  int64_t most_window_bytes() const {
    return options_.most_worker_window_bytes;
  }

  // ---- Operators ----

  // Counters and sizes, as of now.
  void GetStats(Reply<EngineStats> reply);

 private:
  static constexpr absl::string_view kStopping = "the scheduler is stopping";

  Engine(const EngineOptions& options, const Clock* clock, Journal* journal,
         Spool* spool);

  // ---- engine.cc: the turn ----
  absl::Status Recover();
  absl::StatusOr<JobEntry*> AddStored(JournalJob stored);
  // Its spool was read, with `damages`.
  absl::Status OnRecovered(JobEntry* entry,
                           absl::StatusOr<std::vector<SpoolDamage>> damages);
  // Its frames are not all there: it goes on.
  void Reopen(JobEntry* entry);
  absl::Time Now();
  void Handle(const core::Event& event);
  void EndTurn();
  absl::Time NextWakeup() const;
  // Turns what the core did into facts, in order.
  void CollectFacts();
  void Collect(const core::PersistJob& action);
  void Collect(const core::PersistFailure& action);
  void Collect(const core::PersistRetry& action);
  void Collect(const core::EraseJob& action);
  template <typename Other>
  void Collect(const Other&) {}
  void AddChange(core::JobId job, core::JobState state,
                 const std::string& message, absl::Time when);
  // Returns whether all facts are durable.
  bool CommitFacts();
  absl::Status CommitOneByOne();
  void ForgetOldJobs();
  // Why nothing new can be made durable; empty if it can.
  std::string NotReady() const;
  void UpdateBlocked();

  // ---- engine_actions.cc: what is let out, once it is durable ----
  void Release();
  // Answers the commands whose facts are durable, or will not be.
  void EndCommands(const absl::Status& status);
  void Do(const core::PersistJob& action);
  void Do(const core::PersistFailure& action);
  void Do(const core::PersistRetry& action);
  void Do(const core::EraseJob& action);
  void Do(const core::AcceptFrame& action);
  void Do(const core::DropFrame& action);
  void Do(const core::AckFrame& action);
  void Do(const core::GrantLease& action);
  void Do(const core::TakeBack& action);
  void Do(const core::RevokeLease& action);
  void Do(const core::AnswerOffer& action);
  void Do(const core::DrainWorker& action);
  void Do(const core::RestartProcess& action);
  void Do(const core::CloseWorker& action);
  void Do(const core::RejectJob& action);
  void Do(const core::NotifyJob& action);
  // The worker if it is connected in this epoch, or null.
  Worker* Connected(core::WorkerId worker, core::Epoch epoch);
  void Send(const Worker& worker, v1::SchedulerMessage message);
  // The plan if the worker does not have it, or null.
  const v1::JobPlan* PlanFor(Worker* worker, core::JobId job);
  void TellJobEnded(core::JobId job);
  void CountOut(JobEntry* entry);

  // ---- engine_jobs.cc ----
  // Whether a job of that many tasks may be added.
  absl::Status CheckLimits(const SubmittedJob& job) const;
  // Fails a job whose results have become too large.
  void CheckSpoolOf(core::JobId job);
  void Submit(SubmittedJob job, Reply<v1::SubmitJobResponse> reply);
  // Errors: kInvalidArgument, kNotFound.
  absl::StatusOr<JobEntry*> FindJob(absl::string_view job_id);
  // As FindJob, of a job that is to be changed; kUnavailable when stopping.
  absl::StatusOr<JobEntry*> FindToChange(absl::string_view job_id);
  JobEntry* FindEntry(core::JobId job);
  v1::JobInfo InfoOf(const JobEntry& entry) const;
  std::string SummaryOf(const JobEntry& entry) const;
  core::JobState StateOf(const JobEntry& entry) const;
  std::string MessageOf(const JobEntry& entry, const core::JobInfo& info) const;
  void AnswerSubmitters(core::JobId job);
  template <typename Response>
  void ReplyWhenDurable(core::JobId job, Reply<Response> reply);
  void EraseEntry(core::JobId job);
  v1::TaskFailure FailureOf(const JobEntry& entry, int64_t task,
                            const core::TaskFailure& failure) const;
  static std::string FormatWorkerId(core::WorkerId worker);
  std::string WorkerName(core::WorkerId worker) const;
  void MarkChanged(core::JobId job);
  // Tells those who watch or wait what changed.
  void UpdateChanged();
  void UpdateWatchers(JobEntry* entry);
  void EndWatches(JobEntry* entry, const absl::Status& status);

  // ---- engine_fetch.cc ----
  void AnswerWaiters(JobEntry* entry);
  // Only those whose next task is done, of all jobs that changed.
  void AnswerFromSpool();
  // Nothing yet: not set.
  // At a task that is done.
  FetchStep ReadyStep(const JobEntry& entry, const JobEntry::Waiter& at,
                      const internode::core::IntervalSet& done) const;
  absl::StatusOr<std::optional<FetchStep>> StepAt(const JobEntry& entry,
                                                  const JobEntry::Waiter& at);

  // ---- engine_workers.cc ----
  void OnMessage(LinkId link, v1::WorkerMessage message);
  void OnHello(LinkId link, const v1::Hello& hello);
  absl::Status CheckHello(const v1::Hello& hello) const;
  void Welcome(const Worker& worker);
  void Join(Worker* worker, const v1::Hello& hello);
  void OnMessageOf(Worker* worker, v1::WorkerMessage message);
  void OnProcessDied(const Worker& supervisor, const v1::ProcessDied& message);
  v1::WorkerInfo InfoOf(const Worker& worker) const;
  // Ends the worker's streams, and tells the core.
  void Lose(Worker* worker, absl::string_view reason);
  // Ends the worker's streams.
  void Disconnect(Worker* worker, const absl::Status& status);
  void RefuseControl(LinkId link, const absl::Status& status);
  int64_t WindowBytes() const;
  void PruneWorkers();

  // ---- engine_frames.cc ----
  void OnAttach(LinkId link, uint64_t session);
  void OnFrame(LinkId link, uint64_t sequence, core::FrameArrived event,
               std::unique_ptr<const ReceivedFrame> frame);
  void OnCommitted(core::FrameId frame);
  // The frame needs no more to be kept by its worker.
  void Settle(core::FrameId frame);
  void SendAcks();
  void OnFrameLost(core::FrameId frame);
  void CloseAll();
  void RefuseData(LinkId link, const absl::Status& status);

  const EngineOptions options_;
  const Clock* const clock_;
  Journal* const journal_;
  Spool* const spool_;
  std::atomic<uint64_t> next_id_ = 1;
  std::atomic<uint64_t> next_frame_ = 1;

  // ---- the strand's, all that follows ----
  core::Core core_;
  absl::Time started_;
  // Of the turn at hand.
  absl::Time now_;
  bool stopping_ = false;
  // All streams were ended.
  bool closed_ = false;
  // The owner's thread's.
  bool stopped_ = false;
  bool threaded_ = false;
  std::string address_;
  std::string dashboard_;

  // Not released: the first `num_collected_` of them are among the facts.
  std::vector<core::Action> actions_;
  size_t num_collected_ = 0;
  std::vector<Fact> facts_;
  // Called when all facts are durable, or will not be.
  std::vector<absl::AnyInvocable<void(const absl::Status&)>> after_commit_;
  // Why the last commit failed.
  std::string journal_blocked_;
  absl::Time journal_retry_ = absl::InfiniteFuture();
  std::string spool_blocked_;
  // What the core was told.
  std::string blocked_;
  absl::Time next_forget_ = absl::InfiniteFuture();
  absl::Time next_watch_ = absl::InfiniteFuture();

  std::map<core::JobId, std::unique_ptr<JobEntry>> jobs_;
  std::map<std::string, core::JobId> jobs_by_request_;
  int64_t num_active_jobs_ = 0;
  std::set<core::JobId> changed_;
  std::map<uint64_t, core::JobId> watched_;
  std::map<uint64_t, core::JobId> awaited_;

  uint64_t next_worker_ = 1;
  std::map<std::string, std::unique_ptr<Worker>> workers_;
  std::map<core::WorkerId, Worker*> workers_by_id_;
  std::map<uint64_t, Worker*> sessions_;
  std::map<LinkId, ControlStream> controls_;
  std::map<LinkId, DataStream> datas_;
  int64_t num_connected_ = 0;
  Questions questions_;

  struct Arrived {
    LinkId link = 0;
    core::JobId job;
    std::unique_ptr<const ReceivedFrame> frame;
  };
  // Not durable, not dropped.
  std::map<core::FrameId, Arrived> frames_;
  // Data streams with frames that were settled in this turn.
  std::set<LinkId> acks_due_;

  EngineCounters counters_;
  Histogram turn_seconds_;
  Histogram journal_seconds_;

  RecentFrames recent_;
  std::unique_ptr<SpoolWriter> writer_;
  // Reads the spools of jobs that had ended.
  std::unique_ptr<Strand> recoverer_;
  std::atomic<bool> stop_recovery_ = false;
  // Last: its thread uses the others.
  std::unique_ptr<Strand> strand_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_ENGINE_H_
