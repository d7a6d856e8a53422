#include "tests/sim/fairness.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace internode::sim {

using ::internode::scheduler::core::IsTerminal;
using ::internode::scheduler::core::JobId;
using ::internode::scheduler::core::JobInfo;

void Fairness::Given(JobId job, absl::Duration work) { given_[job] += work; }

std::string Fairness::Look(const std::vector<JobInfo>& jobs) {
  std::map<int, Contest> now;
  std::map<JobId, absl::Duration> given;
  given.swap(given_);
  for (const JobInfo& job : jobs) {
    if (IsTerminal(job.state) || job.pending == 0) continue;
    now[job.priority].given[job.job] = absl::ZeroDuration();
  }
  const bool goes_on = !now.empty() && !contests_.empty() &&
                       now.rbegin()->first == contests_.rbegin()->first;
  for (const JobInfo& job : jobs) {
    if (goes_on && job.priority < now.rbegin()->first &&
        given[job.job] > absl::ZeroDuration()) {
      return absl::StrCat("job ", job.job.value,
                          " was given tasks before one of a higher priority");
    }
  }
  for (auto& [priority, contest] : now) {
    const auto before = contests_.find(priority);
    if (before == contests_.end()) continue;
    const bool same = std::equal(
        contest.given.begin(), contest.given.end(),
        before->second.given.begin(), before->second.given.end(),
        [](const auto& a, const auto& b) { return a.first == b.first; });
    if (same) contest = std::move(before->second);
  }
  contests_ = std::move(now);
  if (contests_.size() > 1) ++num_contests_;
  for (auto& [priority, contest] : contests_) {
    if (contest.given.size() < 2) continue;
    ++num_contests_;
    for (auto& [job, sum] : contest.given) sum += given[job];
    const auto [least, most] = std::minmax_element(
        contest.given.begin(), contest.given.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most->second > 1.5 * least->second + slack_) {
      return absl::StrCat("job ", most->first.value, " was given ",
                          absl::FormatDuration(most->second), ", job ",
                          least->first.value, " ",
                          absl::FormatDuration(least->second));
    }
  }
  return "";
}

}  // namespace internode::sim
