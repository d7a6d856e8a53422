#include "cube/h5_variable_length.h"

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/string_view.h"

namespace internode::cube::h5 {
namespace {

// Of the elements of one source, and of the heaps that are read for them.
constexpr uint64_t kMaxBytes = uint64_t{256} << 20;

constexpr char kConversion[] = "internode heap references";

// Takes the stored references into the heaps as they are.
herr_t KeepReferences(hid_t from, hid_t to, H5T_cdata_t* conversion,
                      size_t /*count*/, size_t /*stride*/,
                      size_t /*background_stride*/, void* /*buffer*/,
                      void* /*background*/, hid_t /*transfer*/) {
  if (conversion->command != H5T_CONV_INIT) return 0;
  conversion->need_bkg = H5T_BKG_NO;
  return H5Tget_size(from) == H5Tget_size(to) ? 0 : -1;
}

// The library has the conversion KeepReferences while this lives.
class ReferenceConversion {
 public:
  ReferenceConversion(hid_t from, hid_t to)
      : registered_(H5Tregister(H5T_PERS_SOFT, kConversion, from, to,
                                KeepReferences) >= 0) {}
  ~ReferenceConversion() {
    if (registered_) {
      H5Tunregister(H5T_PERS_SOFT, kConversion, -1, -1, KeepReferences);
    }
  }
  ReferenceConversion(const ReferenceConversion&) = delete;
  ReferenceConversion& operator=(const ReferenceConversion&) = delete;

  bool registered() const { return registered_; }

