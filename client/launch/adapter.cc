#include "client/launch/adapter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace internode::launch {

AdaptStep Adapter::Next(absl::Time now, int64_t tasks_left, int64_t tasks_done,
                        const std::vector<SlurmJob>& jobs) {
  NoteProgress(now, tasks_done, std::ssize(jobs));
  std::vector<SlurmJob> staying;
  for (const SlurmJob& job : jobs) {
    if (job.pending || job.left > rule_.lead) staying.push_back(job);
  }
  const int64_t present = std::ssize(staying);
  const int64_t wanted = Wanted(now, tasks_left, present);
  AdaptStep step;
  if (wanted > present && now < not_before_) {
    step.waits = absl::StrCat(
        "the last workers ended before they did any task; the next ones are "
        "submitted in ",
        absl::FormatDuration(absl::Ceil(not_before_ - now, absl::Seconds(1))),
        ": look into their logs");
  } else if (wanted > present) {
    step.submit = static_cast<int>(wanted - present);
    submitted_ = true;
    done_when_submitted_ = tasks_done;
  } else {
    LetGo(present - wanted, tasks_left == 0, staying, &step);
  }
  return step;
}

// Workers that came and went without a task done are no reason to send the
// next ones at once.
void Adapter::NoteProgress(absl::Time now, int64_t tasks_done,
                           int64_t present) {
  if (!submitted_) return;
  if (tasks_done != done_when_submitted_) {
    submitted_ = false;
    delay_ = absl::ZeroDuration();
    not_before_ = absl::InfinitePast();
  } else if (present == 0) {
    submitted_ = false;
    delay_ = std::clamp(delay_ * 2, rule_.first_delay, rule_.last_delay);
    not_before_ = now + delay_;
  }
}

int64_t Adapter::Wanted(absl::Time now, int64_t tasks_left, int64_t staying) {
  if (tasks_left > 0 || last_work_ == absl::InfiniteFuture()) last_work_ = now;
  const int64_t per_worker = std::max(1, rule_.tasks_per_worker);
  const int64_t useful = tasks_left / per_worker +
                         static_cast<int64_t>(tasks_left % per_worker != 0);
  int64_t wanted = std::clamp<int64_t>(useful, rule_.least, rule_.most);
  // The next job may come soon; those that are there stay for it.
  if (tasks_left == 0 && now - last_work_ < rule_.idle_timeout) {
    wanted = std::max(wanted, staying);
  }
  return wanted;
}

// Those that wait for a node go first, the newest ones first. One that runs
// goes only when there is no work at all: it may be in the midst of a task.
void Adapter::LetGo(int64_t surplus, bool idle,
                    const std::vector<SlurmJob>& staying,
                    AdaptStep* step) const {
  for (auto job = staying.rbegin(); job != staying.rend() && surplus > 0;
       ++job) {
    if (!job->pending) continue;
    step->cancel.push_back(job->id);
    --surplus;
  }
  for (auto job = staying.rbegin();
       job != staying.rend() && surplus > 0 && idle; ++job) {
    if (job->pending) continue;
    step->drain.push_back(job->id);
    --surplus;
  }
}

}  // namespace internode::launch
