#include "core/interval_set.h"

#include <algorithm>
#include <iterator>

namespace internode::core {
namespace {

// Runs are kept in a tree when there are more than kMostFew, until there are
// not more than kFewAgain.
constexpr size_t kMostFew = 12;
constexpr size_t kFewAgain = 2;

}  // namespace

void IntervalSet::Add(Interval interval) {
  if (interval.end <= interval.begin) return;
  if (!many_.empty()) {
    AddToMany(interval);
    return;
  }
  AddToFew(interval);
  if (few_.size() <= kMostFew) return;
  for (const Interval& run : few_) {
    many_.emplace_hint(many_.end(), run.begin, run.end);
  }
  few_.clear();
}

void IntervalSet::AddToFew(Interval interval) {
  const auto first = std::find_if(
      few_.begin(), few_.end(),
      [&](const Interval& run) { return run.end >= interval.begin; });
  auto last = first;
  for (; last != few_.end() && last->begin <= interval.end; ++last) {
    interval.begin = std::min(interval.begin, last->begin);
    interval.end = std::max(interval.end, last->end);
    size_ -= last->size();
  }
  size_ += interval.size();
  if (first == last) {
    few_.insert(first, interval);
    return;
  }
  *first = interval;
  few_.erase(first + 1, last);
}

void IntervalSet::AddToMany(Interval interval) {
  auto it = many_.upper_bound(interval.begin);
  auto target = it;
  // The run before that reaches or touches the new one grows.
  if (it != many_.begin() && std::prev(it)->second >= interval.begin) {
    target = std::prev(it);
    if (target->second >= interval.end) return;
    size_ += interval.end - target->second;
    target->second = interval.end;
  } else {
    target = many_.emplace_hint(it, interval.begin, interval.end);
    size_ += interval.size();
  }
  const int64_t begin = target->first;
  int64_t end = interval.end;
  it = std::next(target);
  if (it == many_.end() || it->first > end) return;
  while (it != many_.end() && it->first <= interval.end) {
    size_ -= std::min(it->second, interval.end) - it->first;
    end = std::max(end, it->second);
    it = many_.erase(it);
  }
  many_.find(begin)->second = end;
}

void IntervalSet::Remove(Interval interval) {
  if (interval.end <= interval.begin) return;
  if (many_.empty()) {
    RemoveFromFew(interval);
    return;
  }
  RemoveFromMany(interval);
  if (many_.size() > kFewAgain) return;
  for (const auto& [begin, end] : many_) few_.push_back({begin, end});
  many_.clear();
}

void IntervalSet::RemoveFromFew(Interval interval) {
  auto it = std::find_if(few_.begin(), few_.end(), [&](const Interval& run) {
    return run.end > interval.begin;
  });
  if (it == few_.end() || it->begin >= interval.end) return;
  if (it->begin < interval.begin) {
    const Interval rest = {interval.end, it->end};
    size_ -= std::min(it->end, interval.end) - interval.begin;
    it->end = interval.begin;
    ++it;
    if (rest.end > rest.begin) {
      few_.insert(it, rest);
      return;
    }
  }
  auto last = it;
  for (; last != few_.end() && last->end <= interval.end; ++last) {
    size_ -= last->size();
  }
  if (last != few_.end() && last->begin < interval.end) {
    size_ -= interval.end - last->begin;
    last->begin = interval.end;
  }
  few_.erase(it, last);
}

void IntervalSet::RemoveFromMany(Interval interval) {
  auto it = many_.upper_bound(interval.begin);
  if (it != many_.begin() && std::prev(it)->second > interval.begin) --it;
  if (it != many_.end() && it->first < interval.begin) {
    const int64_t end = it->second;
    size_ -= std::min(end, interval.end) - interval.begin;
    it->second = interval.begin;
    ++it;
    if (end > interval.end) {
      many_.emplace_hint(it, interval.end, end);
      return;
    }
  }
  while (it != many_.end() && it->first < interval.end) {
    const Interval run = {it->first, it->second};
    it = many_.erase(it);
    size_ -= std::min(run.end, interval.end) - run.begin;
    if (run.end > interval.end) {
      many_.emplace_hint(it, interval.end, run.end);
      return;
    }
  }
}

void IntervalSet::Add(const IntervalSet& other) {
  for (const Interval& run : other.few_) Add(run);
  for (const auto& [begin, end] : other.many_) Add({begin, end});
}

void IntervalSet::Remove(const IntervalSet& other) {
  for (const Interval& run : other.few_) Remove(run);
  for (const auto& [begin, end] : other.many_) Remove({begin, end});
}

void IntervalSet::Clear() {
  few_.clear();
  many_.clear();
  size_ = 0;
}

std::optional<Interval> IntervalSet::FirstReaching(int64_t i) const {
  if (many_.empty()) {
    for (const Interval& run : few_) {
      if (run.end > i) return run;
    }
    return std::nullopt;
  }
  auto it = many_.upper_bound(i);
  if (it != many_.begin() && std::prev(it)->second > i) --it;
  if (it == many_.end()) return std::nullopt;
  return Interval{it->first, it->second};
}

bool IntervalSet::Contains(int64_t i) const {
  const std::optional<Interval> run = FirstReaching(i);
  return run.has_value() && run->begin <= i;
}

bool IntervalSet::ContainsAll(Interval interval) const {
  if (interval.end <= interval.begin) return true;
  const std::optional<Interval> run = FirstReaching(interval.begin);
  return run.has_value() && run->begin <= interval.begin &&
         run->end >= interval.end;
}

int64_t IntervalSet::CountWithin(Interval interval) const {
  int64_t count = 0;
  for (std::optional<Interval> run = NextFrom(interval.begin);
       run.has_value() && run->begin < interval.end; run = NextFrom(run->end)) {
    count += std::min(run->end, interval.end) - run->begin;
  }
  return count;
}

std::optional<Interval> IntervalSet::First() const {
  if (!few_.empty()) return few_.front();
  if (many_.empty()) return std::nullopt;
  return Interval{many_.begin()->first, many_.begin()->second};
}

std::optional<Interval> IntervalSet::Last() const {
  if (!few_.empty()) return few_.back();
  if (many_.empty()) return std::nullopt;
  const auto last = std::prev(many_.end());
  return Interval{last->first, last->second};
}

std::optional<Interval> IntervalSet::NextFrom(int64_t i) const {
  std::optional<Interval> run = FirstReaching(i);
  if (run.has_value()) run->begin = std::max(run->begin, i);
  return run;
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
  std::optional<Interval> taken = First();
  if (!taken.has_value() || most <= 0) return std::nullopt;
  if (taken->size() > most) taken->end = taken->begin + most;
  Remove(*taken);
  return taken;
}

std::optional<Interval> IntervalSet::TakeBack(int64_t most) {
  std::optional<Interval> taken = Last();
  if (!taken.has_value() || most <= 0) return std::nullopt;
  if (taken->size() > most) taken->begin = taken->end - most;
  Remove(*taken);
  return taken;
}

std::vector<Interval> IntervalSet::intervals() const {
  if (many_.empty()) return {few_.begin(), few_.end()};
  std::vector<Interval> all;
  all.reserve(many_.size());
  for (const auto& [begin, end] : many_) all.push_back({begin, end});
  return all;
}

}  // namespace internode::core
