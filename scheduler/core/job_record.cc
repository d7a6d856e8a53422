#include "scheduler/core/job_record.h"

#include <algorithm>
#include <utility>

#include "base/round_up.h"

namespace internode::scheduler::core {
namespace {

// How many runs of tasks to retry are looked at for one worker.
constexpr int kMostRuns = 8;

}  // namespace

void Trouble::Remember(Happening happening) {
  worker = happening.worker;
  since = ToNanos(happening.when);
  if (history.size() == kMostHappenings) history.erase(history.begin());
  history.push_back(std::move(happening));
}

void JobRecord::Return(Interval tasks) {
  if (tasks.end <= tasks.begin) return;
  cursor = std::min(cursor, tasks.begin);
  while (tasks.begin < tasks.end) {
    const auto [interval, trouble] = troubles.First(tasks);
    pending.Add({tasks.begin, interval.begin});
    if (trouble != nullptr) {
      (trouble->deaths > 0 ? suspects : retry).Add(interval);
    }
    tasks.begin = interval.end;
  }
}

std::optional<Interval> JobRecord::TakePending(int64_t most, int64_t stretch,
                                               Place* place) {
  if (pending.empty() || most <= 0) return std::nullopt;
  std::optional<Interval> taken;
  if (place->job == id && place->next < place->stop) {
    const std::optional<Interval> run = pending.NextFrom(place->next);
    if (run.has_value() && run->begin == place->next) {
      taken = {run->begin,
               std::min({run->end, place->stop, run->begin + most})};
    }
  }
  if (!taken.has_value()) {
    const std::optional<Interval> run = pending.NextFrom(cursor);
    if (run.has_value()) {
      taken = {run->begin, std::min(run->end, run->begin + most)};
      place->stop =
          std::min(run->end, RoundUp(run->begin + std::max(stretch, most),
                                     policies.tasks_together));
      cursor = place->stop;
    } else {
      const Interval first = *pending.First();
      taken = {std::max(first.begin, first.end - most), first.end};
      // Not in the middle of what belongs together, if something is left then.
      const int64_t begin = RoundUp(taken->begin, policies.tasks_together);
      if (begin < taken->end && taken->begin > first.begin) {
        taken->begin = begin;
      }
      place->stop = first.end;
    }
  }
  place->job = id;
  place->next = taken->end;
  pending.Remove(*taken);
  return taken;
}

std::optional<Interval> JobRecord::TakeRetry(int64_t most, WorkerId worker,
                                             Nanos patience_from,
                                             bool anywhere) {
  int64_t at = 0;
  for (int look = 0; look < kMostRuns; ++look) {
    const std::optional<Interval> run = retry.NextFrom(at);
    if (!run.has_value()) return std::nullopt;
    const auto [interval, trouble] = troubles.First(*run);
    if (anywhere || trouble == nullptr || trouble->worker != worker ||
        trouble->since <= patience_from) {
      const Interval taken = {run->begin,
                              std::min(interval.end, run->begin + most)};
      retry.Remove(taken);
      return taken;
    }
    at = interval.end;
  }
  return std::nullopt;
}

int64_t JobRecord::num_runs() const {
  int64_t runs = holders.num_intervals() + copies.num_intervals() +
                 troubles.num_intervals() + failures.num_intervals();
  for (const IntervalSet* set :
       {&pending, &retry, &suspects, &committing, &done, &failed}) {
    runs += set->num_intervals();
  }
  return runs;
}

std::optional<Interval> JobRecord::TakeSuspects() {
  const std::optional<Interval> run = suspects.First();
  if (!run.has_value()) return std::nullopt;
  const auto [interval, trouble] = troubles.First(*run);
  const int64_t piece = trouble == nullptr ? 1 : trouble->piece;
  const Interval taken = {run->begin,
                          std::min(interval.end, run->begin + piece)};
  suspects.Remove(taken);
  return taken;
}

}  // namespace internode::scheduler::core
