#include "client/cli/read_advice.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "base/quantity.h"

namespace internode::cli {
namespace {

// Reading a storage chunk so often costs less than doing something about it.
constexpr double kHardlyMore = 1.1;
// A task that needs more memory than this is too large for most machines with
// one task per core.
constexpr int64_t kLargeTask = int64_t{1} << 30;

// What a shell takes as one word.
std::string Quoted(const std::string& text) {
  const bool plain =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' ||
               c == '-' || c == '+' || c == '=' || c == ',';
      });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

// "dir/cube.nc" becomes "dir/cube.rechunked.nc".
std::string OutPath(const std::string& path) {
  const size_t dot = path.rfind('.');
  const size_t slash = path.rfind('/');
  if (dot == std::string::npos || dot == 0 ||
      (slash != std::string::npos && dot < slash + 2)) {
    return path + ".rechunked";
  }
  return path.substr(0, dot) + ".rechunked" + path.substr(dot);
}

std::string Times(double amplification) {
  return absl::StrFormat("%.3g times", amplification);
}

void AdviseRechunk(const ReadSituation& situation, ReadAdvice* advice) {
  advice->kind = "rechunk";
  advice->command =
      absl::StrCat("internode cube rechunk ", Quoted(situation.path), " ",
                   Quoted(OutPath(situation.path)));
}

// What is said of tasks that cut through storage chunks.
void AdviseOnCuts(const ReadSituation& situation, ReadAdvice* advice) {
  const core::ReadCost& cost = situation.chosen.cost;
  const bool cached = cost.cached_amplification() <= kHardlyMore;
  advice->reasons.push_back(absl::StrCat(
      "tasks cut through storage chunks: each is needed ",
      Times(cost.amplification()), " on average",
      cached
          ? absl::StrCat("; the cache of ", FormatBytes(cost.cache_bytes),
                         " holds those that follow each other share")
          : absl::StrCat("; a cache of ", FormatBytes(cost.wanted_cache_bytes),
                         " would hold what they share")));
  const GridCost& automatic = situation.automatic;
  if (automatic.cost.amplification() < cost.amplification() &&
      automatic.task_bytes <= kLargeTask) {
    advice->kind = cached ? "ok" : "chunks";
    advice->chunks = ChunkSizesText(automatic.grid);
    advice->reasons.push_back(
        absl::StrCat("--chunks ", advice->chunks,
                     " (what --chunks auto chooses) needs each ",
                     Times(automatic.cost.amplification()), ", with ",
                     FormatBytes(automatic.task_bytes), " of memory per task"));
  } else if (!cached) {
    AdviseRechunk(situation, advice);
    advice->reasons.push_back(
        absl::StrCat("tasks that fit the storage chunks would need ",
                     FormatBytes(automatic.task_bytes), " of memory each"));
  }
}

}  // namespace

std::string ChunkSizesText(const core::ChunkGrid& grid) {
  std::vector<std::string> parts;
  for (size_t d = 0; d < grid.dims().size(); ++d) {
    const core::DimensionCut& cut = grid.cuts()[d];
    // Longer tasks than the dimension are the dimension.
    parts.push_back(absl::StrCat(grid.dims()[d].name, "=",
                                 std::min(cut.chunk, grid.dims()[d].size)));
  }
  return absl::StrJoin(parts, ",");
}

ReadAdvice AdviseOnReading(const ReadSituation& situation) {
  ReadAdvice advice;
  advice.kind = "ok";
  const GridCost& chosen = situation.chosen;
  if (chosen.cost.amplification() > kHardlyMore) {
    AdviseOnCuts(situation, &advice);
  } else {
    advice.reasons.push_back(
        chosen.cost.amplification() == 1
            ? "tasks fit the storage chunks: none is needed twice"
            : absl::StrCat("tasks nearly fit the storage chunks: each is "
                           "needed ",
                           Times(chosen.cost.amplification()), " on average"));
  }
  if (chosen.task_bytes > kLargeTask) {
    if (advice.kind == "ok") AdviseRechunk(situation, &advice);
    advice.reasons.push_back(absl::StrCat(
        "a task needs ", FormatBytes(chosen.task_bytes), " of memory",
        situation.holds_series
            ? ""
            : ", because storage chunks hold many pixels and few dates"));
  } else if (!situation.holds_series) {
    advice.reasons.push_back(
        "storage chunks hold part of the dates only; a cube that is used more "
        "than once is worth storing anew");
    if (advice.command.empty()) {
      advice.command =
          absl::StrCat("internode cube rechunk ", Quoted(situation.path), " ",
                       Quoted(OutPath(situation.path)));
    }
  }
  if (!situation.slow_variables.empty()) {
    advice.reasons.push_back(absl::StrCat(
        "the HDF5 library has to read ",
        absl::StrJoin(situation.slow_variables, "; "),
        ": one thread of a process at a time, so that processes help "
        "(--nprocs) and threads do not"));
    if (advice.command.empty()) AdviseRechunk(situation, &advice);
  }
  const int64_t workers =
      int64_t{situation.threads} * int64_t{situation.processes};
  if (chosen.cost.tasks > 0 && chosen.cost.tasks < workers) {
    advice.reasons.push_back(absl::StrCat(chosen.cost.tasks, " tasks leave ",
                                          workers - chosen.cost.tasks, " of ",
                                          workers, " threads without work"));
  }
  return advice;
}

}  // namespace internode::cli
