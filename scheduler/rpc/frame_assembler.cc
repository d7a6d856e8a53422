#include "scheduler/rpc/frame_assembler.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/frame.h"
#include "rpc/channel.h"

namespace internode::scheduler {

absl::StatusOr<FrameAssembler::Frame> FrameAssembler::Add(v1::Frame&& piece) {
  if (piece.frame().size() > rpc::kPieceBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a piece of a frame has ", piece.frame().size(),
                     " bytes; it has at most ", rpc::kPieceBytes));
  }
  if (incomplete_ && piece.sequence() != message_.sequence()) {
    return absl::InvalidArgumentError(
        absl::StrCat("frame ", piece.sequence(), " begins before frame ",
                     message_.sequence(), " is complete"));
  }
  if (!incomplete_) {
    bytes_ = std::move(*piece.mutable_frame());
    message_ = std::move(piece);
    message_.clear_frame();
  } else {
    bytes_.append(piece.frame());
    message_.set_continues(piece.continues());
  }
  incomplete_ = message_.continues();
  const auto size = static_cast<int64_t>(bytes_.size());
  if (size > internode::core::kMaxFrameBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a frame has more than ", internode::core::kMaxFrameBytes, " bytes"));
  }
  const int64_t others = in_flight_.load();
  if (others > 0 && others + size > window_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", window_bytes_,
                     " bytes of frames were sent and not acknowledged"));
  }
  Frame result;
  if (incomplete_) return result;
  INTERNODE_ASSIGN_OR_RETURN(result.frame,
                             ReceivedFrame::Create(std::move(bytes_)));
  result.message = std::move(message_);
  bytes_.clear();
  in_flight_ += size;
  return result;
}

}  // namespace internode::scheduler
