#ifndef INTERNODE_CUBE_HDF5_STRUCTURE_READER_H_
#define INTERNODE_CUBE_HDF5_STRUCTURE_READER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "cube/byte_source.h"

namespace internode::cube {

// One of several structures of the same kind that are read together.
struct StructurePlace {
  uint64_t address = 0;
  // Whatever the caller knows of it.
  uint64_t tag = 0;
};

// Reads the structures of an HDF5 file, by the addresses that the file gives,
// which are relative to its base. In a sound file structures do not overlap,
// so that all together are no larger than the file: that is what may be read
// in all, and why damaged or invented files do not keep it busy for long.
// Thread-compatible.
class StructureReader {
 public:
  // Larger structures are refused: libhdf5 writes none.
  static constexpr uint64_t kLargest = uint64_t{16} << 20;

  // Finds the base: where the superblock is. Errors: kDataLoss, there is
  // none; kUnimplemented, one of a version or with sizes not known here.
  static absl::StatusOr<StructureReader> Open(const ByteSource& source);

  uint64_t file_bytes() const { return file_bytes_; }

  // The offset in the file. kDataLoss unless `bytes` from there on lie within
  // it.
  absl::StatusOr<uint64_t> Offset(uint64_t address, uint64_t bytes) const;

  // Replaces `buffer` by the structure. Errors: kDataLoss, kUnimplemented; as
  // ByteSource::ReadAt.
  absl::Status Read(uint64_t address, uint64_t bytes,
                    std::vector<std::byte>* buffer);

  // Calls `use` with each of `places` and the `bytes` bytes from there on, or
  // what the file has of them, in the order of the addresses; neighbours are
  // read at once. `use` says with Charge how much it was. Errors: kDataLoss,
  // an address that is outside the file or comes twice; of `use`; as Read.
  absl::Status ReadEach(
      std::vector<StructurePlace> places, uint64_t bytes,
      absl::FunctionRef<absl::Status(const StructurePlace& place,
                                     absl::Span<const std::byte> bytes)>
          use);

  // Counts `bytes` as read. kDataLoss when more has been read than the file
  // has.
  absl::Status Charge(uint64_t bytes);

 private:
  // Some of the places that lie near each other: [first, last).
  struct Run {
    size_t first = 0;
    size_t last = 0;
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };

  StructureReader(const ByteSource* source, uint64_t base)
      : source_(source), base_(base), file_bytes_(source->size()) {}

  absl::StatusOr<std::vector<Run>> Runs(absl::Span<const StructurePlace> places,
                                        uint64_t bytes) const;

  const ByteSource* source_;
  uint64_t base_ = 0;
  uint64_t file_bytes_ = 0;
  uint64_t read_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_HDF5_STRUCTURE_READER_H_
