#include "cube/hdf5_fields.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace internode::cube {
namespace {

uint32_t Little32(const std::byte* bytes) {
  if constexpr (std::endian::native == std::endian::little) {
    uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
  return std::to_integer<uint32_t>(bytes[0]) |
         std::to_integer<uint32_t>(bytes[1]) << 8 |
         std::to_integer<uint32_t>(bytes[2]) << 16 |
         std::to_integer<uint32_t>(bytes[3]) << 24;
}

// The state of lookup3, with the names of its source.
struct Lookup3State {
  uint32_t a, b, c;

  void Add(const std::byte* block) {
    a += Little32(block);
    b += Little32(block + 4);
    c += Little32(block + 8);
  }
  void Mix() {
    a -= c, a ^= std::rotl(c, 4), c += b;
    b -= a, b ^= std::rotl(a, 6), a += c;
    c -= b, c ^= std::rotl(b, 8), b += a;
    a -= c, a ^= std::rotl(c, 16), c += b;
    b -= a, b ^= std::rotl(a, 19), a += c;
    c -= b, c ^= std::rotl(b, 4), b += a;
  }
  void Final() {
    c ^= b, c -= std::rotl(b, 14);
    a ^= c, a -= std::rotl(c, 11);
    b ^= a, b -= std::rotl(a, 25);
    c ^= b, c -= std::rotl(b, 16);
    a ^= c, a -= std::rotl(c, 4);
    b ^= a, b -= std::rotl(a, 14);
    c ^= b, c -= std::rotl(b, 24);
  }
};

}  // namespace

uint64_t FieldReader::Number(size_t bytes) {
  const absl::Span<const std::byte> field = Take(bytes);
  if constexpr (std::endian::native == std::endian::little) {
    if (field.size() == 8) {
      uint64_t value = 0;
      std::memcpy(&value, field.data(), sizeof(value));
      return value;
    }
  }
  uint64_t value = 0;
  for (size_t i = field.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<uint64_t>(field[i]);
  }
  return value;
}

absl::Span<const std::byte> FieldReader::Take(size_t bytes) {
  if (bytes > remaining()) {
    ok_ = false;
    position_ = bytes_.size();
    return {};
  }
  const absl::Span<const std::byte> taken = bytes_.subspan(position_, bytes);
  position_ += bytes;
  return taken;
}

bool FieldReader::Signature(absl::string_view signature) {
  const absl::Span<const std::byte> field = Take(signature.size());
  return field.size() == signature.size() &&
         std::memcmp(field.data(), signature.data(), field.size()) == 0;
}

bool FieldReader::Checksum() {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  // Only programs that tests/fuzz/run.sh builds: chance finds no checksum.
  U32();
  return ok_;
#else
  const uint32_t computed = Lookup3(bytes_.first(position_));
  return U32() == computed && ok_;
#endif
}

uint32_t Lookup3(absl::Span<const std::byte> bytes) {
  constexpr size_t kBlock = 12;
  const uint32_t start = 0xdeadbeef + static_cast<uint32_t>(bytes.size());
  Lookup3State state{start, start, start};
  while (bytes.size() > kBlock) {
    state.Add(bytes.data());
    state.Mix();
    bytes.remove_prefix(kBlock);
  }
  if (bytes.empty()) return state.c;
  std::byte last[kBlock] = {};
  std::memcpy(last, bytes.data(), bytes.size());
  state.Add(last);
  state.Final();
  return state.c;
}

absl::Status Damaged(absl::string_view structure, uint64_t address,
                     absl::string_view how) {
  return absl::DataLossError(
      absl::StrCat(structure, " at ", address, ": ", how));
}

}  // namespace internode::cube
