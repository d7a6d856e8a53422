#include "cube/dataset_storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/h5.h"
#include "tests/support/memory_byte_source.h"
#include "tests/unit/cube/stored_dataset.h"

namespace internode::cube {
namespace {

using ::internode::testing::MemoryByteSource;
using ::testing::HasSubstr;

constexpr int64_t kUnlimited = DatasetStorageRequest::kUnlimited;

std::string StoragePath() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string(info->test_suite_name()) + "_" + info->name();
  std::replace(name.begin(), name.end(), '/', '_');
  return ::testing::TempDir() + "/internode_" + name + "_" +
         std::to_string(getpid()) + ".h5";
}

std::vector<hsize_t> OffsetOf(const StorageGrid& grid, int64_t ordinal) {
  std::vector<hsize_t> offset(grid.counts.size());
  for (size_t d = grid.counts.size(); d-- > 0;) {
    offset[d] = static_cast<hsize_t>(ordinal % grid.counts[d] * grid.chunk[d]);
    ordinal /= grid.counts[d];
  }
  return offset;
}

class DatasetStorageTest : public ::testing::Test {
 protected:
  ~DatasetStorageTest() override { unlink(path_.c_str()); }

  // Reads the storage of "data" through a descriptor of the file.
  absl::StatusOr<DatasetStorage> Read() const {
    const DatasetStorageRequest request = RequestOf(path_);
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const auto source = FileByteSource::Of(descriptor, path_);
    close(descriptor);
    if (!source.ok()) return source.status();
    return ReadDatasetStorage(**source, request);
  }

  // Writes the dataset, reads its index, and compares each of `ordinals` (none:
  // all) with what the library says of it and reads of it.
  void Check(const StoredSpec& spec,
             const std::vector<int64_t>& ordinals = {}) {
    ASSERT_NO_FATAL_FAILURE(WriteStored(path_, spec));
    const absl::StatusOr<DatasetStorage> storage = Read();
    ASSERT_TRUE(storage.ok()) << storage.status();
    EXPECT_EQ(storage->layout, StorageLayout::kChunked);
    EXPECT_EQ(ChunkIndexKindName(storage->kind), ChunkIndexKindName(spec.kind));
    Compare(storage->chunks, ordinals);
  }

  void Compare(const ChunkIndex& index, const std::vector<int64_t>& ordinals) {
    h5::Lock lock;
    const h5::File file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    const h5::Dataset dataset(H5Dopen2(file.get(), "data", H5P_DEFAULT));
    hsize_t num_written = 0;
    const h5::Space space(H5Dget_space(dataset.get()));
    ASSERT_GE(H5Dget_num_chunks(dataset.get(), space.get(), &num_written), 0);
    EXPECT_EQ(index.num_written(), static_cast<int64_t>(num_written));
    int64_t visited = 0;
    int64_t last = -1;
    index.ForEachWritten([&](int64_t ordinal, const StorageChunk& chunk) {
      EXPECT_GT(ordinal, last);
      EXPECT_EQ(index.Find(ordinal), chunk);
      last = ordinal;
      ++visited;
    });
    EXPECT_EQ(visited, index.num_written());
    if (!ordinals.empty()) {
      for (int64_t ordinal : ordinals) CompareChunk(index, dataset, ordinal);
      return;
    }
    for (int64_t i = 0; i < index.num_chunks(); ++i) {
      CompareChunk(index, dataset, i);
      if (HasFatalFailure()) return;
    }
  }

  void CompareChunk(const ChunkIndex& index, const h5::Dataset& dataset,
                    int64_t ordinal) {
    SCOPED_TRACE("storage chunk " + std::to_string(ordinal));
    const std::vector<hsize_t> offset = OffsetOf(index.grid(), ordinal);
    // Calls that look the chunk up. H5Dget_chunk_info_by_coord, which goes
    // through all chunks, takes one for another in arrays that are not in the
    // order of the current extents, and forgets the user block.
    hsize_t bytes = 0;
    // For a chunk that was never written it fails, or gives 0.
    const bool written =
        H5Dget_chunk_storage_size(dataset.get(), offset.data(), &bytes) >= 0 &&
        bytes > 0;
    const StorageChunk chunk = index.Find(ordinal);
    ASSERT_EQ(chunk.written(), written);
    if (!chunk.written()) return;
    ASSERT_EQ(chunk.bytes, bytes);
    EXPECT_LE(chunk.bytes, index.largest_bytes());
    std::vector<char> expected(bytes);
    uint32_t filters = 0;
    ASSERT_GE(H5Dread_chunk(dataset.get(), H5P_DEFAULT, offset.data(), &filters,
                            expected.data()),
              0);
    ASSERT_EQ(chunk.filter_mask, filters);
    std::vector<char> found(bytes);
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = pread(descriptor, found.data(), bytes,
                              static_cast<off_t>(chunk.address));
    close(descriptor);
    ASSERT_EQ(got, static_cast<ssize_t>(bytes));
    ASSERT_EQ(found, expected);
  }

