#ifndef INTERNODE_FUNCTIONS_TASK_RUNNER_H_
#define INTERNODE_FUNCTIONS_TASK_RUNNER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "core/block.h"
#include "core/block_result.h"
#include "core/selection.h"
#include "functions/function.h"

namespace internode::functions {

// Reads the data of a selection into a block, which keeps its memory.
using ReadBlock =
    std::function<absl::Status(const core::Selection&, core::Block*)>;

// For jobs without a cube: blocks without any series.
ReadBlock ReadNothing();

// Runs tasks one after the other: reads the block, runs the kernel on it, and
// checks what the kernel did. Every executor runs its tasks through this.
// Thread-compatible: one per thread.
class TaskRunner {
 public:
  // `dim_names`: the non-core dimensions, for messages.
  TaskRunner(ReadBlock read, std::unique_ptr<Kernel> kernel,
             std::vector<std::string> dim_names);

  // Reads `selection` into `block` and runs the kernel. On success `result`
  // holds each pixel of the selection, finished once. On an error it is empty,
  // and the message ends in where: "…, in y=0:100, x=5". The codes are those of
  // the reader and of the kernel; kInternal for a kernel that threw or that did
  // not finish every pixel.
  absl::Status Run(const core::Selection& selection, core::Block* block,
                   core::BlockResult* result);

  // The second half of Run, on a block that was read ahead.
  absl::Status RunKernel(const core::Block& block, core::BlockResult* result);

 private:
  absl::Status In(const core::Selection& selection,
                  const absl::Status& status) const;

  const ReadBlock read_;
  const std::unique_ptr<Kernel> kernel_;
  const std::vector<std::string> dim_names_;
};

// "y=0:100, x=5": a range as begin:end, an index as a number.
std::string SelectionText(const core::Selection& selection,
                          const std::vector<std::string>& dim_names);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_TASK_RUNNER_H_
