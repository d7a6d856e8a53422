#include "base/resident_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace internode {

int64_t ResidentBytes(pid_t pid) {
  // Asked for several times a second, for which a stream is too much.
  const int file =
      open(absl::StrCat("/proc/", pid, "/statm").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 128> text;
  const ssize_t bytes = read(file, text.data(), text.size());
  close(file);
  if (bytes <= 0) return 0;
  const std::vector<absl::string_view> pages = absl::StrSplit(
      absl::string_view(text.data(), static_cast<size_t>(bytes)), ' ');
  int64_t resident = 0;
  if (pages.size() < 2 || !absl::SimpleAtoi(pages[1], &resident)) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace internode
