// What is read without the HDF5 library is what the library reads: of files in
// all layouts, at random selections.

#include <hdf5_hl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "cube/block_reader.h"
#include "cube/cube_file.h"
#include "cube/h5.h"
#include "cube/read_pool.h"
#include "tests/unit/cube/cube_testutil.h"

namespace internode::cube {
namespace {

using core::Block;
using core::BlockRequest;

std::string PathOf(const std::string& name) {
  return ::testing::TempDir() + "internode_fast_reading_test." +
         std::to_string(getpid()) + "." + name;
}

// How a variable of one case is stored.
struct Storage {
  std::string name = {};
  // Dimensions in storage order: letters of "t", "b", "y", "x".
  std::string dims = "tyx";
  std::vector<int64_t> chunk = {};
  // Letters in the order of application: "s"huffle, "d"eflate, "f"letcher32.
  std::string filters = "";
  std::string type = "i2";
  bool big_endian = false;
  bool latest = false;
  bool unlimited = false;
  // Every so many storage chunks nothing is written; 0: never.
  int sparse = 0;
  // The numbers are written with a filter mask in every third chunk.
  bool masks = false;
  bool raw_edges = false;
  // Every so many storage chunks hold one number alone; 0: none.
  int constant = 0;
};

int64_t SizeOf(char dim) {
  switch (dim) {
    case 't':
      return 37;
    case 'b':
      return 3;
    case 'y':
      return 23;
    default:
      return 29;
  }
}

hid_t TypeOf(const Storage& storage) {
  const bool big = storage.big_endian;
  if (storage.type == "i1") return big ? H5T_STD_I8BE : H5T_STD_I8LE;
  if (storage.type == "u2") return big ? H5T_STD_U16BE : H5T_STD_U16LE;
  if (storage.type == "i4") return big ? H5T_STD_I32BE : H5T_STD_I32LE;
  if (storage.type == "f4") return big ? H5T_IEEE_F32BE : H5T_IEEE_F32LE;
  if (storage.type == "f8") return big ? H5T_IEEE_F64BE : H5T_IEEE_F64LE;
  return big ? H5T_STD_I16BE : H5T_STD_I16LE;
}

class Writer {
 public:
  explicit Writer(const Storage& storage) : storage_(storage) {
    for (const char dim : storage.dims) {
      shape_.push_back(static_cast<hsize_t>(SizeOf(dim)));
      chunk_.push_back(shape_.back());
    }
    for (size_t d = 0; d < storage.chunk.size(); ++d) {
      chunk_[d] = static_cast<hsize_t>(storage.chunk[d]);
      // Only dimensions without limit may be shorter than a storage chunk.
      if (d > 0 || !storage.unlimited)
        chunk_[d] = std::min(chunk_[d], shape_[d]);
    }
  }

  void Write(const std::string& path) {
    const h5::Lock lock;
    const h5::PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
    if (storage_.latest) {
      H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    }
    const h5::File file(
        H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
    std::vector<hsize_t> largest = shape_;
    if (storage_.unlimited) largest[0] = H5S_UNLIMITED;
    const h5::Space space(H5Screate_simple(static_cast<int>(shape_.size()),
                                           shape_.data(), largest.data()));
    const h5::PropertyList creation = Creation();
    const h5::Dataset dataset(H5Dcreate2(file.get(), "v", TypeOf(storage_),
                                         space.get(), H5P_DEFAULT,
                                         creation.get(), H5P_DEFAULT));
    ASSERT_TRUE(dataset.valid()) << storage_.name;
    static const char* const kNames[] = {"time", "band", "y", "x"};
    for (size_t d = 0; d < shape_.size(); ++d) {
      const size_t name = std::string("tbyx").find(storage_.dims[d]);
      H5DSset_label(dataset.get(), static_cast<unsigned>(d), kNames[name]);
    }
    std::vector<hsize_t> place(shape_.size(), 0);
    WriteChunks(dataset.get(), 0, &place);
  }

 private:
  h5::PropertyList Creation() const {
    h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
    if (!storage_.chunk.empty()) {
      H5Pset_chunk(creation.get(), static_cast<int>(chunk_.size()),
                   chunk_.data());
    }
    for (const char filter : storage_.filters) {
      if (filter == 's') H5Pset_shuffle(creation.get());
      if (filter == 'd') H5Pset_deflate(creation.get(), 3);
      if (filter == 'f') H5Pset_fletcher32(creation.get());
    }
    if (storage_.raw_edges) {
      H5Pset_chunk_opts(creation.get(), H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    }
    const int fill = -77;
    H5Pset_fill_value(creation.get(), H5T_NATIVE_INT, &fill);
    return creation;
  }

  void WriteChunks(hid_t dataset, size_t d, std::vector<hsize_t>* place) {
    if (d < place->size()) {
      for (hsize_t at = 0; at < shape_[d]; at += chunk_[d]) {
        (*place)[d] = at;
        WriteChunks(dataset, d + 1, place);
      }
      return;
    }
    ++count_;
    if (storage_.sparse > 0 && count_ % storage_.sparse == 0) return;
    std::vector<hsize_t> size(place->size());
    size_t numbers = 1;
    for (size_t e = 0; e < size.size(); ++e) {
      size[e] = std::min(chunk_[e], shape_[e] - (*place)[e]);
      numbers *= static_cast<size_t>(size[e]);
    }
    // Few different numbers, so that deflate has something to do.
    std::vector<int> values(numbers);
    for (int& value : values) {
      value = static_cast<int>(random_() % 250) - 100;
      if (random_() % 4 == 0) value = -100;
    }
    if (storage_.constant > 0 && count_ % storage_.constant == 0) {
      std::fill(values.begin(), values.end(), -77);
    }
    if (storage_.masks && count_ % 3 == 0 && numbers == WholeChunk()) {
      const uint32_t none = ~uint32_t{0} >> (32 - storage_.filters.size());
      std::vector<int16_t> raw(values.begin(), values.end());
      ASSERT_GE(H5Dwrite_chunk(dataset, H5P_DEFAULT, none, place->data(),
                               raw.size() * 2, raw.data()),
                0);
      return;
    }
    const h5::Space memory(
        H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr));
    const h5::Space space(H5Dget_space(dataset));
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, place->data(), nullptr,
                        size.data(), nullptr);
    ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_INT, memory.get(), space.get(),
                       H5P_DEFAULT, values.data()),
              0);
  }

