#ifndef INTERNODE_CUBE_NETCDF_WRITER_H_
#define INTERNODE_CUBE_NETCDF_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "core/attribute.h"
#include "core/data_type.h"

namespace internode::cube {

// A variable of numbers to be written.
struct NetcdfVariable {
  std::string name;
  core::DataType type = core::DataType::kInt16;
  // Dimensions that were added before, in storage order.
  std::vector<std::string> dims;
  // One size per dimension; empty: contiguous, and written whole.
  std::vector<int64_t> storage_chunks;
  // 0 to 12, of chunked variables: 0 = neither shuffled nor compressed, else
  // shuffled (numbers of more than one byte) and then compressed. Readers
  // need no more than HDF5's own filters for any level.
  int deflate = 0;
  // What elements that are never written read as; 0 when absent. Becomes the
  // attribute _FillValue where `fill_is_missing`.
  std::optional<double> fill;
  bool fill_is_missing = true;
  core::Attributes attributes;
};

// Makes the bytes of storage chunks. Thread-compatible: one per thread.
class ChunkEncoder {
 public:
  // `level` as in NetcdfVariable.
  explicit ChunkEncoder(int level);
  ~ChunkEncoder();
  ChunkEncoder(const ChunkEncoder&) = delete;
  ChunkEncoder& operator=(const ChunkEncoder&) = delete;

  // The stored form of the numbers of `number_bytes` bytes each in `raw`,
  // which fill a whole storage chunk. Replaces the contents of `encoded`.
  void Encode(absl::Span<const uint8_t> raw, int64_t number_bytes,
              std::vector<uint8_t>* encoded);

 private:
  struct Compressor;
  std::unique_ptr<Compressor> compressor_;
  std::vector<uint8_t> shuffled_;
};

// Writes a NetCDF-4 file with the HDF5 library: named dimensions as attached
// dimension scales, so that every netCDF reader sees them. The same calls in
// the same order give the same bytes: there are no times in the file.
//
// The file comes into being as OutputFile says. Memory is bounded: nothing is
// kept but the variables' handles.
//
// Dimensions and variables appear in the file in the order in which they are
// added. Thread-compatible.
class NetcdfWriter {
 public:
  // Errors: as OutputFile::Create.
  static absl::StatusOr<std::unique_ptr<NetcdfWriter>> Create(
      absl::string_view path, bool overwrite);
  // Removes what was written unless Finish succeeded.
  ~NetcdfWriter();
  NetcdfWriter(const NetcdfWriter&) = delete;
  NetcdfWriter& operator=(const NetcdfWriter&) = delete;

  // A dimension; an unlimited one has size 0 until Grow.
  absl::Status AddDimension(absl::string_view name, int64_t size);
  absl::Status AddUnlimitedDimension(absl::string_view name);

  // Returns the number by which the calls below know the variable. A variable
  // with the name of its only dimension is that dimension's coordinate.
  absl::StatusOr<int> AddVariable(const NetcdfVariable& variable);
  // Text labels along `dim`, written at once.
  absl::Status AddLabels(absl::string_view name, absl::string_view dim,
                         const std::vector<std::string>& labels,
                         const core::Attributes& attributes);
  // Attributes of the file.
  absl::Status AddAttributes(const core::Attributes& attributes);

  // Makes an unlimited dimension, and all variables over it, `size` long.
  absl::Status Grow(absl::string_view dim, int64_t size);

  // All numbers of a variable that is not chunked, little-endian.
  absl::Status WriteAll(int variable, absl::Span<const uint8_t> bytes);
  // One storage chunk as ChunkEncoder made it at the variable's level;
  // `offset` is the index of its first element, a multiple of the chunk sizes.
  absl::Status WriteChunk(int variable, const std::vector<int64_t>& offset,
                          absl::Span<const uint8_t> encoded);

  // Completes the file. Errors as OutputFile::Commit; nothing else may be
  // called afterwards.
  absl::Status Finish();

 private:
  struct Impl;
  explicit NetcdfWriter(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_NETCDF_WRITER_H_
