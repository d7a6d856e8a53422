#ifndef INTERNODE_CORE_INTERVAL_SET_H_
#define INTERNODE_CORE_INTERVAL_SET_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"

namespace internode::core {

// The half-open range [begin, end) of task numbers.
struct Interval {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
  friend bool operator==(const Interval&, const Interval&) = default;
};

// A set of integers kept as disjoint, not touching, ascending intervals:
// memory grows with the number of gaps, not of members. Adding and removing
// cost O(log n) plus the intervals that disappear. A value; thread-compatible.
class IntervalSet {
 public:
  IntervalSet() = default;
  explicit IntervalSet(Interval interval) { Add(interval); }

  // Empty intervals (end <= begin) change nothing.
  void Add(Interval interval);
  void Remove(Interval interval);
  void Add(const IntervalSet& other);
  void Remove(const IntervalSet& other);
  void Clear();

  bool Contains(int64_t i) const;
  // Whether every member of `interval` is in the set; true for an empty one.
  bool ContainsAll(Interval interval) const;
  // Members, and members within `interval`.
  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t CountWithin(Interval interval) const;
  // Maximal runs of members.
  int64_t num_intervals() const {
    return static_cast<int64_t>(few_.size() + many_.size());
  }

  // The first maximal run; nothing when empty.
  std::optional<Interval> First() const;
  // The last maximal run; nothing when empty.
  std::optional<Interval> Last() const;
  // The first maximal run with a member >= i, cut to begin at or after i.
  std::optional<Interval> NextFrom(int64_t i) const;
  // Members of `interval` that are in the set, and those that are not.
  IntervalSet Intersection(Interval interval) const;
  IntervalSet Missing(Interval interval) const;

  // Removes and returns the first members, in one run, `most` at the most.
  std::optional<Interval> TakeFront(int64_t most);
  // Removes and returns the last members, in one run, `most` at the most.
  std::optional<Interval> TakeBack(int64_t most);

  std::vector<Interval> intervals() const;

  friend bool operator==(const IntervalSet& a, const IntervalSet& b) {
    return a.size_ == b.size_ && a.num_intervals() == b.num_intervals() &&
           a.intervals() == b.intervals();
  }

 private:
  // begin -> end.
  using Tree = absl::btree_map<int64_t, int64_t>;

  // The first run that ends after `i`; nothing if there is none.
  std::optional<Interval> FirstReaching(int64_t i) const;
  void AddToFew(Interval interval);
  void AddToMany(Interval interval);
  void RemoveFromFew(Interval interval);
  void RemoveFromMany(Interval interval);

  // The runs, in the one or the other: most sets have one run, or two.
  absl::InlinedVector<Interval, 1> few_;
  Tree many_;
  int64_t size_ = 0;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_INTERVAL_SET_H_
