#ifndef INTERNODE_SCHEDULER_SPOOL_SPOOL_READER_H_
#define INTERNODE_SCHEDULER_SPOOL_SPOOL_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "scheduler/spool/job_spool.h"

namespace internode::scheduler {

// Reads the frames of a job in the order of its tasks, from any task on, while
// the job is running. Holds one frame at a time. Thread-compatible; any number
// of readers, and the writer, work at the same time.
class SpoolReader {
 public:
  SpoolReader(std::shared_ptr<const JobSpool> spool, int64_t first_task)
      : spool_(std::move(spool)), next_task_(first_task) {}

  // The task that the next frame begins with.
  int64_t next_task() const { return next_task_; }

  // Whether Next has a frame to give.
  bool Ready() const { return spool_->Find(next_task_).has_value(); }

  // The frame that begins with next_task(), cut from a larger one if need be;
  // nothing if that task is not committed yet. Its checksums were verified.
  // After an error the same frame is tried again. Errors: kDataLoss (the file
  // changed since it was written), kNotFound (the job was forgotten), and the
  // file system's.
  absl::StatusOr<std::optional<std::string>> Next();

 private:
  struct OpenFile {
    uint32_t segment = 0;
    std::shared_ptr<const ReadFile> file;
  };

  absl::StatusOr<std::shared_ptr<const ReadFile>> FileOf(uint32_t segment);
  absl::StatusOr<std::string> ReadFrame(const FramePosition& position);

  const std::shared_ptr<const JobSpool> spool_;
  int64_t next_task_;
  // The files used last; frames that follow each other lie in few.
  std::vector<OpenFile> open_;
  size_t next_victim_ = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_SPOOL_SPOOL_READER_H_
