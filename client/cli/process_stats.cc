#include "client/cli/process_stats.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace internode::cli {

bool ParseProcessStat(absl::string_view line, ProcessStats* stats) {
  // The name is in parentheses, and may hold some itself.
  const size_t open = line.find('(');
  const size_t close = line.rfind(')');
  if (open == absl::string_view::npos || close == absl::string_view::npos ||
      close < open) {
    return false;
  }
  stats->name = std::string(line.substr(open + 1, close - open - 1));
  const std::vector<absl::string_view> fields =
      absl::StrSplit(line.substr(close + 1), ' ', absl::SkipWhitespace());
  // Numbers 4, 14, 15 and 24 of proc(5), of which the first two are cut off.
  int64_t user = 0;
  int64_t system = 0;
  int64_t pages = 0;
  if (fields.size() < 22 ||
      !absl::SimpleAtoi(line.substr(0, open), &stats->pid) ||
      !absl::SimpleAtoi(fields[1], &stats->parent) ||
      !absl::SimpleAtoi(fields[11], &user) ||
      !absl::SimpleAtoi(fields[12], &system) ||
      !absl::SimpleAtoi(fields[21], &pages)) {
    return false;
  }
  stats->cpu_seconds = static_cast<double>(user + system) /
                       static_cast<double>(sysconf(_SC_CLK_TCK));
  stats->rss_bytes = pages * sysconf(_SC_PAGESIZE);
  return true;
}

std::vector<ProcessStats> ReadProcessTree(const std::vector<int64_t>& roots) {
  std::vector<ProcessStats> all;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end;
       !error && entry != end; entry.increment(error)) {
    int64_t pid = 0;
    if (!absl::SimpleAtoi(entry->path().filename().string(), &pid)) continue;
    std::ifstream in(entry->path() / "stat");
    std::string line;
    ProcessStats stats;
    if (std::getline(in, line) && ParseProcessStat(line, &stats)) {
      all.push_back(std::move(stats));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const ProcessStats& a, const ProcessStats& b) {
              return a.pid < b.pid;
            });
  std::vector<int64_t> wanted = roots;
  const auto is_wanted = [&wanted](int64_t pid) {
    return std::find(wanted.begin(), wanted.end(), pid) != wanted.end();
  };
  // Until nothing is added: a child's number may be below its parent's.
  for (size_t before = 0; before != wanted.size();) {
    before = wanted.size();
    for (const ProcessStats& stats : all) {
      if (!is_wanted(stats.pid) && is_wanted(stats.parent)) {
        wanted.push_back(stats.pid);
      }
    }
  }
  std::erase_if(
      all, [&](const ProcessStats& stats) { return !is_wanted(stats.pid); });
  return all;
}

}  // namespace internode::cli
