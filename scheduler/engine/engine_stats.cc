#include "scheduler/engine/engine_stats.h"

#include <utility>

#include "scheduler/engine/engine.h"

namespace internode::scheduler {

void Engine::GetStats(Reply<EngineStats> reply) {
  strand_->Post([this, reply = std::move(reply)]() mutable {
    EngineStats stats;
    stats.counters = counters_;
    for (const core::JobInfo& job : core_.Jobs()) {
      ++stats.jobs[static_cast<size_t>(job.state)];
      stats.tasks_done += job.done;
      stats.tasks_failed += job.failed;
      if (core::IsTerminal(job.state)) continue;
      stats.tasks_waiting += job.pending + job.retrying + job.suspect;
      stats.tasks_leased += job.leased;
      stats.tasks_committing += job.committing;
    }
    for (const auto& [id, entry] : jobs_) {
      if (!entry->recovering) continue;
      ++stats.jobs[static_cast<size_t>(entry->stored_state)];
      stats.tasks_done += entry->stored_done;
      stats.tasks_failed += entry->stored_failed;
    }
    const core::ClusterInfo cluster = core_.Cluster();
    stats.workers = cluster.num_workers;
    stats.workers_idle = cluster.num_idle;
    stats.cores = cluster.num_slots;
    stats.leases = cluster.num_leases;
    stats.frame_bytes_waiting = writer_->waiting_bytes();
    stats.spool_bytes = spool_->disk_bytes();
    stats.spool_free_bytes = spool_->FreeBytes().value_or(-1);
    stats.queue_length = strand_->num_waiting();
    stats.turn_seconds = turn_seconds_.counts();
    stats.journal_commit_seconds = journal_seconds_.counts();
    stats.spool_commit_seconds = writer_->commit_seconds();
    stats.not_ready = NotReady();
    reply(std::move(stats));
  });
}

}  // namespace internode::scheduler
