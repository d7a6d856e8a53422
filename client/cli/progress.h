#ifndef INTERNODE_CLIENT_CLI_PROGRESS_H_
#define INTERNODE_CLIENT_CLI_PROGRESS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "internode/job.h"

namespace internode::cli {

enum class ProgressMode { kBar, kLog, kJson, kNone };

// "auto" is a bar on a terminal and lines elsewhere; "bar", "log", "json",
// "none".
ProgressMode ProgressModeOf(absl::string_view name, bool terminal);

// How often a mode shows something.
absl::Duration ProgressInterval(ProgressMode mode);

// "62%|██████▏   |".
std::string BarText(double fraction);

// "00:43:10", or "?" for an infinite time.
std::string TimeLeftText(absl::Duration left);

// Shows one line of progress on stderr, in the forms of the mode: drawn again
// on a terminal, or a line of its own.
void ShowProgressLine(ProgressMode mode, const std::string& bar,
                      const std::string& log, const std::string& json);

// How far a job is.
struct ProgressState {
  std::string label;
  int64_t pixels_done = 0;
  int64_t pixels_all = 0;
  int64_t records = 0;
  int64_t failed = 0;
  absl::Duration elapsed;

  double pixels_per_second() const;
  // What is left at the rate so far; infinite before the first pixel.
  absl::Duration left() const;
};

// "stats  62%|██████▏   | 15.5M/25.0M px [01:12:04<00:43:10, 3.6k px/s] seg
// 21.3M fail 12", without the line break.
std::string BarLine(const ProgressState& state);
// The same in words, for a log.
std::string LogLine(const ProgressState& state);
// {"pixels_done":…,"pixels":…,"records":…,"failed":…,"elapsed_s":…,"left_s":…}
std::string JsonLine(const ProgressState& state);

// Shows a job's progress on stderr, not more often than is of use.
// Thread-compatible.
class Progress {
 public:
  Progress(ProgressMode mode, std::string label, int64_t pixels_all,
           absl::Time start);

  void Update(const JobSummary& summary, absl::Time now);
  // The last state, and the end of the line.
  void Finish(absl::Time now);

 private:
  void Show();

  const ProgressMode mode_;
  const absl::Time start_;
  ProgressState state_;
  absl::Time next_show_;
  bool shown_ = false;
};

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_PROGRESS_H_
