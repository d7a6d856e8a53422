// Messages of versions that today's libhdf5 does not write, or that it never
// did.

#include "cube/layout_message.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kPlace = 1000;

class Message {
 public:
  Message& Add(uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      bytes_.push_back(static_cast<char>(i < 8 ? number >> (8 * i) : 0));
    }
    return *this;
  }

  absl::StatusOr<LayoutMessage> Parse() const { return ParseFirst(size()); }
  absl::StatusOr<LayoutMessage> ParseFirst(size_t size) const {
    return ParseLayoutMessage(
        absl::MakeConstSpan(reinterpret_cast<const std::byte*>(bytes_.data()),
                            size),
        kPlace);
  }
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

// Version, dimensions, class, five reserved bytes.
Message Old(int version, int dims, int layout_class) {
  Message message;
  message.Add(static_cast<uint64_t>(version), 1)
      .Add(static_cast<uint64_t>(dims), 1)
      .Add(static_cast<uint64_t>(layout_class), 1)
      .Add(0, 5);
  return message;
}

TEST(LayoutMessageTest, ReadsChunksOfVersions1And2) {
  for (const int version : {1, 2}) {
    const absl::StatusOr<LayoutMessage> layout =
        Old(version, 3, 2).Add(4096, 8).Add(10, 4).Add(20, 4).Add(2, 4).Parse();
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_EQ(layout->layout, StorageLayout::kChunked);
    EXPECT_EQ(layout->kind, ChunkIndexKind::kBTree1);
    EXPECT_EQ(layout->address, 4096);
    EXPECT_THAT(layout->chunk, ElementsAre(10, 20, 2));
  }
}

TEST(LayoutMessageTest, ReadsOtherLayoutsOfVersions1And2) {
  const absl::StatusOr<LayoutMessage> contiguous =
      Old(1, 1, 1).Add(4096, 8).Add(10, 4).Parse();
  ASSERT_TRUE(contiguous.ok()) << contiguous.status();
  EXPECT_EQ(contiguous->layout, StorageLayout::kContiguous);
  EXPECT_EQ(contiguous->address, 4096);
  EXPECT_EQ(contiguous->bytes, 0);
  const absl::StatusOr<LayoutMessage> compact =
      Old(2, 1, 0).Add(10, 4).Add(6, 4).Add(1, 6).Parse();
  ASSERT_TRUE(compact.ok()) << compact.status();
  EXPECT_EQ(compact->layout, StorageLayout::kCompact);
  EXPECT_EQ(compact->address, kPlace + 16);
  EXPECT_EQ(compact->bytes, 6);
}

// Version 4, chunked: flags, three dimensions of two bytes, kind of index.
Message Chunked4(int flags, int kind) {
  Message message;
  message.Add(4, 1)
      .Add(2, 1)
      .Add(static_cast<uint64_t>(flags), 1)
      .Add(3, 1)
      .Add(2, 1)
      .Add(300, 2)
      .Add(400, 2)
      .Add(8, 2)
      .Add(static_cast<uint64_t>(kind), 1);
  return message;
}

TEST(LayoutMessageTest, ReadsVersion4) {
  const absl::StatusOr<LayoutMessage> single =
      Chunked4(2, 1).Add(777, 8).Add(5, 4).Add(4096, 8).Parse();
  ASSERT_TRUE(single.ok()) << single.status();
  EXPECT_EQ(single->kind, ChunkIndexKind::kSingle);
  EXPECT_EQ(single->single_bytes, 777);
  EXPECT_EQ(single->single_mask, 5);
  EXPECT_EQ(single->address, 4096);
  EXPECT_THAT(single->chunk, ElementsAre(300, 400, 8));
  EXPECT_FALSE(single->edge_chunks_unfiltered);
  const absl::StatusOr<LayoutMessage> array =
      Chunked4(1, 3).Add(10, 1).Add(4096, 8).Parse();
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->kind, ChunkIndexKind::kFixedArray);
  EXPECT_EQ(array->page_bits, 10);
  EXPECT_TRUE(array->edge_chunks_unfiltered);
}

TEST(LayoutMessageTest, NamesWhatItDoesNotKnow) {
  const auto reason = [](const Message& message) {
    const absl::Status status = message.Parse().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    return std::string(status.message());
  };
  EXPECT_EQ(reason(Message().Add(5, 1).Add(2, 1).Add(0, 60)),
            "data layout version 5");
  EXPECT_EQ(reason(Message().Add(0, 60)), "data layout version 0");
  EXPECT_EQ(reason(Message().Add(3, 1).Add(3, 1).Add(0, 60)),
            "a virtual dataset");
  EXPECT_EQ(reason(Message().Add(3, 1).Add(4, 1).Add(0, 60)),
            "data layout of class 4");
  EXPECT_EQ(reason(Old(1, 2, 3).Add(0, 60)), "data layout of class 3");
  EXPECT_EQ(reason(Chunked4(4, 3).Add(0, 60)), "data layout with flags 4");
  EXPECT_EQ(reason(Chunked4(0, 6).Add(0, 60)), "chunk index of type 6");
}

TEST(LayoutMessageTest, NoticesMessagesThatAreCutOff) {
  for (const Message& message :
       {Old(1, 3, 2).Add(4096, 8).Add(10, 4).Add(20, 4).Add(2, 4),
        Old(2, 1, 0).Add(10, 4).Add(6, 4).Add(1, 6),
        Message().Add(3, 1).Add(1, 1).Add(4096, 8).Add(70, 8),
        Message().Add(3, 1).Add(0, 1).Add(4, 2).Add(7, 4),
        Chunked4(2, 1).Add(777, 8).Add(5, 4).Add(4096, 8),
        Chunked4(0, 4).Add(0, 5).Add(4096, 8)}) {
    EXPECT_TRUE(message.Parse().ok());
    for (size_t size = 0; size < message.size(); ++size) {
      EXPECT_FALSE(message.ParseFirst(size).ok()) << size;
    }
  }
}

TEST(LayoutMessageTest, RefusesImpossibleDimensions) {
  for (const int dims : {0, 1, 34, 255}) {
    Message message = Old(1, dims, 2).Add(4096, 8);
    for (int d = 0; d < dims; ++d) message.Add(1, 4);
    EXPECT_EQ(message.Parse().status().code(), absl::StatusCode::kDataLoss);
  }
}

// The values of lookup3.c's own driver for hashlittle with initial value 0.
TEST(Lookup3Test, IsTheKnownFunction) {
  const auto sum = [](const std::string& text) {
    return Lookup3(absl::MakeConstSpan(
        reinterpret_cast<const std::byte*>(text.data()), text.size()));
  };
  EXPECT_EQ(sum(""), 0xdeadbeef);
  EXPECT_EQ(sum("Four score and seven years ago"), 0x17770551);
}

TEST(FieldReaderTest, GivesZerosBeyondTheEnd) {
  const std::byte bytes[] = {std::byte{1}, std::byte{2}, std::byte{3}};
  FieldReader fields(bytes);
  EXPECT_EQ(fields.U16(), 0x0201);
  EXPECT_TRUE(fields.ok());
  EXPECT_EQ(fields.U16(), 0);
  EXPECT_FALSE(fields.ok());
  EXPECT_EQ(fields.U8(), 0);
  EXPECT_FALSE(fields.Signature("x"));
  EXPECT_FALSE(fields.Checksum());
  EXPECT_EQ(FieldReader(bytes).Number(3), 0x030201);
}

}  // namespace
}  // namespace internode::cube
