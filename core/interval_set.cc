#include "core/interval_set.h"

#include <algorithm>
#include <iterator>

namespace internode::core {

void IntervalSet::Add(Interval interval) {
  if (interval.end <= interval.begin) return;
  auto it = ends_.upper_bound(interval.begin);
  // The run before that reaches or touches the new one is absorbed too.
  if (it != ends_.begin() && std::prev(it)->second >= interval.begin) {
    it = std::prev(it);
  }
  while (it != ends_.end() && it->first <= interval.end) {
    interval.begin = std::min(interval.begin, it->first);
    interval.end = std::max(interval.end, it->second);
    size_ -= it->second - it->first;
    it = ends_.erase(it);
  }
  ends_.emplace_hint(it, interval.begin, interval.end);
  size_ += interval.size();
}

void IntervalSet::Remove(Interval interval) {
  if (interval.end <= interval.begin) return;
  auto it = ends_.upper_bound(interval.begin);
  if (it != ends_.begin() && std::prev(it)->second > interval.begin) {
    it = std::prev(it);
  }
  while (it != ends_.end() && it->first < interval.end) {
    const Interval run = {it->first, it->second};
    size_ -= run.size();
    it = ends_.erase(it);
    if (run.begin < interval.begin) {
      ends_.emplace(run.begin, interval.begin);
      size_ += interval.begin - run.begin;
    }
    if (run.end > interval.end) {
      ends_.emplace(interval.end, run.end);
      size_ += run.end - interval.end;
      break;
    }
  }
}

void IntervalSet::Add(const IntervalSet& other) {
  for (const auto& [begin, end] : other.ends_) Add({begin, end});
}

void IntervalSet::Remove(const IntervalSet& other) {
  for (const auto& [begin, end] : other.ends_) Remove({begin, end});
}

void IntervalSet::Clear() {
  ends_.clear();
  size_ = 0;
}

bool IntervalSet::Contains(int64_t i) const {
  const auto it = ends_.upper_bound(i);
  return it != ends_.begin() && std::prev(it)->second > i;
}

bool IntervalSet::ContainsAll(Interval interval) const {
  if (interval.end <= interval.begin) return true;
  const auto it = ends_.upper_bound(interval.begin);
  return it != ends_.begin() && std::prev(it)->second >= interval.end;
}

int64_t IntervalSet::CountWithin(Interval interval) const {
  return Intersection(interval).size();
}

std::optional<Interval> IntervalSet::First() const {
  if (ends_.empty()) return std::nullopt;
  return Interval{ends_.begin()->first, ends_.begin()->second};
}

std::optional<Interval> IntervalSet::Last() const {
  if (ends_.empty()) return std::nullopt;
  const auto last = std::prev(ends_.end());
  return Interval{last->first, last->second};
}

std::optional<Interval> IntervalSet::NextFrom(int64_t i) const {
  auto it = ends_.upper_bound(i);
  if (it != ends_.begin() && std::prev(it)->second > i) it = std::prev(it);
  if (it == ends_.end()) return std::nullopt;
  return Interval{std::max(it->first, i), it->second};
}

IntervalSet IntervalSet::Intersection(Interval interval) const {
  IntervalSet result;
  for (std::optional<Interval> run = NextFrom(interval.begin);
       run.has_value() && run->begin < interval.end; run = NextFrom(run->end)) {
    result.Add({run->begin, std::min(run->end, interval.end)});
  }
  return result;
}

IntervalSet IntervalSet::Missing(Interval interval) const {
  IntervalSet result(interval);
  result.Remove(Intersection(interval));
  return result;
}

std::optional<Interval> IntervalSet::TakeFront(int64_t most) {
  if (ends_.empty() || most <= 0) return std::nullopt;
  const auto& [begin, end] = *ends_.begin();
  const Interval taken = {begin, end - begin > most ? begin + most : end};
  Remove(taken);
  return taken;
}

std::optional<Interval> IntervalSet::TakeBack(int64_t most) {
  if (ends_.empty() || most <= 0) return std::nullopt;
  const auto& [begin, end] = *std::prev(ends_.end());
  const Interval taken = {end - begin > most ? end - most : begin, end};
  Remove(taken);
  return taken;
}

std::vector<Interval> IntervalSet::intervals() const {
  std::vector<Interval> all;
  all.reserve(ends_.size());
  for (const auto& [begin, end] : ends_) all.push_back({begin, end});
  return all;
}

}  // namespace internode::core
