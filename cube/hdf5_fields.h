#ifndef INTERNODE_CUBE_HDF5_FIELDS_H_
#define INTERNODE_CUBE_HDF5_FIELDS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// What every structure of an HDF5 file is made of.
namespace internode::cube {

// An address or size that the file leaves undefined.
inline constexpr uint64_t kUndefined = UINT64_MAX;

// Bytes of fields that many structures have.
inline constexpr uint64_t kAddressBytes = 8;
inline constexpr uint64_t kFilterMaskBytes = 4;
inline constexpr uint64_t kChecksumBytes = 4;

// Reads the fields of a structure one after the other. A field beyond the end
// is 0, and so are all after it; ok() tells.
class FieldReader {
 public:
  explicit FieldReader(absl::Span<const std::byte> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  // A little-endian number of 1 to 8 bytes.
  uint64_t Number(size_t bytes);
  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t U64() { return Number(8); }
  void Skip(size_t bytes) { Take(bytes); }
  // The next bytes; empty beyond the end.
  absl::Span<const std::byte> Take(size_t bytes);
  // Whether the next bytes are these.
  bool Signature(absl::string_view signature);
  // Whether the next four bytes are the checksum of all before them.
  bool Checksum();

 private:
  absl::Span<const std::byte> bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

// The checksum of HDF5's metadata: Bob Jenkins, "lookup3.c" (2006), hashlittle
// with the initial value 0.
uint32_t Lookup3(absl::Span<const std::byte> bytes);

// kDataLoss: "fixed array at 4096: wrong checksum".
absl::Status Damaged(absl::string_view structure, uint64_t address,
                     absl::string_view how);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_HDF5_FIELDS_H_
