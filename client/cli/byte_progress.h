#ifndef INTERNODE_CLIENT_CLI_BYTE_PROGRESS_H_
#define INTERNODE_CLIENT_CLI_BYTE_PROGRESS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

#include "client/cli/progress.h"

namespace internode::cli {

// Shows how far work that is measured in bytes is, on stderr, as Progress does
// for jobs:
//
//   rechunk  62%|██████▏   | 15.5 GiB/25.0 GiB [00:01:04<00:00:39, 248 MB/s]
//
// Thread-compatible.
class ByteProgress {
 public:
  ByteProgress(ProgressMode mode, std::string label, absl::Time start);

  void Update(int64_t done, int64_t all, absl::Time now);
  // The last state, and the end of the line.
  void Finish(absl::Time now);

 private:
  void Show();

  const ProgressMode mode_;
  const std::string label_;
  const absl::Time start_;
  int64_t done_ = 0;
  int64_t all_ = 0;
  absl::Duration elapsed_;
  absl::Time next_show_;
  bool shown_ = false;
};

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_BYTE_PROGRESS_H_
