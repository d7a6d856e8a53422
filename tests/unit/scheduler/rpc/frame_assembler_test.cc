#include "scheduler/rpc/frame_assembler.h"

#include <string>

#include "gtest/gtest.h"

#include "rpc/channel.h"
#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {
namespace {

v1::Frame Piece(uint64_t sequence, const std::string& bytes, bool continues) {
  v1::Frame piece;
  piece.set_job(3);
  piece.set_lease_id(4);
  piece.set_sequence(sequence);
  piece.set_frame(bytes);
  piece.set_continues(continues);
  return piece;
}

TEST(FrameAssemblerTest, PutsPiecesTogether) {
  const std::string bytes = MakeFrame({5, 12});
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    FrameAssembler assembler(1 << 20);
    ASSERT_EQ(assembler.Add(Piece(1, bytes.substr(0, cut), true))->frame,
              nullptr);
    const auto whole = assembler.Add(Piece(1, bytes.substr(cut), false));
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_EQ(whole->frame->view().bytes(), bytes);
    EXPECT_EQ(whole->message.job(), 3u);
    EXPECT_EQ(whole->message.sequence(), 1u);
  }
}

TEST(FrameAssemblerTest, OneFrameIsAlwaysAllowed) {
  FrameAssembler assembler(10);
  EXPECT_TRUE(assembler.Add(Piece(1, MakeFrame({0, 50}), false)).ok());
}

TEST(FrameAssemblerTest, RefusesWhatIsBeyondTheWindow) {
  const std::string bytes = MakeFrame({0, 50});
  const auto size = static_cast<int64_t>(bytes.size());
  FrameAssembler assembler(2 * size);
  ASSERT_TRUE(assembler.Add(Piece(1, bytes, false)).ok());
  ASSERT_TRUE(assembler.Add(Piece(2, bytes, false)).ok());
  assembler.Acknowledged(size);
  ASSERT_TRUE(assembler.Add(Piece(3, bytes, false)).ok());
  // Even before the frame is complete.
  EXPECT_EQ(assembler.Add(Piece(4, bytes.substr(0, 1), true)).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(FrameAssemblerTest, RefusesAFrameWithinAFrame) {
  FrameAssembler assembler(1 << 20);
  ASSERT_TRUE(assembler.Add(Piece(1, "x", true)).ok());
  EXPECT_EQ(assembler.Add(Piece(2, "x", true)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(FrameAssemblerTest, RefusesPiecesThatAreTooLarge) {
  FrameAssembler assembler(1 << 30);
  const std::string large(rpc::kPieceBytes + 1, 'x');
  EXPECT_EQ(assembler.Add(Piece(1, large, true)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(FrameAssemblerTest, RefusesDamagedFrames) {
  std::string bytes = MakeFrame({0, 50});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  FrameAssembler assembler(1 << 20);
  EXPECT_EQ(assembler.Add(Piece(1, bytes, false)).status().code(),
            absl::StatusCode::kDataLoss);
  FrameAssembler other(1 << 20);
  EXPECT_EQ(other.Add(Piece(1, "", false)).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace internode::scheduler
