#include "client/cli/byte_progress.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_format.h"

#include "base/quantity.h"
#include "client/cli/report.h"

namespace internode::cli {

ByteProgress::ByteProgress(ProgressMode mode, std::string label,
                           absl::Time start)
    : mode_(mode),
      label_(std::move(label)),
      start_(start),
      next_show_(start + ProgressInterval(mode)) {}

void ByteProgress::Update(int64_t done, int64_t all, absl::Time now) {
  done_ = done;
  all_ = all;
  elapsed_ = now - start_;
  if (now < next_show_) return;
  next_show_ = now + ProgressInterval(mode_);
  Show();
}

void ByteProgress::Finish(absl::Time now) {
  elapsed_ = now - start_;
  // What was over before the first line needs none in a log.
  if (mode_ == ProgressMode::kLog && !shown_) return;
  Show();
  if (mode_ == ProgressMode::kBar) std::fputc('\n', stderr);
}

void ByteProgress::Show() {
  shown_ = true;
  const double part =
      all_ == 0 ? 1 : static_cast<double>(done_) / static_cast<double>(all_);
  const double seconds = absl::ToDoubleSeconds(elapsed_);
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  const absl::Duration left =
      part == 0 ? absl::InfiniteDuration() : elapsed_ * ((1 - part) / part);
  const std::string done = FormatBytes(done_);
  const std::string all = FormatBytes(all_);
  const Json json = {
      {"schema", 1},
      {"label", label_},
      {"bytes_done", done_},
      {"bytes", all_},
      {"elapsed_s", seconds},
      {"left_s", part == 0 ? Json() : Json(absl::ToDoubleSeconds(left))}};
  ShowProgressLine(
      mode_,
      absl::StrFormat("%s %s %s/%s [%s<%s, %.0f MB/s]", label_, BarText(part),
                      done, all, FormatClock(elapsed_), TimeLeftText(left),
                      rate / 1e6),
      absl::StrFormat("%s: %s of %s (%d%%) in %s, %s left, %.0f MB/s", label_,
                      done, all, static_cast<int>(part * 100),
                      FormatClock(elapsed_), TimeLeftText(left), rate / 1e6),
      json.dump());
}

}  // namespace internode::cli
