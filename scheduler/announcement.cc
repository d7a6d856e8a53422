#include "scheduler/announcement.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "scheduler/spool/file_system.h"

namespace internode::scheduler {

std::string FormatAnnouncement(absl::string_view address,
                               absl::string_view http) {
  const nlohmann::ordered_json json = {{"address", std::string(address)},
                                       {"http", std::string(http)},
                                       {"pid", getpid()}};
  return json.dump() + "\n";
}

absl::Status WriteAndClose(int fd, absl::string_view line) {
  while (!line.empty()) {
    const ssize_t written = write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = errno;
      close(fd);
      return FileError(error, "write", absl::StrCat("descriptor ", fd));
    }
    line.remove_prefix(static_cast<size_t>(written));
  }
  close(fd);
  return absl::OkStatus();
}

SchedulerFile::~SchedulerFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

absl::Status SchedulerFile::Write(const std::string& path,
                                  absl::string_view line) {
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".new");
  unlink(temporary.c_str());
  const int fd =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return FileError(errno, "create", temporary);
  INTERNODE_RETURN_IF_ERROR(WriteAndClose(fd, line));
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return FileError(error, "write", path);
  }
  path_ = path;
  return absl::OkStatus();
}

}  // namespace internode::scheduler
