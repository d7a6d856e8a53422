#ifndef INTERNODE_SCHEDULER_RPC_FRAME_ASSEMBLER_H_
#define INTERNODE_SCHEDULER_RPC_FRAME_ASSEMBLER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "internode/v1/worker.pb.h"
#include "scheduler/engine/received_frame.h"

namespace internode::scheduler {

// Puts the pieces of a data stream's frames together, checks the frames, and
// holds the worker to its window. Add is called by one thread at a time;
// Acknowledged is thread-safe.
class FrameAssembler {
 public:
  // `window_bytes`: of frames that may have come and not be acknowledged; one
  // frame is always allowed.
  explicit FrameAssembler(int64_t window_bytes) : window_bytes_(window_bytes) {}

  struct Frame {
    // Without the bytes.
    v1::Frame message;
    std::unique_ptr<const ReceivedFrame> frame;
  };

  // Takes a piece. Returns the frame that it completes; null `frame`: none.
  // Errors, after which the stream is to be closed: kInvalidArgument (pieces of
  // different frames, or too large), kResourceExhausted (beyond the window),
  // and as FrameView::Parse.
  absl::StatusOr<Frame> Add(v1::Frame&& piece);

  void Acknowledged(int64_t bytes) { in_flight_ -= bytes; }

 private:
  const int64_t window_bytes_;
  // Of whole frames.
  std::atomic<int64_t> in_flight_ = 0;
  // The frame that is not complete, and its bytes.
  v1::Frame message_;
  bool incomplete_ = false;
  std::string bytes_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_RPC_FRAME_ASSEMBLER_H_
