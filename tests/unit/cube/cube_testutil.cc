#include "tests/unit/cube/cube_testutil.h"

#include <fcntl.h>
#include <hdf5_hl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "gtest/gtest.h"

#include "cube/h5.h"

namespace internode::cube {
namespace {

hid_t MakeScale(hid_t file, const std::string& name, int64_t size) {
  const hsize_t shape = static_cast<hsize_t>(size);
  const h5::Space space(H5Screate_simple(1, &shape, nullptr));
  const hid_t scale =
      H5Dcreate2(file, name.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                 H5P_DEFAULT, H5P_DEFAULT);
  std::vector<double> values;
  for (int64_t i = 0; i < size; ++i) values.push_back(static_cast<double>(i));
  H5Dwrite(scale, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
           values.data());
  H5DSset_scale(scale, name.c_str());
  if (name == "time") {
    H5LTset_attribute_string(file, name.c_str(), "units",
                             "days since 2000-01-01");
  }
  return scale;
}

void WriteVariable(hid_t file, const TestVariable& variable,
                   std::map<std::string, h5::Dataset>* scales) {
  const std::vector<hsize_t> shape(variable.shape.begin(),
                                   variable.shape.end());
  const int rank = static_cast<int>(shape.size());
  const h5::Space space(H5Screate_simple(rank, shape.data(), nullptr));
  const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
  if (!variable.chunks.empty()) {
    const std::vector<hsize_t> chunks(variable.chunks.begin(),
                                      variable.chunks.end());
    H5Pset_chunk(creation.get(), rank, chunks.data());
    if (variable.deflate > 0) {
      H5Pset_shuffle(creation.get());
      H5Pset_deflate(creation.get(), static_cast<unsigned>(variable.deflate));
    }
  }
  const h5::Dataset dataset(H5Dcreate2(file, variable.name.c_str(),
                                       H5T_STD_I16LE, space.get(), H5P_DEFAULT,
                                       creation.get(), H5P_DEFAULT));
  int64_t elements = 1;
  for (int64_t size : variable.shape) elements *= size;
  std::vector<int16_t> numbers;
  for (int64_t i = 0; i < elements; ++i) {
    numbers.push_back(TestNumber(variable.name, i));
  }
  ASSERT_GE(H5Dwrite(dataset.get(), H5T_NATIVE_INT16, H5S_ALL, H5S_ALL,
                     H5P_DEFAULT, numbers.data()),
            0);
  for (size_t d = 0; d < variable.dims.size(); ++d) {
    h5::Dataset& scale = (*scales)[variable.dims[d]];
    if (!scale.valid()) {
      scale.reset(MakeScale(file, variable.dims[d], variable.shape[d]));
    }
    ASSERT_GE(
        H5DSattach_scale(dataset.get(), scale.get(), static_cast<unsigned>(d)),
        0);
  }
}

}  // namespace

int16_t TestNumber(const std::string& variable, int64_t i) {
  uint64_t mixed = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15u;
  for (char c : variable)
    mixed = (mixed ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return static_cast<int16_t>(mixed >> 41);
}

void WriteCube(const std::string& path,
               const std::vector<TestVariable>& variables) {
  h5::Lock lock;
  const h5::File file(
      H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  ASSERT_TRUE(file.valid());
  std::map<std::string, h5::Dataset> scales;
  for (const TestVariable& variable : variables) {
    WriteVariable(file.get(), variable, &scales);
  }
}

void WriteSparse(const std::string& path, const std::string& variable,
                 const std::vector<std::string>& dims,
                 const std::vector<int64_t>& shape) {
  h5::Lock lock;
  const h5::File file(
      H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  std::vector<hsize_t> chunks(shape.size(), 1);
  chunks[0] = 64;
  const int rank = static_cast<int>(shape.size());
  const h5::Space space(H5Screate_simple(rank, sizes.data(), nullptr));
  const h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(creation.get(), rank, chunks.data());
  const h5::Dataset dataset(H5Dcreate2(file.get(), variable.c_str(),
                                       H5T_STD_I16LE, space.get(), H5P_DEFAULT,
                                       creation.get(), H5P_DEFAULT));
  ASSERT_TRUE(dataset.valid());
  for (size_t d = 0; d < dims.size(); ++d) {
    H5DSset_label(dataset.get(), static_cast<unsigned>(d), dims[d].c_str());
  }
}

ChunkPlace PlaceOfChunk(const std::string& path, const std::string& variable,
                        const std::vector<int64_t>& index) {
  h5::Lock lock;
  const h5::File file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const h5::Dataset dataset(
      H5Dopen2(file.get(), variable.c_str(), H5P_DEFAULT));
  const std::vector<hsize_t> offset(index.begin(), index.end());
  unsigned mask = 0;
  haddr_t address = 0;
  hsize_t bytes = 0;
  EXPECT_GE(H5Dget_chunk_info_by_coord(dataset.get(), offset.data(), &mask,
                                       &address, &bytes),
            0);
  return {static_cast<int64_t>(address), static_cast<int64_t>(bytes)};
}

void DamageByte(const std::string& path, int64_t offset) {
  const int fd = open(path.c_str(), O_RDWR);
  ASSERT_GE(fd, 0);
  struct stat info {};
  ASSERT_EQ(fstat(fd, &info), 0);
  char byte = 0;
  ASSERT_EQ(pread(fd, &byte, 1, offset), 1);
  byte = static_cast<char>(byte ^ 0x5a);
  ASSERT_EQ(pwrite(fd, &byte, 1, offset), 1);
  const struct timespec times[2] = {info.st_atim, info.st_mtim};
  ASSERT_EQ(futimens(fd, times), 0);
  close(fd);
}

core::Selection Ranges(const std::vector<std::pair<int64_t, int64_t>>& ranges) {
  core::Selection selection;
  for (const auto& [begin, end] : ranges) {
    selection.extents.push_back(core::Extent::Range(begin, end));
  }
  return selection;
}

}  // namespace internode::cube