  size_t WholeChunk() const {
    size_t numbers = 1;
    for (const hsize_t size : chunk_) numbers *= static_cast<size_t>(size);
    return numbers;
  }

  const Storage& storage_;
  std::vector<hsize_t> shape_;
  std::vector<hsize_t> chunk_;
  std::mt19937 random_{7};
  int count_ = 0;
};

BlockRequest RequestFor(const Storage& storage, bool all_bands) {
  BlockRequest request;
  request.core_dims = {"time"};
  request.noncore_dims = {"y", "x"};
  if (storage.dims.find('b') == std::string::npos) {
    request.series = {{"v", -1}};
    return request;
  }
  request.core_dims = {"band", "time"};
  request.series = {{"v", 2}, {"v", 0}};
  if (all_bands) request.series = {{"v", 0}, {"v", 1}, {"v", 2}};
  return request;
}

core::Selection RandomSelection(std::mt19937* random) {
  const auto range = [&](int64_t size) {
    const auto a = static_cast<int64_t>((*random)()) % (size + 1);
    const auto b = static_cast<int64_t>((*random)()) % (size + 1);
    return std::make_pair(std::min(a, b), std::max(a, b));
  };
  switch ((*random)() % 4) {
    case 0:
      return Ranges({{0, SizeOf('y')}, {0, SizeOf('x')}});
    case 1: {
      const auto y = static_cast<int64_t>((*random)()) % SizeOf('y');
      return Ranges({{y, y + 1}, {0, SizeOf('x')}});
    }
    default:
      return Ranges({range(SizeOf('y')), range(SizeOf('x'))});
  }
}

// Compares blocks of both readers byte by byte, padding aside.
bool Same(const Block& a, const Block& b) {
  if (a.num_pixels() != b.num_pixels()) return false;
  for (int64_t p = 0; p < a.num_pixels(); ++p) {
    for (const core::SeriesLayout& series : a.layout().series) {
      const auto bytes =
          static_cast<size_t>(series.count * core::DataTypeBytes(series.type));
      if (std::memcmp(a.pixel(p) + series.offset, b.pixel(p) + series.offset,
                      bytes) != 0) {
        return false;
      }
    }
  }
  return true;
}

