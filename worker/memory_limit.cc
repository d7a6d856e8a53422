#include "worker/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace internode::worker {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// "max", a number of bytes, or no such file.
int64_t LimitOf(const std::string& file) {
  std::ifstream in(file);
  std::string text;
  int64_t bytes = 0;
  if (!(in >> text) || !absl::SimpleAtoi(text, &bytes) || bytes <= 0) {
    return kNoLimit;
  }
  return bytes;
}

int64_t MachineMemory(const std::string& root) {
  std::ifstream in(absl::StrCat(root, "/proc/meminfo"));
  std::string name;
  int64_t kib = 0;
  std::string unit;
  while (in >> name >> kib) {
    std::getline(in, unit);
    if (name == "MemTotal:") return kib * 1024;
  }
  return kNoLimit;
}

// The smallest limit of the group and of those above it.
int64_t GroupLimit(const std::string& hierarchy, std::string group,
                   absl::string_view file) {
  int64_t limit = LimitOf(absl::StrCat(hierarchy, "/", file));
  while (group.size() > 1) {
    limit = std::min(limit, LimitOf(absl::StrCat(hierarchy, group, "/", file)));
    group.resize(group.rfind('/'));
  }
  return limit;
}

}  // namespace

int64_t UsableMemoryBelow(const std::string& root) {
  int64_t limit = MachineMemory(root);
  const std::string mount = absl::StrCat(root, "/sys/fs/cgroup");
  limit = std::min(limit, LimitOf(absl::StrCat(mount, "/memory.max")));
  std::ifstream in(absl::StrCat(root, "/proc/self/cgroup"));
  std::string line;
  while (std::getline(in, line)) {
    // "0::/group", or "4:memory:/group" in the first version.
    const std::vector<std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    if (parts[0] == "0") {
      limit = std::min(limit, GroupLimit(mount, parts[2], "memory.max"));
    }
    const std::vector<std::string> controllers = absl::StrSplit(parts[1], ',');
    if (std::find(controllers.begin(), controllers.end(), "memory") !=
        controllers.end()) {
      limit = std::min(limit, GroupLimit(absl::StrCat(mount, "/memory"),
                                         parts[2], "memory.limit_in_bytes"));
    }
  }
  return limit;
}

int64_t UsableMemory() { return UsableMemoryBelow(""); }

}  // namespace internode::worker
