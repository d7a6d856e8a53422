#include "functions/library_file.h"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace internode::functions {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

template <typename T>
bool ReadAt(std::ifstream& file, uint64_t offset, T* value) {
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(value), sizeof(T));
  return file.good();
}

bool IsNative(const Header& header) {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == kClass &&
         header.e_phentsize == sizeof(Segment);
}

}  // namespace

absl::Status CheckLibraryIsWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff end = file.tellg();
  Header header;
  if (end < 0 || !ReadAt(file, 0, &header) || !IsNative(header)) {
    return absl::OkStatus();
  }
  const auto size = static_cast<uint64_t>(end);
  const uint64_t table = uint64_t{header.e_phnum} * sizeof(Segment);
  if (header.e_phoff > size || table > size - header.e_phoff) {
    return absl::InvalidArgumentError(
        absl::StrCat("it is cut off after ", size, " bytes"));
  }
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Segment segment;
    if (!ReadAt(file, header.e_phoff + i * sizeof(Segment), &segment)) {
      return absl::InvalidArgumentError("it cannot be read");
    }
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) {
      return absl::InvalidArgumentError(
          absl::StrCat("it is cut off after ", size, " bytes"));
    }
  }
  return absl::OkStatus();
}

}  // namespace internode::functions
