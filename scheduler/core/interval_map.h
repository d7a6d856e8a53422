#ifndef INTERNODE_SCHEDULER_CORE_INTERVAL_MAP_H_
#define INTERNODE_SCHEDULER_CORE_INTERVAL_MAP_H_

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"

#include "scheduler/core/ids.h"

namespace internode::scheduler::core {

// Values of disjoint intervals of integers: what IntervalSet is to a set, this
// is to a map. Lookups and changes cost O(log n) plus the intervals met. Equal
// neighbours are not joined. A value; thread-compatible.
template <typename Value>
class IntervalMap {
 public:
  struct Entry {
    Interval interval;
    Value value;
  };
  using Entries = absl::InlinedVector<Entry, 2>;

  bool empty() const { return entries_.empty(); }
  int64_t num_intervals() const {
    return static_cast<int64_t>(entries_.size());
  }

  // Gives every member of `interval` this value; empty ones change nothing.
  void Assign(Interval interval, Value value) {
    if (interval.end <= interval.begin) return;
    Erase(interval);
    entries_.emplace(interval.begin, Rest{interval.end, std::move(value)});
  }

  void Erase(Interval interval) {
    EraseIf(interval, [](const Value&) { return true; });
  }

  // Erases the members of `interval` whose value is this one.
  void EraseValue(Interval interval, const Value& value) {
    EraseIf(interval, [&](const Value& other) { return other == value; });
  }

  // The value of `i`; null where there is none.
  const Value* Find(int64_t i) const {
    const auto it = FirstReaching(i);
    if (it == entries_.end() || it->first > i) return nullptr;
    return &it->second.value;
  }

  // What is assigned within `interval`, ascending, cut to it.
  Entries Within(Interval interval) const {
    Entries found;
    if (interval.end <= interval.begin) return found;
    for (auto it = FirstReaching(interval.begin);
         it != entries_.end() && it->first < interval.end; ++it) {
      found.push_back({{std::max(it->first, interval.begin),
                        std::min(it->second.end, interval.end)},
                       it->second.value});
    }
    return found;
  }

  // The first of what is assigned within `interval`, cut to it; the value stays
  // the map's, and is null where there is none.
  std::pair<Interval, const Value*> First(Interval interval) const {
    const auto it = FirstReaching(interval.begin);
    if (it == entries_.end() || it->first >= interval.end ||
        interval.end <= interval.begin) {
      return {{interval.end, interval.end}, nullptr};
    }
    return {{std::max(it->first, interval.begin),
             std::min(it->second.end, interval.end)},
            &it->second.value};
  }

  Entries all() const {
    Entries found;
    for (const auto& [begin, rest] : entries_) {
      found.push_back({{begin, rest.end}, rest.value});
    }
    return found;
  }

 private:
  struct Rest {
    int64_t end = 0;
    Value value;
  };
  using Map = absl::btree_map<int64_t, Rest>;

  // The first interval that ends after `i`.
  typename Map::const_iterator FirstReaching(int64_t i) const {
    auto it = entries_.upper_bound(i);
    if (it != entries_.begin() && std::prev(it)->second.end > i) --it;
    return it;
  }

  template <typename Predicate>
  void EraseIf(Interval interval, Predicate erased) {
    if (interval.end <= interval.begin || entries_.empty()) return;
    int64_t at = interval.begin;
    while (true) {
      auto found = FirstReaching(at);
      if (found == entries_.end() || found->first >= interval.end) return;
      at = found->second.end;
      if (erased(found->second.value)) Cut(found->first, interval);
      if (at >= interval.end) return;
    }
  }

  // Takes `interval` out of the entry that begins at `begin`.
  void Cut(int64_t begin, Interval interval) {
    auto it = entries_.find(begin);
    const int64_t end = it->second.end;
    if (begin >= interval.begin && end <= interval.end) {
      entries_.erase(it);
      return;
    }
    if (end > interval.end) {
      Rest right = {end, it->second.value};
      if (begin < interval.begin) {
        it->second.end = interval.begin;
      } else {
        entries_.erase(it);
      }
      entries_.emplace(interval.end, std::move(right));
      return;
    }
    it->second.end = interval.begin;
  }

  Map entries_;
};

}  // namespace internode::scheduler::core

#endif  // INTERNODE_SCHEDULER_CORE_INTERVAL_MAP_H_
