#include "rpc/byte_field.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "internode/v1/client.pb.h"
#include "internode/v1/worker.pb.h"

namespace internode::rpc {
namespace {

grpc::Slice SliceOf(const std::string& text) { return grpc::Slice(text); }

TEST(ByteFieldTest, IsParsedAsTheMessage) {
  v1::FetchFramesResponse header;
  header.mutable_tasks()->set_begin(3);
  header.mutable_tasks()->set_end(int64_t{1} << 40);
  header.set_continues(true);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{127}, size_t{128},
                            size_t{16'384}, size_t{1} << 20}) {
    const std::string bytes(size, 'x');
    const grpc::ByteBuffer buffer = WithByteField(
        header, v1::FetchFramesResponse::kFrameFieldNumber, SliceOf(bytes));
    v1::FetchFramesResponse parsed;
    ASSERT_TRUE(FromByteBuffer(buffer, &parsed));
    EXPECT_EQ(parsed.frame(), bytes);
    parsed.clear_frame();
    EXPECT_EQ(parsed.SerializeAsString(), header.SerializeAsString());
  }
}

TEST(ByteFieldTest, IsParsedWithinAMessage) {
  v1::Frame header;
  header.set_job(7);
  header.set_sequence(1);
  const grpc::ByteBuffer buffer = AsMessageField(
      v1::FrameMessage::kFrameFieldNumber,
      WithByteField(header, v1::Frame::kFrameFieldNumber, SliceOf("results")));
  v1::FrameMessage expected;
  *expected.mutable_frame() = header;
  expected.mutable_frame()->set_frame("results");
  v1::FrameMessage parsed;
  ASSERT_TRUE(FromByteBuffer(buffer, &parsed));
  EXPECT_EQ(parsed.SerializeAsString(), expected.SerializeAsString());
}

TEST(ByteFieldTest, ConvertsWholeMessages) {
  v1::FetchFramesRequest request;
  request.set_job_id("j000001");
  request.set_from_task(5);
  v1::FetchFramesRequest parsed;
  ASSERT_TRUE(FromByteBuffer(ToByteBuffer(request), &parsed));
  EXPECT_EQ(parsed.SerializeAsString(), request.SerializeAsString());
  // Nothing is an empty message, and not every text is a message.
  EXPECT_TRUE(FromByteBuffer(ToByteBuffer(v1::FetchFramesRequest()), &parsed));
  const grpc::Slice nonsense("\xff\xff\xff");
  EXPECT_FALSE(FromByteBuffer(grpc::ByteBuffer(&nonsense, 1), &parsed));
}

TEST(ByteFieldTest, SharedSlicesKeepTheirOwner) {
  // Shorter ones gRPC copies.
  auto owner = std::make_shared<const std::string>(1000, 'f');
  const std::weak_ptr<const std::string> watch = owner;
  {
    grpc::ByteBuffer buffer;
    {
      const grpc::Slice whole = SharedSlice(owner, *owner);
      const grpc::Slice part = whole.sub(100, 900);
      buffer = grpc::ByteBuffer(&part, 1);
    }
    owner.reset();
    ASSERT_FALSE(watch.expired());
    grpc::Slice read;
    ASSERT_TRUE(buffer.DumpToSingleSlice(&read).ok());
    EXPECT_EQ(
        std::string(reinterpret_cast<const char*>(read.begin()), read.size()),
        std::string(800, 'f'));
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace internode::rpc
