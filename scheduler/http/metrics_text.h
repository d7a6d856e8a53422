#ifndef INTERNODE_SCHEDULER_HTTP_METRICS_TEXT_H_
#define INTERNODE_SCHEDULER_HTTP_METRICS_TEXT_H_

#include <string>

#include "scheduler/engine/engine_stats.h"

namespace internode::scheduler {

// The statistics in Prometheus' text format. docs/operations.md names them.
std::string MetricsText(const EngineStats& stats);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_HTTP_METRICS_TEXT_H_
