#ifndef INTERNODE_SCHEDULER_ENGINE_RECEIVED_FRAME_H_
#define INTERNODE_SCHEDULER_ENGINE_RECEIVED_FRAME_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/statusor.h"

#include "base/status_macros.h"
#include "core/frame.h"

namespace internode::scheduler {

// The bytes of a frame that were found to be whole, and the view of them.
// Immutable; thread-safe.
class ReceivedFrame {
 public:
  // Checks `bytes`, as FrameView::Parse does; so do the errors.
  static absl::StatusOr<std::unique_ptr<const ReceivedFrame>> Create(
      std::string bytes) {
    auto frame = absl::WrapUnique(new ReceivedFrame(std::move(bytes)));
    INTERNODE_ASSIGN_OR_RETURN(
        internode::core::FrameView view,
        internode::core::FrameView::Parse(frame->bytes_));
    frame->view_ =
        std::make_unique<internode::core::FrameView>(std::move(view));
    return frame;
  }
  ReceivedFrame(const ReceivedFrame&) = delete;
  ReceivedFrame& operator=(const ReceivedFrame&) = delete;

  const internode::core::FrameView& view() const { return *view_; }
  int64_t num_bytes() const { return static_cast<int64_t>(bytes_.size()); }

 private:
  explicit ReceivedFrame(std::string bytes) : bytes_(std::move(bytes)) {}

  const std::string bytes_;
  std::unique_ptr<const internode::core::FrameView> view_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ENGINE_RECEIVED_FRAME_H_
