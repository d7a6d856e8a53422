#ifndef INTERNODE_SCHEDULER_SPOOL_SPOOL_INDEX_H_
#define INTERNODE_SCHEDULER_SPOOL_SPOOL_INDEX_H_

#include <cstdint>
#include <optional>

#include "absl/container/btree_map.h"

#include "core/interval_set.h"

namespace internode::scheduler {

// Where a frame lies.
struct FramePosition {
  uint32_t segment = 0;
  // At most internode::core::kMaxFrameBytes.
  uint32_t frame_bytes = 0;
  int64_t offset = 0;

  friend bool operator==(const FramePosition&, const FramePosition&) = default;
};

// The tasks of a job that are in the spool, and where: memory grows with the
// number of frames, not of tasks. A value; thread-compatible.
class SpoolIndex {
 public:
  // Consecutive tasks of one frame, perhaps not all of the frame's.
  struct Entry {
    internode::core::Interval tasks;
    FramePosition position;
  };

  // Enters the frame at `position`, which holds `tasks`. Tasks that are there
  // already stay where they are.
  void Add(internode::core::Interval tasks, const FramePosition& position);

  // The rest, from `task` on, of the entry that holds `task`.
  std::optional<Entry> Find(int64_t task) const;

  const internode::core::IntervalSet& done() const { return done_; }
  int64_t num_entries() const { return static_cast<int64_t>(entries_.size()); }

 private:
  struct Value {
    int64_t end = 0;
    FramePosition position;
  };
  // By first task; disjoint.
  absl::btree_map<int64_t, Value> entries_;
  internode::core::IntervalSet done_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_SPOOL_INDEX_H_
