#include "worker/path_below.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace internode::worker {
namespace {

constexpr int kLookOnly = O_PATH | O_CLOEXEC;

}  // namespace

int OpenBelow(int folder, const std::string& path) {
  open_how how = {};
  how.flags = kLookOnly;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, folder, path.c_str(), &how, sizeof(how));
  // Kernels before 5.6 lack it; filters of containers may forbid it.
  if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG)) {
    return OpenBelowByStep(folder, path);
  }
  return static_cast<int>(fd);
}

int OpenBelowByStep(int folder, const std::string& path) {
  if (!path.empty() && path[0] == '/') {
    errno = EXDEV;
    return -1;
  }
  int fd = fcntl(folder, F_DUPFD_CLOEXEC, 3);
  const std::vector<std::string> steps =
      absl::StrSplit(path, '/', absl::SkipEmpty());
  for (const std::string& step : steps) {
    if (fd < 0) return -1;
    if (step == "..") {
      close(fd);
      errno = EXDEV;
      return -1;
    }
    const int next = openat(fd, step.c_str(), kLookOnly | O_NOFOLLOW);
    const int error = errno;
    close(fd);
    fd = next;
    struct stat status = {};
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISLNK(status.st_mode)) {
      // A symbolic link itself, which O_PATH opens.
      close(fd);
      errno = ELOOP;
      return -1;
    }
    errno = error;
  }
  return fd;
}

}  // namespace internode::worker
