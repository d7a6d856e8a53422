// Files that are damaged or made up: whatever the bytes are, the answer is an
// error, or an index whose chunks lie within the file.

#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/chunk_index_builder.h"
#include "cube/dataset_storage.h"
#include "cube/hdf5_fields.h"
#include "tests/support/memory_byte_source.h"
#include "tests/unit/cube/stored_dataset.h"

namespace internode::cube {
namespace {

using ::internode::testing::MemoryByteSource;
using ::testing::HasSubstr;

// A stretch of a file, and where its checksum is.
struct Checked {
  size_t begin = 0;
  size_t checksum = 0;
};

absl::Span<const std::byte> Part(const std::string& bytes, size_t begin,
                                 size_t end) {
  return absl::MakeConstSpan(
      reinterpret_cast<const std::byte*>(bytes.data()) + begin, end - begin);
}

void Mend(const Checked& part, std::string* bytes) {
  const uint32_t sum = Lookup3(Part(*bytes, part.begin, part.checksum));
  for (size_t i = 0; i < 4; ++i) {
    (*bytes)[part.checksum + i] = static_cast<char>(sum >> (8 * i));
  }
}

// All stretches of a sound file that end with their checksum: from a signature
// on, and directly behind another.
std::vector<Checked> FindChecked(const std::string& bytes) {
  constexpr size_t kMost = 6000;
  std::vector<Checked> found;
  const auto begins_here = [&](size_t at) {
    if (!found.empty() && at == found.back().checksum + 4) return true;
    for (const char* signature :
         {"\x89HDF", "OHDR", "OCHK", "BTHD", "BTLF", "BTIN", "FAHD", "FADB",
          "EAHD", "EAIB", "EASB", "EADB"}) {
      if (bytes.compare(at, 4, signature) == 0) return true;
    }
    return false;
  };
  for (size_t begin = 0; begin + 8 <= bytes.size(); ++begin) {
    if (!begins_here(begin)) continue;
    for (size_t end = begin + 8;
         end + 4 <= std::min(bytes.size(), begin + kMost); ++end) {
      const uint32_t sum = Lookup3(Part(bytes, begin, end));
      FieldReader stored(Part(bytes, end, end + 4));
      if (stored.U32() == sum) {
        found.push_back({begin, end});
        break;
      }
    }
  }
  return found;
}

class HostileFileTest : public ::testing::TestWithParam<StoredSpec> {
 protected:
  HostileFileTest() {
    const std::string path = ::testing::TempDir() + "/internode_hostile_" +
                             std::to_string(getpid()) + ".h5";
    WriteStored(path, GetParam());
    request_ = RequestOf(path);
    bytes_ = FileBytes(path);
    unlink(path.c_str());
  }

  // Reads the bytes as a file; returns whether they had an answer.
  bool Try(const std::string& bytes) const {
    const absl::StatusOr<DatasetStorage> storage =
        ReadDatasetStorage(MemoryByteSource(bytes), request_);
    if (!storage.ok()) {
      EXPECT_TRUE(storage.status().code() == absl::StatusCode::kDataLoss ||
                  storage.status().code() == absl::StatusCode::kUnimplemented)
          << storage.status();
      EXPECT_EQ(storage.status().message().find('\n'), std::string::npos);
      return false;
    }
    const ChunkIndex& chunks = storage->chunks;
    uint64_t sum = 0;
    chunks.ForEachWritten([&](int64_t ordinal, const StorageChunk& chunk) {
      sum += chunk.bytes;
      EXPECT_LT(ordinal, chunks.num_chunks());
      EXPECT_LE(chunk.address, bytes.size());
      EXPECT_LE(chunk.bytes, bytes.size() - chunk.address);
    });
    EXPECT_EQ(sum, chunks.stored_bytes());
    EXPECT_LE(sum, bytes.size());
    EXPECT_LE(chunks.memory_bytes(),
              static_cast<int64_t>(3 * bytes.size()) + 4096 * 16 + 1000);
    return true;
  }

