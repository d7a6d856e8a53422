#ifndef INTERNODE_SCHEDULER_ANNOUNCEMENT_H_
#define INTERNODE_SCHEDULER_ANNOUNCEMENT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace internode::scheduler {

// Where a scheduler serves, as one line of JSON: {"address":"127.0.0.1:41234",
// "http":"http://127.0.0.1:8787","pid":17}; "http" is empty without one.
std::string FormatAnnouncement(absl::string_view address,
                               absl::string_view http);

// Writes all of `line` to the file descriptor, and closes it. Errors:
// kUnavailable.
absl::Status WriteAndClose(int fd, absl::string_view line);

// The file of --scheduler-file: there, whole, as long as this lives, for its
// owner alone.
class SchedulerFile {
 public:
  SchedulerFile() = default;
  SchedulerFile(const SchedulerFile&) = delete;
  SchedulerFile& operator=(const SchedulerFile&) = delete;
  ~SchedulerFile();

  // Errors: the file system's.
  absl::Status Write(const std::string& path, absl::string_view line);

 private:
  std::string path_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ANNOUNCEMENT_H_
