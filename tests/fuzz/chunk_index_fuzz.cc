// HDF5 files from untrusted bytes, of which the index of the storage chunks is
// read. The input is what libhdf5 would say of the dataset (kRequestBytes
// bytes, see RequestFrom), and then the file. An index that comes of it must
// list chunks within the file only, and take no more memory than that is worth.
//
// Checksums are not looked at where the program is built for fuzzing, so that
// what lies behind them is reached.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "cube/dataset_storage.h"
#include "cube/hdf5_fields.h"
#include "tests/support/memory_byte_source.h"

namespace internode::cube {
namespace {

constexpr size_t kRequestBytes = 48;
constexpr size_t kMostDims = 4;
constexpr int64_t kFreeMemory = int64_t{1} << 17;

void Require(bool condition) {
  if (!condition) std::abort();
}

int64_t ExtentFrom(FieldReader* fields) {
  const uint32_t value = fields->U32();
  // A large one where the highest bit is set.
  return value < 1u << 31 ? value : int64_t{value} << 28;
}

// Per dimension: extent (4 bytes), largest extent (4, all ones: none), chunk
// (2). Before them, in one byte each: rank - 1, flags (1: filtered, 2: not
// chunked), bytes of an element - 1; and in 4 the address of the object. At the
// end, a byte.
DatasetStorageRequest RequestFrom(absl::Span<const std::byte> bytes) {
  FieldReader fields(bytes);
  DatasetStorageRequest request;
  const size_t rank = 1 + fields.U8() % kMostDims;
  const int flags = fields.U8();
  request.filtered = (flags & 1) != 0;
  request.element_bytes = 1 + fields.U8();
  request.object_address = fields.U32();
  for (size_t d = 0; d < rank; ++d) {
    request.extents.push_back(ExtentFrom(&fields));
    const int64_t most = ExtentFrom(&fields);
    request.max_extents.push_back(most == int64_t{UINT32_MAX} << 28
                                      ? DatasetStorageRequest::kUnlimited
                                      : most);
    const int64_t chunk = fields.U16();
    if ((flags & 2) == 0) request.chunk.push_back(chunk);
  }
  return request;
}

void CheckIndex(const ChunkIndex& chunks, uint64_t file_bytes) {
  int64_t count = 0;
  int64_t last = -1;
  uint64_t sum = 0;
  const auto check = [&](int64_t ordinal, const StorageChunk& chunk) {
    Require(ordinal > last && ordinal < chunks.num_chunks());
    Require(chunk.written() && chunk.bytes > 0 &&
            chunk.bytes <= chunks.largest_bytes());
    Require(chunk.address <= file_bytes &&
            chunk.bytes <= file_bytes - chunk.address);
    Require(chunks.Find(ordinal) == chunk);
    last = ordinal;
    sum += chunk.bytes;
    ++count;
  };
  chunks.ForEachWritten(check);
  Require(count == chunks.num_written() && sum == chunks.stored_bytes());
  Require(sum <= file_bytes);
  Require(chunks.memory_bytes() <=
          3 * static_cast<int64_t>(file_bytes) + kFreeMemory);
  for (int64_t ordinal = 0; ordinal < std::min<int64_t>(chunks.num_chunks(), 9);
       ++ordinal) {
    chunks.Find(ordinal);
    chunks.Find(chunks.num_chunks() - 1 - ordinal);
  }
}

void Try(absl::Span<const std::byte> request, absl::string_view file) {
  const testing::MemoryByteSource source(file);
  const absl::StatusOr<DatasetStorage> storage =
      ReadDatasetStorage(source, RequestFrom(request));
  if (!storage.ok()) {
    Require(storage.status().code() == absl::StatusCode::kDataLoss ||
            storage.status().code() == absl::StatusCode::kUnimplemented ||
            storage.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  if (storage->layout == StorageLayout::kChunked) {
    CheckIndex(storage->chunks, file.size());
  } else if (storage->address != StorageChunk::kNeverWritten) {
    Require(storage->address <= file.size() &&
            storage->bytes <= file.size() - storage->address);
  }
}

}  // namespace
}  // namespace internode::cube

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using internode::cube::kRequestBytes;
  if (size < kRequestBytes) return 0;
  internode::cube::Try(
      absl::MakeConstSpan(reinterpret_cast<const std::byte*>(data),
                          kRequestBytes),
      absl::string_view(reinterpret_cast<const char*>(data) + kRequestBytes,
                        size - kRequestBytes));
  return 0;
}