  const std::string path_ = StoragePath();
};

// Every kind, rank, density, with and without filters and a user block.
struct Matrix {
  ChunkIndexKind kind;
  bool filtered;
};

class AllKindsTest : public DatasetStorageTest,
                     public ::testing::WithParamInterface<Matrix> {};

TEST_P(AllKindsTest, ListsWhatTheLibraryLists) {
  const Matrix matrix = GetParam();
  const std::vector<std::vector<int64_t>> extents = {
      {1300}, {31, 43}, {9, 13, 12}, {5, 7, 6, 6}};
  // 0: every chunk is written; n: one in n; -1: none.
  for (const int64_t one_in : {0, 3, 40, -1}) {
    for (const int64_t user_block : {0, 512, 4096}) {
      for (const std::vector<int64_t>& shape : extents) {
        // With one dimension without a limit it is an extensible array.
        if (matrix.kind == ChunkIndexKind::kBTree2 && shape.size() == 1) {
          continue;
        }
        StoredSpec spec{.kind = matrix.kind,
                        .extents = shape,
                        .chunk = std::vector<int64_t>(shape.size(), 2)};
        if (shape.size() == 1) spec.chunk = {1};
        if (matrix.kind == ChunkIndexKind::kSingle) spec.chunk = shape;
        spec.filtered = matrix.filtered;
        spec.user_block = user_block;
        spec.written = [one_in](int64_t i) {
          return one_in == 0 || (one_in > 0 && i * i % one_in == 0);
        };
        SCOPED_TRACE(::testing::Message()
                     << "rank " << shape.size() << ", one in " << one_in
                     << ", user block " << user_block);
        Check(spec);
        if (HasFatalFailure()) return;
      }
    }
  }
}

std::string MatrixName(const ::testing::TestParamInfo<Matrix>& info) {
  std::string name(ChunkIndexKindName(info.param.kind));
  for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
  return name + (info.param.filtered ? "_filtered" : "");
}

INSTANTIATE_TEST_SUITE_P(
    , AllKindsTest,
    ::testing::Values(Matrix{ChunkIndexKind::kSingle, false},
                      Matrix{ChunkIndexKind::kSingle, true},
                      Matrix{ChunkIndexKind::kImplicit, false},
                      Matrix{ChunkIndexKind::kFixedArray, false},
                      Matrix{ChunkIndexKind::kFixedArray, true},
                      Matrix{ChunkIndexKind::kExtensibleArray, false},
                      Matrix{ChunkIndexKind::kExtensibleArray, true},
                      Matrix{ChunkIndexKind::kBTree1, false},
                      Matrix{ChunkIndexKind::kBTree1, true},
                      Matrix{ChunkIndexKind::kBTree2, false},
                      Matrix{ChunkIndexKind::kBTree2, true}),
    MatrixName);

// Any small dataset.
TEST_F(DatasetStorageTest, ListsWhatTheLibraryListsOfRandomDatasets) {
  std::mt19937 random(20);
  const auto pick = [&random](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int n = 0; n < 150; ++n) {
    StoredSpec spec;
    spec.kind = static_cast<ChunkIndexKind>(pick(0, 5));
    const auto rank = static_cast<size_t>(
        pick(spec.kind == ChunkIndexKind::kBTree2 ? 2 : 1, 4));
    const int64_t most = rank == 1 ? 600 : rank == 2 ? 30 : 9;
    for (size_t d = 0; d < rank; ++d) {
      spec.extents.push_back(pick(1, most));
      spec.chunk.push_back(pick(1, std::min<int64_t>(4, spec.extents[d])));
    }
    if (spec.kind == ChunkIndexKind::kSingle) spec.chunk = spec.extents;
    spec.filtered = spec.kind != ChunkIndexKind::kImplicit && pick(0, 1) == 1;
    spec.user_block = pick(0, 3) == 0 ? 1024 : 0;
    spec.num_attributes = static_cast<int>(pick(0, 12));
    if (spec.kind == ChunkIndexKind::kBTree1) {
      spec.tree_k = static_cast<unsigned>(pick(0, 3) == 0 ? pick(2, 90) : 0);
    }
    const int64_t one_in = pick(1, 4);
    spec.written = [one_in](int64_t i) { return i * 7 % one_in == 0; };
    SCOPED_TRACE(n);
    Check(spec);
    if (HasFatalFailure()) return;
  }
}

// Which dimension of an extensible array comes first in it.
TEST_F(DatasetStorageTest, OrdersExtensibleArraysByTheUnlimitedDimension) {
  for (size_t unlimited = 0; unlimited < 3; ++unlimited) {
    StoredSpec spec{.kind = ChunkIndexKind::kExtensibleArray,
                    .extents = {7, 8, 9},
                    .chunk = {2, 3, 1},
                    .max_extents = {11, 16, 20}};
    spec.max_extents[unlimited] = kUnlimited;
    Check(spec);
  }
}

TEST_F(DatasetStorageTest, CountsArraysByTheLargestExtents) {
  Check({.kind = ChunkIndexKind::kFixedArray,
         .extents = {7, 8, 9},
         .chunk = {2, 3, 1},
         .max_extents = {9, 80, 33}});
  Check({.kind = ChunkIndexKind::kImplicit,
         .extents = {7, 8, 9},
         .chunk = {2, 3, 1},
         .max_extents = {9, 80, 33}});
}

// More than 2^10 elements: a fixed array has pages, not all of them written.
TEST_F(DatasetStorageTest, ReadsPagesOfFixedArrays) {
  for (const bool filtered : {false, true}) {
    for (const int64_t extent : {1024, 1025, 2048, 5000}) {
      Check({.kind = ChunkIndexKind::kFixedArray,
             .extents = {extent},
             .chunk = {1},
             .filtered = filtered,
             .written = [](int64_t i) {
               return i < 3 || i / 1024 == 2 || i > 4900;
             }});
    }
  }
}

// Blocks of an extensible array have pages from 131,056 elements on.
TEST_F(DatasetStorageTest, ReadsPagesOfExtensibleArrays) {
  std::vector<int64_t> ordinals = {0, 1, 3, 4, 5, 19, 20, 1000, 1001};
  for (int64_t i = 131000; i < 300000; i += 977) ordinals.push_back(i);
  const std::vector<int64_t> some = {0,      4,      131060, 131061, 133111,
                                     140000, 200000, 250001, 299999};
  for (const bool filtered : {false, true}) {
    StoredSpec spec{
        .kind = ChunkIndexKind::kExtensibleArray,
        .extents = {300000},
        .chunk = {1},
        .filtered = filtered,
        .written = [&ordinals, &some](int64_t i) {
          return std::find(some.begin(), some.end(), i) != some.end() ||
                 std::binary_search(ordinals.begin(), ordinals.end(), i);
        }};
    Check(spec, {0, 1, 2, 4, 131000, 131060, 131061, 133111, 140000, 200000,
                 250001, 299999});
  }
}

TEST_F(DatasetStorageTest, ReadsLargeAndSmallNodesOfVersion1Trees) {
  for (const unsigned k : {2u, 33u, 500u}) {
    Check({.kind = ChunkIndexKind::kBTree1,
           .extents = {1500},
           .chunk = {1},
           .tree_k = k});
  }
}

TEST_F(DatasetStorageTest, LeavesOutChunksOutsideTheExtents) {
  using Extents = std::vector<int64_t>;
  // Shrunk, grown, and left with nothing.
  const std::vector<std::pair<Extents, Extents>> changes = {
      {{10, 40}, {5, 13}}, {{4, 10}, {9, 55}}, {{4, 10}, {0, 10}}};
  const std::vector<std::pair<ChunkIndexKind, Extents>> kinds = {
      {ChunkIndexKind::kBTree1, {kUnlimited, kUnlimited}},
      {ChunkIndexKind::kBTree2, {kUnlimited, kUnlimited}},
      {ChunkIndexKind::kExtensibleArray, {12, kUnlimited}},
      {ChunkIndexKind::kFixedArray, {12, 60}}};
  for (const auto& [kind, max_extents] : kinds) {
    for (const auto& [extents, later_extents] : changes) {
      Check({.kind = kind,
             .extents = extents,
             .chunk = {2, 2},
             .max_extents = max_extents,
             .later_extents = later_extents});
    }
  }
}

TEST_F(DatasetStorageTest, FollowsContinuationsOfTheHeader) {
  for (const ChunkIndexKind kind :
       {ChunkIndexKind::kBTree1, ChunkIndexKind::kFixedArray}) {
    Check({.kind = kind, .extents = {40}, .chunk = {4}, .num_attributes = 7});
  }
}

// Grids of far more than 2^31 chunks, of which few are written.
TEST_F(DatasetStorageTest, IndexesHugeSparseGrids) {
  for (const ChunkIndexKind kind :
       {ChunkIndexKind::kBTree1, ChunkIndexKind::kBTree2}) {
    StoredSpec spec{.kind = kind,
                    .extents = {1, 3},
                    .chunk = {1, 1},
                    .max_extents = {kUnlimited, kUnlimited},
                    .later_extents = {int64_t{1} << 31, int64_t{3} << 20}};
    ASSERT_NO_FATAL_FAILURE(WriteStored(path_, spec));
    const absl::StatusOr<DatasetStorage> storage = Read();
    ASSERT_TRUE(storage.ok()) << storage.status();
    const ChunkIndex& chunks = storage->chunks;
    EXPECT_EQ(chunks.num_chunks(), int64_t{3} << 51);
    EXPECT_EQ(chunks.num_written(), 3);
    EXPECT_LT(chunks.memory_bytes(), 1000);
    Compare(chunks, {0, 1, 2, 3, int64_t{1} << 40, (int64_t{3} << 51) - 1});
  }
  StoredSpec spec{.kind = ChunkIndexKind::kBTree2,
                  .extents = {1, 1},
                  .chunk = {1, 1},
                  .max_extents = {kUnlimited, kUnlimited},
                  .later_extents = {int64_t{1} << 62, int64_t{1} << 1}};
  ASSERT_NO_FATAL_FAILURE(WriteStored(path_, spec));
  EXPECT_THAT(Read().status().ToString(), HasSubstr("more than 2^63"));
}

TEST_F(DatasetStorageTest, IndexesExtensibleArraysOfMoreThanTwoBillionChunks) {
  WriteStored(path_, {.kind = ChunkIndexKind::kExtensibleArray,
                      .extents = {5},
                      .chunk = {1},
                      .max_extents = {kUnlimited},
                      .later_extents = {int64_t{5} << 30}});
  const hsize_t far = hsize_t{3} << 30;
  {
    h5::Lock lock;
    const h5::File file(H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const h5::Dataset dataset(H5Dopen2(file.get(), "data", H5P_DEFAULT));
    const char byte = 77;
    ASSERT_GE(H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, &far, 1, &byte), 0);
  }
  const absl::StatusOr<DatasetStorage> storage = Read();
  ASSERT_TRUE(storage.ok()) << storage.status();
  EXPECT_EQ(storage->chunks.num_chunks(), int64_t{5} << 30);
  EXPECT_EQ(storage->chunks.num_written(), 6);
  EXPECT_LT(storage->chunks.memory_bytes(), 1000);
  const StorageChunk chunk = storage->chunks.Find(static_cast<int64_t>(far));
  ASSERT_TRUE(chunk.written());
  EXPECT_FALSE(storage->chunks.Find(static_cast<int64_t>(far) + 1).written());
}

// One that is sparse in a large file becomes dense where that takes less.
TEST_F(DatasetStorageTest, TakesTheSmallerForm) {
  Check({.kind = ChunkIndexKind::kBTree1, .extents = {6000}, .chunk = {1}},
        {0, 5999});
  EXPECT_LE(Read()->chunks.memory_bytes(), 6000 * 16 + 1000);
  Check({.kind = ChunkIndexKind::kBTree1,
         .extents = {60000},
         .chunk = {1},
         .written = [](int64_t i) { return i % 1000 == 0; }},
        {0, 1, 999, 1000, 59000, 59999});
  EXPECT_LE(Read()->chunks.memory_bytes(), 60 * 24 + 1000);
}

class OneDatasetTest : public DatasetStorageTest {
 protected:
  // Creates "data" with the list and writes all of it.
  void Create(hid_t creation, const std::vector<hsize_t>& shape,
              H5F_libver_t version = H5F_LIBVER_EARLIEST, bool write = true)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    const h5::PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
    H5Pset_libver_bounds(access.get(), version, H5F_LIBVER_LATEST);
    const h5::File file(
        H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
    const h5::Space space(H5Screate_simple(static_cast<int>(shape.size()),
                                           shape.data(), nullptr));
    const h5::Dataset dataset(H5Dcreate2(file.get(), "data", H5T_STD_I16LE,
                                         space.get(), H5P_DEFAULT, creation,
                                         H5P_DEFAULT));
    ASSERT_TRUE(dataset.valid());
    hsize_t elements = 1;
    for (hsize_t size : shape) elements *= size;
    for (hsize_t i = 0; i < elements; ++i) {
      numbers_.push_back(static_cast<int16_t>(i * 311 + 5));
    }
    if (!write) return;
    ASSERT_GE(H5Dwrite(dataset.get(), H5T_NATIVE_INT16, H5S_ALL, H5S_ALL,
                       H5P_DEFAULT, numbers_.data()),
              0);
  }

