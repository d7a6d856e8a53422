#ifndef INTERNODE_SCHEDULER_CORE_IDS_H_
#define INTERNODE_SCHEDULER_CORE_IDS_H_

#include <compare>
#include <cstdint>

#include "core/interval_set.h"

namespace internode::scheduler::core {

using ::internode::core::Interval;
using ::internode::core::IntervalSet;

// A number that names one thing of one kind; ids of different kinds do not mix.
template <typename Kind>
struct Id {
  uint64_t value = 0;

  friend auto operator<=>(const Id&, const Id&) = default;
};

// Given by whoever submits; never 0, never used twice.
using JobId = Id<struct JobKind>;
// One worker process. It keeps its id when it reconnects; each connection has
// a higher epoch than the one before.
using WorkerId = Id<struct WorkerKind>;
// Given by the core; unique over restarts of the scheduler.
using LeaseId = Id<struct LeaseKind>;
// One arrival of a frame; given by the engine, never used twice.
using FrameId = Id<struct FrameKind>;

// The number of a connection of one worker: higher is later.
using Epoch = uint64_t;

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_IDS_H_
