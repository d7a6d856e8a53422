#include "client/cli/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/quantity.h"
#include "client/cli/report.h"

namespace internode::cli {
namespace {

constexpr int kBarCells = 10;

// A bar of kBarCells characters, each eight steps wide.
std::string Bar(double fraction) {
  static constexpr const char* kParts[] = {" ", "▏", "▎", "▍", "▌",
                                           "▋", "▊", "▉", "█"};
  int steps = static_cast<int>(fraction * kBarCells * 8);
  std::string bar;
  for (int cell = 0; cell < kBarCells; ++cell) {
    const int part = std::clamp(steps, 0, 8);
    bar += kParts[part];
    steps -= part;
  }
  return bar;
}

double Fraction(const ProgressState& state) {
  return state.pixels_all == 0 ? 1
                               : static_cast<double>(state.pixels_done) /
                                     static_cast<double>(state.pixels_all);
}

}  // namespace

absl::Duration ProgressInterval(ProgressMode mode) {
  switch (mode) {
    case ProgressMode::kBar:
      return absl::Milliseconds(100);
    case ProgressMode::kJson:
      return absl::Seconds(1);
    default:
      return absl::Seconds(5);
  }
}

std::string BarText(double fraction) {
  return absl::StrFormat("%3d%%|%s|", static_cast<int>(fraction * 100),
                         Bar(fraction));
}

std::string TimeLeftText(absl::Duration left) {
  return left == absl::InfiniteDuration() ? "?" : FormatClock(left);
}

void ShowProgressLine(ProgressMode mode, const std::string& bar,
                      const std::string& log, const std::string& json) {
  switch (mode) {
    case ProgressMode::kBar:
      // The rest of a longer line before it is cleared.
      std::fprintf(stderr, "\r%s\x1b[K", bar.c_str());
      break;
    case ProgressMode::kLog:
      std::fprintf(stderr, "%s\n", log.c_str());
      break;
    case ProgressMode::kJson:
      std::fprintf(stderr, "%s\n", json.c_str());
      break;
    case ProgressMode::kNone:
      break;
  }
}

ProgressMode ProgressModeOf(absl::string_view name, bool terminal) {
  if (name == "bar") return ProgressMode::kBar;
  if (name == "log") return ProgressMode::kLog;
  if (name == "json") return ProgressMode::kJson;
  if (name == "none") return ProgressMode::kNone;
  return terminal ? ProgressMode::kBar : ProgressMode::kLog;
}

double ProgressState::pixels_per_second() const {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? static_cast<double>(pixels_done) / seconds : 0;
}

absl::Duration ProgressState::left() const {
  if (pixels_done == 0) return absl::InfiniteDuration();
  return elapsed * (static_cast<double>(pixels_all - pixels_done) /
                    static_cast<double>(pixels_done));
}

std::string BarLine(const ProgressState& state) {
  return absl::StrFormat("%s %s %s/%s px [%s<%s, %s px/s] seg %s fail %s",
                         state.label, BarText(Fraction(state)),
                         ShortCount(static_cast<double>(state.pixels_done)),
                         ShortCount(static_cast<double>(state.pixels_all)),
                         FormatClock(state.elapsed), TimeLeftText(state.left()),
                         ShortCount(state.pixels_per_second()),
                         ShortCount(static_cast<double>(state.records)),
                         ShortCount(static_cast<double>(state.failed)));
}

std::string LogLine(const ProgressState& state) {
  return absl::StrFormat(
      "%s: %d of %d pixels (%d%%) in %s, %s left, %s pixels/s, %d segments, "
      "%d failed",
      state.label, state.pixels_done, state.pixels_all,
      static_cast<int>(Fraction(state) * 100), FormatClock(state.elapsed),
      TimeLeftText(state.left()), ShortCount(state.pixels_per_second()),
      state.records, state.failed);
}

std::string JsonLine(const ProgressState& state) {
  const absl::Duration left = state.left();
  const Json json = {{"schema", 1},
                     {"label", state.label},
                     {"pixels_done", state.pixels_done},
                     {"pixels", state.pixels_all},
                     {"records", state.records},
                     {"failed", state.failed},
                     {"elapsed_s", absl::ToDoubleSeconds(state.elapsed)},
                     {"left_s", left == absl::InfiniteDuration()
                                    ? Json()
                                    : Json(absl::ToDoubleSeconds(left))}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Progress::Progress(ProgressMode mode, std::string label, int64_t pixels_all,
                   absl::Time start)
    : mode_(mode), start_(start), next_show_(start + ProgressInterval(mode)) {
  state_.label = std::move(label);
  state_.pixels_all = pixels_all;
}

void Progress::Update(const JobSummary& summary, absl::Time now) {
  state_.pixels_done = summary.num_pixels();
  state_.records = summary.records;
  state_.failed = summary.failed_pixels();
  state_.elapsed = now - start_;
  if (now < next_show_) return;
  next_show_ = now + ProgressInterval(mode_);
  Show();
}

void Progress::Finish(absl::Time now) {
  state_.elapsed = now - start_;
  // A job that was over before the first line needs none in a log.
  if (mode_ == ProgressMode::kLog && !shown_) return;
  Show();
  if (mode_ == ProgressMode::kBar) std::fputc('\n', stderr);
}

void Progress::Show() {
  shown_ = true;
  ShowProgressLine(mode_, BarLine(state_), LogLine(state_), JsonLine(state_));
}

}  // namespace internode::cli
