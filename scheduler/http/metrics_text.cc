#include "scheduler/http/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace internode::scheduler {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// In the order of core::JobState.
constexpr const char* kJobStates[] = {"queued",    "running",
                                      "completed", "completed_with_failures",
                                      "failed",    "cancelled"};

class Families {
 public:
  MetricFamily* Add(const char* name, MetricType type, const char* help) {
    MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
    return &family;
  }

  template <typename T>
  void Gauge(const char* name, T value, const char* help) {
    Add(name, MetricType::Gauge, help)->metric.emplace_back().gauge.value =
        static_cast<double>(value);
  }

  void Counter(const char* name, uint64_t value, const char* help) {
    Add(name, MetricType::Counter, help)->metric.emplace_back().counter.value =
        static_cast<double>(value);
  }

  void Histogram(const char* name, const Histogram::Counts& counts,
                 const char* help) {
    ClientMetric& metric =
        Add(name, MetricType::Histogram, help)->metric.emplace_back();
    metric.histogram.sample_count = counts.count;
    metric.histogram.sample_sum = counts.sum_seconds;
    uint64_t cumulative = 0;
    for (size_t i = 0; i < counts.buckets.size(); ++i) {
      cumulative += counts.buckets[i];
      const double bound = i < Bounds().size()
                               ? static_cast<double>(Bounds()[i]) / 1e6
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
  }

  std::string Text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  static const decltype(scheduler::Histogram::kBoundsMicros)& Bounds() {
    return scheduler::Histogram::kBoundsMicros;
  }

  std::vector<MetricFamily> families_;
};

void AddState(MetricFamily* family, const char* state, int64_t value) {
  ClientMetric& metric = family->metric.emplace_back();
  metric.label.push_back({"state", state});
  metric.gauge.value = static_cast<double>(value);
}

}  // namespace

std::string MetricsText(const EngineStats& stats) {
  Families all;
  all.Gauge("internode_ready", stats.not_ready.empty() ? 1 : 0,
            "Whether results can be written and tasks are given out.");
  MetricFamily* const jobs =
      all.Add("internode_jobs", MetricType::Gauge, "Jobs by state.");
  for (size_t i = 0; i < stats.jobs.size(); ++i) {
    AddState(jobs, kJobStates[i], stats.jobs[i]);
  }
  MetricFamily* const tasks =
      all.Add("internode_tasks", MetricType::Gauge,
              "Tasks by state; those that have not ended of active jobs only.");
  AddState(tasks, "waiting", stats.tasks_waiting);
  AddState(tasks, "leased", stats.tasks_leased);
  AddState(tasks, "committing", stats.tasks_committing);
  AddState(tasks, "done", stats.tasks_done);
  AddState(tasks, "failed", stats.tasks_failed);
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