 private:
  const bool registered_;
};

uint64_t LittleEndian(absl::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;) {
    number = number << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return number;
}

uint64_t Aligned(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

// The objects of one collection by their index; they point into `bytes`.
struct Collection {
  std::string bytes;
  std::map<uint64_t, absl::string_view> objects;
};

// The global heaps of the file of an object.
class GlobalHeaps {
 public:
  // Nothing for a file that is not read with plain system calls.
  static std::optional<GlobalHeaps> Of(hid_t object)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex()) {
    const File file(H5Iget_file_id(object));
    if (!file.valid()) return {};
    const PropertyList access(H5Fget_access_plist(file.get()));
    const PropertyList creation(H5Fget_create_plist(file.get()));
    GlobalHeaps heaps;
    hsize_t base = 0;
    void* handle = nullptr;
    if (!access.valid() || !creation.valid() ||
        H5Pget_driver(access.get()) != H5FD_SEC2 ||
        H5Pget_sizes(creation.get(), &heaps.address_bytes_,
                     &heaps.size_bytes_) < 0 ||
        H5Pget_userblock(creation.get(), &base) < 0 ||
        H5Fget_vfd_handle(file.get(), H5P_DEFAULT, &handle) < 0 ||
        heaps.address_bytes_ > 8 || heaps.size_bytes_ > 8) {
      return {};
    }
    heaps.base_ = base;
    heaps.fd_ = *static_cast<const int*>(handle);
    return heaps;
  }

  // A length, the address of a collection and an index there.
  size_t reference_bytes() const { return 8 + address_bytes_; }

  // The bytes of the element of which `reference` is stored.
  std::optional<absl::string_view> Element(absl::string_view reference,
                                           size_t item_bytes) {
    const uint64_t items = LittleEndian(reference.substr(0, 4));
    const uint64_t address = LittleEndian(reference.substr(4, address_bytes_));
    const uint64_t index = LittleEndian(reference.substr(4 + address_bytes_));
    if (items == 0 || address == 0) return absl::string_view();
    const Collection* collection = Find(address);
    if (collection == nullptr) return {};
    const auto object = collection->objects.find(index);
    if (object == collection->objects.end() ||
        items > object->second.size() / item_bytes) {
      return {};
    }
    return object->second.substr(0, items * item_bytes);
  }

 private:
  const Collection* Find(uint64_t address) {
    const auto known = collections_.find(address);
    if (known != collections_.end()) return &known->second;
    std::optional<std::string> bytes = ReadCollection(address);
    if (!bytes.has_value()) return nullptr;
    Collection& collection = collections_[address];
    collection.bytes = *std::move(bytes);
    ListObjects(&collection);
    return &collection;
  }

  std::optional<std::string> ReadCollection(uint64_t address) {
    const size_t header_bytes = 8 + size_bytes_;
    std::string header(header_bytes, '\0');
    if (!ReadAt(address, &header) || header.compare(0, 4, "GCOL") != 0 ||
        header[4] != 1) {
      return {};
    }
    const uint64_t size =
        LittleEndian(absl::string_view(header).substr(8, size_bytes_));
    if (size < Aligned(header_bytes) || size > kMaxBytes - bytes_read_) {
      return {};
    }
    // Before the memory is taken: the file must have as many bytes.
    std::string last(1, '\0');
    if (!ReadAt(address + size - 1, &last)) return {};
    std::string bytes(size, '\0');
    if (!ReadAt(address, &bytes)) return {};
    bytes_read_ += size;
    return bytes;
  }

  void ListObjects(Collection* collection) const {
    const absl::string_view bytes = collection->bytes;
    const uint64_t header_bytes = Aligned(8 + size_bytes_);
    uint64_t at = header_bytes;
    while (bytes.size() - at >= header_bytes) {
      const uint64_t index = LittleEndian(bytes.substr(at, 2));
      const uint64_t size = LittleEndian(bytes.substr(at + 8, size_bytes_));
      at += header_bytes;
      // Index 0 is the free space behind the objects.
      if (index == 0 || size > bytes.size() - at) return;
      collection->objects.emplace(index, bytes.substr(at, size));
      if (Aligned(size) > bytes.size() - at) return;
      at += Aligned(size);
    }
  }

  bool ReadAt(uint64_t address, std::string* bytes) const {
    constexpr uint64_t kLast = std::numeric_limits<off_t>::max();
    if (base_ > kLast || address > kLast - base_) return false;
    uint64_t at = base_ + address;
    for (size_t done = 0; done < bytes->size();) {
      if (at > kLast) return false;
      const ssize_t got = pread(fd_, bytes->data() + done, bytes->size() - done,
                                static_cast<off_t>(at));
      if (got <= 0) return false;
      done += static_cast<size_t>(got);
      at += static_cast<uint64_t>(got);
    }
    return true;
  }

  int fd_ = -1;
  uint64_t base_ = 0;
  size_t address_bytes_ = 0;
  size_t size_bytes_ = 0;
  uint64_t bytes_read_ = 0;
  std::map<uint64_t, Collection> collections_;
};

// The references of the elements of `source`, one after the other.
std::optional<std::string> ReadReferences(const ElementSource& source,
                                          hid_t type, size_t reference_bytes,
                                          size_t count)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex()) {
  if (count > kMaxBytes / reference_bytes) return {};
  const Type reference(H5Tcreate(H5T_OPAQUE, reference_bytes));
  if (!reference.valid()) return {};
  const ReferenceConversion conversion(type, reference.get());
  std::string bytes(count * reference_bytes, '\0');
  if (!conversion.registered() ||
      source.Read(reference.get(), bytes.data()) < 0) {
    return {};
  }
  return bytes;
}

}  // namespace

herr_t ElementSource::Read(hid_t type, void* data) const {
  return is_dataset ? H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data)
                    : H5Aread(id, type, data);
}

std::optional<std::vector<std::string>> ReadVariableLength(
    const ElementSource& source, hid_t type, size_t item_bytes, size_t count) {
  std::optional<GlobalHeaps> heaps = GlobalHeaps::Of(source.id);
  if (!heaps.has_value()) return {};
  const size_t reference_bytes = heaps->reference_bytes();
  const std::optional<std::string> references =
      ReadReferences(source, type, reference_bytes, count);
  if (!references.has_value()) return {};
  std::vector<std::string> elements;
  elements.reserve(count);
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    const std::optional<absl::string_view> element =
        heaps->Element(absl::string_view(*references)
                           .substr(i * reference_bytes, reference_bytes),
                       item_bytes);
    if (!element.has_value()) return {};
    total += element->size();
    if (total > kMaxBytes) return {};
    elements.emplace_back(*element);
  }
  return elements;
}

}  // namespace internode::cube::h5
