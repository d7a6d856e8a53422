#include "scheduler/spool/spool_index.h"

#include <iterator>

namespace internode::scheduler {

void SpoolIndex::Add(internode::core::Interval tasks,
                     const FramePosition& position) {
  for (const internode::core::Interval& missing :
       done_.Missing(tasks).intervals()) {
    entries_[missing.begin] = {.end = missing.end, .position = position};
  }
  done_.Add(tasks);
}

std::optional<SpoolIndex::Entry> SpoolIndex::Find(int64_t task) const {
  auto it = entries_.upper_bound(task);
  if (it == entries_.begin()) return std::nullopt;
  --it;
  if (it->second.end <= task) return std::nullopt;
  return Entry{.tasks = {task, it->second.end},
               .position = it->second.position};
}

}  // namespace internode::scheduler
