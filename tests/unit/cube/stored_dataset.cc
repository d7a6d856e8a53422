#include "tests/unit/cube/stored_dataset.h"

#include <fstream>
#include <iterator>

#include "gtest/gtest.h"

#include "cube/h5.h"

namespace internode::cube {
namespace {

constexpr int64_t kUnlimited = DatasetStorageRequest::kUnlimited;

std::vector<hsize_t> Sizes(const std::vector<int64_t>& sizes) {
  std::vector<hsize_t> result;
  for (int64_t size : sizes) {
    result.push_back(size == kUnlimited ? H5S_UNLIMITED
                                        : static_cast<hsize_t>(size));
  }
  return result;
}

// The largest extents that make libhdf5 choose the kind.
std::vector<int64_t> MaxExtents(const StoredSpec& spec) {
  if (!spec.max_extents.empty()) return spec.max_extents;
  std::vector<int64_t> most = spec.extents;
  if (spec.kind == ChunkIndexKind::kExtensibleArray) most.back() = kUnlimited;
  if (spec.kind == ChunkIndexKind::kBTree2) {
    most.front() = kUnlimited;
    most.back() = kUnlimited;
  }
  return most;
}

h5::PropertyList FileAccess(const StoredSpec& spec) {
  h5::PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  if (spec.kind != ChunkIndexKind::kBTree1) {
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  }
  return access;
}

h5::PropertyList FileCreationOf(const StoredSpec& spec) {
  h5::PropertyList creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_userblock(creation.get(), static_cast<hsize_t>(spec.user_block));
  if (spec.tree_k > 0) H5Pset_istore_k(creation.get(), spec.tree_k);
  return creation;
}

h5::PropertyList DatasetCreationOf(const StoredSpec& spec) {
  h5::PropertyList creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(creation.get(), static_cast<int>(spec.chunk.size()),
               Sizes(spec.chunk).data());
  if (spec.filtered) {
    H5Pset_shuffle(creation.get());
    H5Pset_deflate(creation.get(), 1);
  }
  if (spec.kind == ChunkIndexKind::kImplicit || spec.allocated_early) {
    H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
  }
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  return creation;
}

void WriteChunk(hid_t dataset, const StoredSpec& spec, int64_t ordinal,
                const std::vector<hsize_t>& offset) {
  size_t bytes = 1;
  for (int64_t size : spec.chunk) bytes *= static_cast<size_t>(size);
  uint32_t mask = 0;
  const auto number = static_cast<uint64_t>(ordinal);
  if (spec.filtered) {
    bytes = 8 + number * 7 % 23;
    mask = static_cast<uint32_t>(number * 5 % 4);
  }
  std::vector<uint8_t> content(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    content[i] = static_cast<uint8_t>((number + 1) * 0x9E3779B97F4A7C15u >>
                                      (8 * (i % 8)));
  }
  ASSERT_GE(H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, offset.data(), bytes,
                           content.data()),
            0);
}

// Goes through the grid, the last dimension fastest.
void WriteChunks(hid_t dataset, const StoredSpec& spec) {
  std::vector<hsize_t> offset(spec.extents.size(), 0);
  for (int64_t extent : spec.extents) {
    if (extent == 0) return;
  }
  for (int64_t ordinal = 0;; ++ordinal) {
    if (spec.written == nullptr || spec.written(ordinal)) {
      WriteChunk(dataset, spec, ordinal, offset);
    }
    size_t d = offset.size();
    while (d-- > 0) {
      offset[d] += static_cast<hsize_t>(spec.chunk[d]);
      if (offset[d] < static_cast<hsize_t>(spec.extents[d])) break;
      offset[d] = 0;
      if (d == 0) return;
    }
  }
}

void AddAttributes(hid_t dataset, int count) {
  const hsize_t size = 100;
  const std::vector<uint8_t> values(size, 7);
  const h5::Space space(H5Screate_simple(1, &size, nullptr));
  for (int i = 0; i < count; ++i) {
    const h5::Attribute attribute(
        H5Acreate2(dataset, ("attribute" + std::to_string(i)).c_str(),
                   H5T_STD_U8LE, space.get(), H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_GE(H5Awrite(attribute.get(), H5T_NATIVE_UINT8, values.data()), 0);
  }
}

}  // namespace

void WriteStored(const std::string& path, const StoredSpec& spec) {
  h5::Lock lock;
  const h5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC,
                                FileCreationOf(spec).get(),
                                FileAccess(spec).get()));
  ASSERT_TRUE(file.valid());
  const h5::Space space(H5Screate_simple(static_cast<int>(spec.extents.size()),
                                         Sizes(spec.extents).data(),
                                         Sizes(MaxExtents(spec)).data()));
  const h5::Dataset dataset(
      H5Dcreate2(file.get(), "data", H5T_STD_U8LE, space.get(), H5P_DEFAULT,
                 DatasetCreationOf(spec).get(), H5P_DEFAULT));
  ASSERT_TRUE(dataset.valid());
  AddAttributes(dataset.get(), spec.num_attributes);
  WriteChunks(dataset.get(), spec);
  if (!spec.later_extents.empty()) {
    ASSERT_GE(H5Dset_extent(dataset.get(), Sizes(spec.later_extents).data()),
              0);
  }
}

DatasetStorageRequest RequestOf(hid_t dataset) {
  DatasetStorageRequest request;
  H5O_info_t info;
  EXPECT_GE(H5Oget_info2(dataset, &info, H5O_INFO_BASIC), 0);
  request.object_address = info.addr;
  const h5::Space space(H5Dget_space(dataset));
  hsize_t extents[H5S_MAX_RANK];
  hsize_t most[H5S_MAX_RANK];
  const int rank = H5Sget_simple_extent_dims(space.get(), extents, most);
  for (int d = 0; d < rank; ++d) {
    request.extents.push_back(static_cast<int64_t>(extents[d]));
    request.max_extents.push_back(
        most[d] == H5S_UNLIMITED ? kUnlimited : static_cast<int64_t>(most[d]));
  }
  const h5::PropertyList creation(H5Dget_create_plist(dataset));
  hsize_t chunk[H5S_MAX_RANK];
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
    H5Pget_chunk(creation.get(), rank, chunk);
    request.chunk.assign(chunk, chunk + rank);
  }
  const h5::Type type(H5Dget_type(dataset));
  request.element_bytes = static_cast<int64_t>(H5Tget_size(type.get()));
  request.filtered = H5Pget_nfilters(creation.get()) > 0;
  return request;
}

DatasetStorageRequest RequestOf(const std::string& path) {
  h5::Lock lock;
  const h5::File file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  EXPECT_TRUE(file.valid());
  const h5::Dataset dataset(H5Dopen2(file.get(), "data", H5P_DEFAULT));
  EXPECT_TRUE(dataset.valid());
  return RequestOf(dataset.get());
}

std::string FileBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace internode::cube