  std::vector<int16_t> NumbersAt(uint64_t offset, uint64_t bytes) const {
    std::vector<int16_t> numbers(bytes / 2);
    const std::string file = FileBytes(path_);
    EXPECT_LE(offset + bytes, file.size());
    std::copy_n(file.data() + offset, bytes,
                reinterpret_cast<char*>(numbers.data()));
    return numbers;
  }

  std::vector<int16_t> numbers_;
};

TEST_F(OneDatasetTest, SaysWhereContiguousAndCompactNumbersAre) {
  for (const H5D_layout_t layout : {H5D_CONTIGUOUS, H5D_COMPACT}) {
    for (const H5F_libver_t version :
         {H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST}) {
      numbers_.clear();
      {
        h5::Lock lock;
        const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
        H5Pset_layout(creation.get(), layout);
        Create(creation.get(), {5, 7}, version);
      }
      const absl::StatusOr<DatasetStorage> storage = Read();
      ASSERT_TRUE(storage.ok()) << storage.status();
      EXPECT_EQ(storage->layout, layout == H5D_COMPACT
                                     ? StorageLayout::kCompact
                                     : StorageLayout::kContiguous);
      ASSERT_EQ(storage->bytes, 70);
      EXPECT_EQ(NumbersAt(storage->address, storage->bytes), numbers_);
    }
  }
}

TEST_F(OneDatasetTest, SaysThatContiguousNumbersWereNeverWritten) {
  {
    h5::Lock lock;
    const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    Create(creation.get(), {5, 7}, H5F_LIBVER_EARLIEST, /*write=*/false);
  }
  const absl::StatusOr<DatasetStorage> storage = Read();
  ASSERT_TRUE(storage.ok()) << storage.status();
  EXPECT_EQ(storage->address, StorageChunk::kNeverWritten);
}

TEST_F(OneDatasetTest, SaysThatEdgeChunksAreNotFiltered) {
  {
    h5::Lock lock;
    const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {4, 4};
    H5Pset_chunk(creation.get(), 2, chunk);
    H5Pset_deflate(creation.get(), 9);
    H5Pset_chunk_opts(creation.get(), H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    Create(creation.get(), {10, 8}, H5F_LIBVER_LATEST);
  }
  const absl::StatusOr<DatasetStorage> storage = Read();
  ASSERT_TRUE(storage.ok()) << storage.status();
  EXPECT_TRUE(storage->edge_chunks_unfiltered);
  EXPECT_EQ(storage->chunks.num_written(), 6);
  EXPECT_EQ(storage->chunks.Find(4).bytes, 32);
}

TEST_F(OneDatasetTest, RefusesVirtualDatasetsAndExternalFiles) {
  {
    h5::Lock lock;
    const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t size = 8;
    const h5::Space space(H5Screate_simple(1, &size, nullptr));
    H5Pset_virtual(creation.get(), space.get(), "other.h5", "/other",
                   space.get());
    Create(creation.get(), {8}, H5F_LIBVER_LATEST, /*write=*/false);
  }
  EXPECT_EQ(Read().status(), absl::UnimplementedError("a virtual dataset"));
  {
    h5::Lock lock;
    const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_external(creation.get(), "/nowhere/data.raw", 0, 16);
    Create(creation.get(), {8}, H5F_LIBVER_EARLIEST, /*write=*/false);
  }
  EXPECT_EQ(Read().status(), absl::UnimplementedError("external files"));
}

}  // namespace
}  // namespace internode::cube
