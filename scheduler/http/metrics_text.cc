#include "scheduler/http/metrics_text.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "http/metric_families.h"

namespace internode::scheduler {
namespace {

// In the order of core::JobState.
constexpr const char* kJobStates[] = {"queued",    "running",
                                      "completed", "completed_with_failures",
                                      "failed",    "cancelled"};

class Families {
 public:
  template <typename T>
  void Gauge(const char* name, T value, const char* help) {
    all_.Gauge(name, static_cast<double>(value), help);
  }
  void States(const char* name, const char* help,
              const std::vector<std::pair<std::string, double>>& by_state) {
    all_.Gauge(name, help, by_state);
  }
  void Counter(const char* name, uint64_t value, const char* help) {
    all_.Counter(name, value, help);
  }
  void Histogram(const char* name, const Histogram::Counts& counts,
                 const char* help) {
    std::vector<double> bounds;
    bounds.reserve(std::size(scheduler::Histogram::kBoundsMicros));
    for (const auto micros : scheduler::Histogram::kBoundsMicros) {
      bounds.push_back(static_cast<double>(micros) / 1e6);
    }
    all_.Histogram(name, bounds, counts.buckets, counts.count,
                   counts.sum_seconds, help);
  }
  std::string Text() const { return all_.Text(); }

 private:
  http::MetricFamilies all_;
};

}  // namespace

std::string MetricsText(const EngineStats& stats) {
  Families all;
  all.Gauge("internode_ready", stats.not_ready.empty() ? 1 : 0,
            "Whether results can be written and tasks are given out.");
  std::vector<std::pair<std::string, double>> jobs;
  for (size_t i = 0; i < stats.jobs.size(); ++i) {
    jobs.emplace_back(kJobStates[i], stats.jobs[i]);
  }
  all.States("internode_jobs", "Jobs by state.", jobs);
  all.States("internode_tasks",
             "Tasks by state; those that have not ended of active jobs only.",
             {{"waiting", stats.tasks_waiting},
              {"leased", stats.tasks_leased},
              {"committing", stats.tasks_committing},
              {"done", stats.tasks_done},
              {"failed", stats.tasks_failed}});
  all.Gauge("internode_workers", stats.workers, "Connected worker processes.");
  all.Gauge("internode_workers_idle", stats.workers_idle,
            "Worker processes with fewer tasks than threads.");
  all.Gauge("internode_cores", stats.cores, "Compute threads of all workers.");
  all.Gauge("internode_leases", stats.leases, "Leases that have not ended.");
  all.Gauge("internode_frame_bytes_waiting", stats.frame_bytes_waiting,
            "Bytes of frames that wait to be written.");
  all.Gauge("internode_spool_bytes", stats.spool_bytes,
            "Bytes of all results on disk.");
  all.Gauge("internode_spool_free_bytes", stats.spool_free_bytes,
            "Free bytes of the file system of the results; -1: not known.");
  all.Gauge("internode_queue_length", stats.queue_length,
            "Events that wait for the engine.");
  const EngineCounters& counters = stats.counters;
  all.Counter("internode_events_total", counters.events,
              "Events that the core handled.");
  all.Counter("internode_turns_total", counters.turns, "Turns of the engine.");
  all.Counter("internode_jobs_submitted_total", counters.jobs_submitted,
              "Jobs that were submitted.");
  all.Counter("internode_leases_granted_total", counters.leases_granted,
              "Leases that were granted.");
  all.Counter("internode_tasks_granted_total", counters.tasks_granted,
              "Tasks in the leases that were granted.");
  all.Counter("internode_tasks_failed_total", counters.tasks_failed,
              "Tasks that failed for good.");
  all.Counter("internode_frames_received_total", counters.frames_received,
              "Frames that workers sent.");
  all.Counter("internode_frame_bytes_received_total",
              counters.frame_bytes_received, "Bytes of these frames.");
  all.Counter("internode_frames_dropped_total", counters.frames_dropped,
              "Frames of which no task was wanted.");
  all.Counter("internode_workers_joined_total", counters.workers_joined,
              "Connections of worker processes.");
  all.Counter("internode_workers_lost_total", counters.workers_lost,
              "Connections of worker processes that ended.");
  all.Counter("internode_processes_died_total", counters.processes_died,
              "Worker processes that ended by themselves.");
  all.Counter("internode_streams_refused_total", counters.liars_closed,
              "Streams that were closed for what came over them.");
  all.Histogram("internode_turn_seconds", stats.turn_seconds,
                "How long the end of a turn takes.");
  all.Histogram("internode_journal_commit_seconds",
                stats.journal_commit_seconds,
                "How long a commit of the journal takes.");
  all.Histogram("internode_spool_commit_seconds", stats.spool_commit_seconds,
                "How long a commit of the spool takes.");
  return all.Text();
}

}  // namespace internode::scheduler