  DatasetStorageRequest request_;
  std::string bytes_;
};

TEST_P(HostileFileTest, EveryByteMayBeWrong) {
  ASSERT_TRUE(Try(bytes_));
  for (size_t i = 0; i < bytes_.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = bytes_;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      Try(bytes);
      if (HasFailure()) FAIL() << "at byte " << i << ", flipped by " << flip;
    }
  }
}

// A wrong byte under a checksum that is right again reaches what is behind it.
TEST_P(HostileFileTest, EveryByteMayBeWrongUnderTheRightChecksum) {
  const std::vector<Checked> parts = FindChecked(bytes_);
  const bool new_format = GetParam().kind != ChunkIndexKind::kBTree1;
  ASSERT_EQ(new_format, !parts.empty());
  for (const Checked& part : parts) {
    for (size_t i = part.begin; i < part.checksum; ++i) {
      for (const int flip : {0x01, 0x02, 0x10, 0x80, 0xff}) {
        std::string bytes = bytes_;
        bytes[i] = static_cast<char>(bytes[i] ^ flip);
        Mend(part, &bytes);
        Try(bytes);
        if (HasFailure()) FAIL() << "at byte " << i << ", flipped by " << flip;
      }
    }
  }
}

TEST_P(HostileFileTest, WrongChecksumsAreNoticed) {
  for (const Checked& part : FindChecked(bytes_)) {
    // What describes the root group, and not the dataset, is not looked at.
    if (bytes_.compare(part.begin, 4, "OHDR") == 0 &&
        part.begin != request_.object_address +
                          static_cast<uint64_t>(GetParam().user_block)) {
      continue;
    }
    std::string bytes = bytes_;
    bytes[part.checksum] = static_cast<char>(bytes[part.checksum] ^ 4);
    const absl::Status status =
        ReadDatasetStorage(MemoryByteSource(bytes), request_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("wrong checksum"))
        << "of " << bytes_.substr(part.begin, 4) << " at " << part.begin;
  }
}

TEST_P(HostileFileTest, TheFileMayEndAnywhere) {
  for (size_t size = 0; size < bytes_.size(); ++size) {
    Try(bytes_.substr(0, size));
    if (HasFailure()) FAIL() << "cut off after " << size << " bytes";
  }
}

std::vector<StoredSpec> HostileSpecs() {
  std::vector<StoredSpec> specs;
  for (const ChunkIndexKind kind :
       {ChunkIndexKind::kSingle, ChunkIndexKind::kImplicit,
        ChunkIndexKind::kFixedArray, ChunkIndexKind::kExtensibleArray,
        ChunkIndexKind::kBTree1, ChunkIndexKind::kBTree2}) {
    for (const bool filtered : {false, true}) {
      if (filtered && kind == ChunkIndexKind::kImplicit) continue;
      StoredSpec spec{.kind = kind,
                      .extents = {6, 8},
                      .chunk = {2, 1},
                      .filtered = filtered,
                      .num_attributes = filtered ? 1 : 0};
      if (kind == ChunkIndexKind::kSingle) spec.chunk = spec.extents;
      if (kind == ChunkIndexKind::kBTree1) spec.tree_k = 2;
      if (filtered) spec.user_block = 512;
      specs.push_back(spec);
    }
  }
  // With pages, and with more levels and blocks.
  specs.push_back({.kind = ChunkIndexKind::kFixedArray,
                   .extents = {1030},
                   .chunk = {1},
                   .written = [](int64_t i) { return i > 1020; }});
  specs.push_back({.kind = ChunkIndexKind::kExtensibleArray,
                   .extents = {150},
                   .chunk = {1},
                   .written = [](int64_t i) { return i % 30 == 0; }});
  specs.push_back(
      {.kind = ChunkIndexKind::kBTree2, .extents = {10, 14}, .chunk = {1, 1}});
  return specs;
}

std::string SpecName(const ::testing::TestParamInfo<StoredSpec>& spec) {
  std::string name(ChunkIndexKindName(spec.param.kind));
  for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
  return name + "_" + std::to_string(spec.index);
}

INSTANTIATE_TEST_SUITE_P(, HostileFileTest, ::testing::ValuesIn(HostileSpecs()),
                         SpecName);

// A version 1 B-tree whose bytes are changed in place.
class LyingTreeTest : public ::testing::Test {
 protected:
  LyingTreeTest() {
    const std::string path = ::testing::TempDir() + "/internode_lying_" +
                             std::to_string(getpid()) + ".h5";
    WriteStored(path, {.kind = ChunkIndexKind::kBTree1,
                       .extents = {200},
                       .chunk = {1},
                       .tree_k = 2});
    request_ = RequestOf(path);
    bytes_ = FileBytes(path);
    unlink(path.c_str());
    for (size_t at = bytes_.find("TREE"); at != std::string::npos;
         at = bytes_.find("TREE", at + 1)) {
      if (bytes_[at + 4] == 1) nodes_.push_back(at);
    }
  }

  int LevelOf(size_t node) const { return bytes_[node + 5]; }

  // Replaces the address of the node's first child.
  void SetChild(size_t node, uint64_t address) {
    std::memcpy(bytes_.data() + node + 24 + 24, &address, 8);
  }

  absl::Status Status() const {
    return ReadDatasetStorage(MemoryByteSource(bytes_), request_).status();
  }

