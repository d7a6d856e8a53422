#ifndef INTERNODE_SCHEDULER_ENGINE_ENGINE_STATS_H_
#define INTERNODE_SCHEDULER_ENGINE_ENGINE_STATS_H_

#include <array>
#include <cstdint>
#include <string>

#include "scheduler/engine/metrics.h"

namespace internode::scheduler {

// What happened since the engine was opened.
struct EngineCounters {
  uint64_t events = 0;
  uint64_t turns = 0;
  uint64_t jobs_submitted = 0;
  uint64_t leases_granted = 0;
  uint64_t tasks_granted = 0;
  uint64_t tasks_failed = 0;
  uint64_t frames_received = 0;
  uint64_t frame_bytes_received = 0;
  uint64_t frames_dropped = 0;
  uint64_t workers_joined = 0;
  uint64_t workers_lost = 0;
  uint64_t processes_died = 0;
  uint64_t liars_closed = 0;
};

// A snapshot for operators.
struct EngineStats {
  EngineCounters counters;
  // By core::JobState.
  std::array<int64_t, 6> jobs{};
  // Of jobs that have not ended.
  int64_t tasks_waiting = 0;
  int64_t tasks_leased = 0;
  int64_t tasks_committing = 0;
  // Of all jobs.
  int64_t tasks_done = 0;
  int64_t tasks_failed = 0;
  int64_t workers = 0;
  int64_t workers_idle = 0;
  int64_t cores = 0;
  int64_t leases = 0;
  // Bytes of frames that wait to be written.
  int64_t frame_bytes_waiting = 0;
  int64_t spool_bytes = 0;
  // On the spool's file system; -1: not known.
  int64_t spool_free_bytes = -1;
  int64_t queue_length = 0;
  Histogram::Counts turn_seconds;
  Histogram::Counts journal_commit_seconds;
  Histogram::Counts spool_commit_seconds;
  // Why it is not ready; empty if it is.
  std::string not_ready;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_ENGINE_STATS_H_
