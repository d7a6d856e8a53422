#include "cube/hdf5_structure_reader.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/hdf5_fields.h"

namespace internode::cube {
namespace {

// To read so many bytes that nobody wants takes about as long as another call.
constexpr uint64_t kGap = uint64_t{16} << 10;
constexpr uint64_t kMostAtOnce = uint64_t{1} << 20;
// How many reads ahead the system hears of one.
constexpr size_t kReadAhead = 8;

constexpr absl::string_view kSuperblockSignature("\x89HDF\r\n\x1a\n", 8);
// Of version 2 and 3, with addresses of 8 bytes, without the checksum.
constexpr size_t kSuperblock2Bytes = 44;

// Fails for a superblock after whose form this module cannot read the file.
absl::Status CheckSuperblock(absl::Span<const std::byte> bytes, uint64_t base) {
  FieldReader fields(bytes);
  fields.Skip(kSuperblockSignature.size());
  const int version = fields.U8();
  if (version > 3) {
    return absl::UnimplementedError(
        absl::StrCat("superblock version ", version));
  }
  // Versions 0 and 1: versions of three other structures and a reserved byte.
  if (version < 2) fields.Skip(4);
  const int address_bytes = fields.U8();
  const int size_bytes = fields.U8();
  if (!fields.ok()) return Damaged("superblock", base, "cut off");
  if (address_bytes != 8 || size_bytes != 8) {
    return absl::UnimplementedError(absl::StrCat("addresses of ", address_bytes,
                                                 " and sizes of ", size_bytes,
                                                 " bytes"));
  }
  if (version < 2) return absl::OkStatus();
  fields.Skip(kSuperblock2Bytes - fields.position());
  if (fields.Checksum()) return absl::OkStatus();
  return Damaged("superblock", base, "wrong checksum");
}

}  // namespace

absl::StatusOr<StructureReader> StructureReader::Open(
    const ByteSource& source) {
  std::array<std::byte, kSuperblock2Bytes + 4> buffer;
  // At 0, 512, 1024, 2048 and so on, behind what the user put before it.
  for (uint64_t base = 0; base < source.size();
       base = base == 0 ? 512 : base * 2) {
    const auto bytes = absl::MakeSpan(buffer).first(
        std::min<uint64_t>(buffer.size(), source.size() - base));
    INTERNODE_RETURN_IF_ERROR(source.ReadAt(base, bytes));
    if (!FieldReader(bytes).Signature(kSuperblockSignature)) continue;
    INTERNODE_RETURN_IF_ERROR(CheckSuperblock(bytes, base));
    return StructureReader(&source, base);
  }
  return absl::DataLossError("no superblock");
}

absl::StatusOr<uint64_t> StructureReader::Offset(uint64_t address,
                                                 uint64_t bytes) const {
  if (address > file_bytes_ - base_ || bytes > file_bytes_ - base_ - address) {
    return absl::DataLossError(absl::StrCat(bytes, " bytes at address ",
                                            address, " are not within the ",
                                            file_bytes_, " of the file"));
  }
  return base_ + address;
}

absl::Status StructureReader::Read(uint64_t address, uint64_t bytes,
                                   std::vector<std::byte>* buffer) {
  if (bytes > kLargest) {
    return absl::UnimplementedError(
        absl::StrCat("a structure of ", bytes, " bytes"));
  }
  INTERNODE_ASSIGN_OR_RETURN(const uint64_t offset, Offset(address, bytes));
  INTERNODE_RETURN_IF_ERROR(Charge(bytes));
  buffer->resize(bytes);
  return source_->ReadAt(offset, absl::MakeSpan(*buffer));
}

absl::StatusOr<std::vector<StructureReader::Run>> StructureReader::Runs(
    absl::Span<const StructurePlace> places, uint64_t bytes) const {
  std::vector<Run> runs;
  for (size_t i = 0; i < places.size(); ++i) {
    INTERNODE_ASSIGN_OR_RETURN(const uint64_t offset,
                               Offset(places[i].address, 1));
    const uint64_t end = std::min(offset + bytes, file_bytes_);
    if (i > 0 && places[i].address == places[i - 1].address) {
      return Damaged("structure", places[i].address, "in use twice");
    }
    if (!runs.empty() &&
        offset <= runs.back().offset + runs.back().bytes + kGap &&
        end - runs.back().offset <= kMostAtOnce) {
      runs.back().last = i + 1;
      runs.back().bytes = end - runs.back().offset;
      continue;
    }
    runs.push_back({i, i + 1, offset, end - offset});
  }
  return runs;
}

absl::Status StructureReader::ReadEach(
    std::vector<StructurePlace> places, uint64_t bytes,
    absl::FunctionRef<absl::Status(const StructurePlace&,
                                   absl::Span<const std::byte>)>
        use) {
  if (bytes > kLargest) {
    return absl::UnimplementedError(
        absl::StrCat("structures of ", bytes, " bytes"));
  }
  std::sort(places.begin(), places.end(),
            [](const StructurePlace& a, const StructurePlace& b) {
              return a.address < b.address;
            });
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<Run> runs, Runs(places, bytes));
  std::vector<std::byte> buffer;
  size_t announced = 1;
  for (size_t r = 0; r < runs.size(); ++r) {
    for (; announced < std::min(runs.size(), r + 1 + kReadAhead); ++announced) {
      source_->WillRead(runs[announced].offset, runs[announced].bytes);
    }
    const Run& run = runs[r];
    buffer.resize(run.bytes);
    INTERNODE_RETURN_IF_ERROR(
        source_->ReadAt(run.offset, absl::MakeSpan(buffer)));
    for (size_t i = run.first; i < run.last; ++i) {
      const uint64_t begin = places[i].address + base_ - run.offset;
      INTERNODE_RETURN_IF_ERROR(
          use(places[i], absl::MakeConstSpan(buffer).subspan(begin, bytes)));
    }
  }
  return absl::OkStatus();
}

absl::Status StructureReader::Charge(uint64_t bytes) {
  read_ += bytes;
  if (read_ <= file_bytes_) return absl::OkStatus();
  return absl::DataLossError("the parts of the chunk index overlap");
}

}  // namespace internode::cube