  DatasetStorageRequest request_;
  std::string bytes_;
  std::vector<size_t> nodes_;
};

TEST_F(LyingTreeTest, NoLoops) {
  ASSERT_EQ(Status(), absl::OkStatus());
  ASSERT_GT(nodes_.size(), 30);
  const std::string sound = bytes_;
  int inner = 0;
  for (size_t node : nodes_) {
    if (LevelOf(node) == 0) continue;
    ++inner;
    for (size_t other : nodes_) {
      bytes_ = sound;
      uint64_t child = 0;
      std::memcpy(&child, bytes_.data() + node + 48, 8);
      if (child == other) continue;
      SetChild(node, other);
      EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
    }
  }
  EXPECT_GT(inner, 5);
}

TEST_F(LyingTreeTest, NoNodesOutsideTheFile) {
  for (const uint64_t address :
       {uint64_t{bytes_.size()}, uint64_t{bytes_.size()} - 3, uint64_t{1} << 40,
        UINT64_MAX - 10, UINT64_MAX}) {
    for (size_t node : nodes_) {
      if (LevelOf(node) > 0) SetChild(node, address);
    }
    EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(LyingTreeTest, NoMoreEntriesThanTheFileHas) {
  for (size_t node : nodes_) {
    bytes_[node + 6] = '\xff';
    bytes_[node + 7] = '\xff';
  }
  EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(LyingTreeTest, NoOverlappingChunks) {
  // All chunks of all leaves at the same place, and as large as the file.
  request_.filtered = true;
  for (size_t node : nodes_) {
    if (LevelOf(node) > 0) continue;
    const auto size = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data() + node + 24, &size, 4);
    SetChild(node, 0);
  }
  EXPECT_EQ(Status(), absl::DataLossError("storage chunks overlap"));
}

TEST_F(LyingTreeTest, NoRequestThatIsNotTheDatasets) {
  DatasetStorageRequest sound = request_;
  request_.chunk = {2};
  EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
  request_ = sound;
  request_.element_bytes = 2;
  EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
  request_ = sound;
  request_.chunk = {};
  EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
  request_ = sound;
  request_.object_address += 8;
  EXPECT_FALSE(Status().ok());
  for (const int64_t extent : {int64_t{-5}, INT64_MIN}) {
    request_ = sound;
    request_.extents = {extent};
    EXPECT_EQ(Status().code(), absl::StatusCode::kInvalidArgument);
  }
  request_ = sound;
  request_.max_extents = {100};
  EXPECT_EQ(Status().code(), absl::StatusCode::kInvalidArgument);
  request_ = {};
  EXPECT_EQ(Status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LyingTreeTest, NoFileThatIsNotHdf5) {
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(5000, '\0'),
        std::string("\x89HDF\r\n\x1a\n", 8),
        std::string("CDF\x01").append(3000, '\x7f')}) {
    bytes_ = bytes;
    EXPECT_EQ(Status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(ChunkIndexBuilderTest, RefusesAChunkThatComesTwice) {
  for (const int64_t count : {int64_t{10}, int64_t{1} << 40}) {
    ChunkIndexBuilder builder({.extents = {count},
                               .chunk = {1},
                               .counts = {count},
                               .num_chunks = count},
                              1000);
    const StorageChunk chunk{.address = 3, .bytes = 5};
    ASSERT_TRUE(builder.Add({4}, chunk).ok());
    ASSERT_TRUE(builder.Add({2}, chunk).ok());
    absl::Status status = builder.Add({4}, chunk);
    if (status.ok()) status = builder.Finish().status();
    EXPECT_EQ(status,
              absl::DataLossError("the chunk index has storage chunk 4 twice"));
  }
}

TEST(ChunkIndexBuilderTest, RefusesImplicitChunksOutsideTheFile) {
  const StorageGrid grid{
      .extents = {4, 4}, .chunk = {2, 2}, .counts = {2, 2}, .num_chunks = 4};
  EXPECT_TRUE(ChunkIndexBuilder::Implicit(grid, {2, 3}, 100, 10, 160).ok());
  EXPECT_FALSE(ChunkIndexBuilder::Implicit(grid, {2, 3}, 101, 10, 160).ok());
  EXPECT_FALSE(ChunkIndexBuilder::Implicit(grid, {2, 1}, 100, 10, 160).ok());
  EXPECT_FALSE(ChunkIndexBuilder::Implicit(grid, {2, int64_t{1} << 62}, 0,
                                           1u << 31, UINT64_MAX / 2)
                   .ok());
  const ChunkIndex index =
      *ChunkIndexBuilder::Implicit(grid, {2, 3}, 100, 10, 160);
  EXPECT_EQ(index.Find(3).address, 140);
  EXPECT_EQ(index.num_written(), 4);
}

}  // namespace
}  // namespace internode::cube