std::vector<Storage> Storages() {
  std::vector<Storage> all;
  const auto add = [&](Storage storage) {
    storage.name = std::to_string(all.size());
    all.push_back(std::move(storage));
  };
  for (const char* filters :
       {"", "sd", "d", "s", "sdf", "fsd", "df", "fd", "f", "ds", "sfd"}) {
    for (const char* type : {"i2", "u2", "i1", "i4", "f4", "f8"}) {
      for (const bool big : {false, true}) {
        add({.chunk = {37, 5, 7},
             .filters = filters,
             .type = type,
             .big_endian = big});
      }
    }
  }
  for (const std::vector<int64_t>& chunk :
       std::vector<std::vector<int64_t>>{{1, 23, 29},
                                         {1, 8, 8},
                                         {4, 6, 5},
                                         {9, 23, 29},
                                         {37, 1, 1},
                                         {37, 1, 29},
                                         {37, 23, 29},
                                         {64, 16, 16},
                                         {5, 3, 2},
                                         {8, 16, 1}}) {
    for (const bool latest : {false, true}) {
      for (const bool unlimited : {false, true}) {
        add({.chunk = chunk,
             .filters = "sd",
             .latest = latest,
             .unlimited = unlimited,
             .sparse = unlimited ? 3 : 0});
        add({.chunk = chunk, .latest = latest, .unlimited = unlimited});
      }
    }
    add({.chunk = chunk, .filters = "sd", .type = "f4"});
    add({.chunk = chunk, .filters = "sd", .masks = true});
    add({.chunk = chunk, .filters = "sd", .big_endian = true});
    add({.chunk = chunk, .filters = "sd", .latest = true, .raw_edges = true});
    add({.chunk = chunk, .filters = "sd", .raw_edges = true, .constant = 2});
    add({.chunk = chunk, .filters = "dsf", .masks = true, .constant = 2});
    add({.chunk = chunk, .sparse = 3, .constant = 2});
  }
  for (const char* dims : {"yxt", "ytx", "xyt", "txy"}) {
    add({.dims = dims, .chunk = {9, 8, 7}, .filters = "sd"});
    add({.dims = dims, .chunk = {9, 8, 7}, .filters = "sd", .type = "f8"});
    add({.dims = dims});
    add({.dims = dims, .big_endian = true});
  }
  for (const char* dims : {"btyx", "tbyx", "tyxb", "byxt", "yxbt"}) {
    add({.dims = dims, .chunk = {2, 8, 5, 9}, .filters = "sd"});
    add({.dims = dims, .chunk = {1, 1, 23, 29}, .filters = "sd"});
    add({.dims = dims, .type = "i4"});
  }
  add({.dims = "yx", .chunk = {5, 6}, .filters = "sd"});
  return all;
}

class FastReadingTest : public ::testing::TestWithParam<Storage> {};

TEST_P(FastReadingTest, ReadsWhatTheLibraryReads) {
  const Storage& storage = GetParam();
  const std::string path = PathOf(storage.name);
  Writer(storage).Write(path);
  ASSERT_FALSE(HasFailure());
  const auto cube = Cube::Open(path);
  ASSERT_TRUE(cube.ok()) << cube.status();
  ASSERT_EQ((*cube)->info().variables[0].library_reason, "");
  std::mt19937 random(11);
  for (const bool all_bands : {true, false}) {
    BlockRequest request = RequestFor(storage, all_bands);
    if (storage.dims.find('t') == std::string::npos) request.core_dims.clear();
    const auto library =
        *NewBlockReader(*cube, request, {.library_only = true});
    for (const int64_t cache_bytes : {0, 20000, 1 << 24}) {
      const auto pool = std::make_shared<ReadPool>(cache_bytes);
      const auto dataset =
          pool->Find((*cube)->file(), (*cube)->file().variables[0]);
      ASSERT_TRUE(dataset.ok()) << dataset.status();
      // As blocks that the processor's cache holds, and as larger ones.
      const int64_t cached_block_bytes = cache_bytes > 0 ? 0 : 1 << 20;
      const auto fast = *NewBlockReader(
          *cube, request,
          {.pool = pool, .cached_block_bytes = cached_block_bytes});
      Block a;
      Block b;
      for (int i = 0; i < 8; ++i) {
        const core::Selection selection = RandomSelection(&random);
        ASSERT_TRUE(library->Read(selection, &a).ok());
        const absl::Status status = fast->Read(selection, &b);
        ASSERT_TRUE(status.ok()) << status;
        ASSERT_TRUE(Same(a, b))
            << storage.dims << " " << storage.filters << " " << storage.type
            << " " << ::testing::PrintToString(storage.chunk) << " "
            << ::testing::PrintToString(selection.extents.size());
      }
      const ReadCounters counters = pool->counters();
      EXPECT_GT(counters.read_bytes, 0);
      EXPECT_EQ(counters.chunks_decoded > 0, !storage.chunk.empty());
    }
  }
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(All, FastReadingTest, ::testing::ValuesIn(Storages()),
                         [](const auto& test) { return test.param.name; });

TEST(FastReadingTest, DecodesWhatIsStoredAsTheSameBytesOnce) {
  const Storage storage = {
      .chunk = {1, 23, 29}, .filters = "sd", .constant = 2};
  const std::string path = PathOf("same");
  Writer(storage).Write(path);
  const auto cube = *Cube::Open(path);
  const auto pool = std::make_shared<ReadPool>(0);
  const auto reader =
      *NewBlockReader(cube, RequestFor(storage, true), {.pool = pool});
  Block block;
  ASSERT_TRUE(
      reader->Read(Ranges({{0, SizeOf('y')}, {0, SizeOf('x')}}), &block).ok());
  // Of 37 storage chunks, each second one is the same number.
  EXPECT_EQ(pool->counters().chunks_decoded, 19 + 1);
  EXPECT_EQ(pool->counters().chunks_reused, 18 - 1);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace internode::cube
