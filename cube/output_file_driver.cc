#include "cube/output_file_driver.h"

#include <algorithm>

namespace internode::cube {
namespace {

// What the property list carries to Open.
struct DriverInfo {
  OutputFile* file;
};

struct DriverFile {
  // First, because the library sees a DriverFile as an H5FD_t.
  H5FD_t base;
  OutputFile* file;
  haddr_t end_of_allocation;
  haddr_t end_of_file;
};

DriverFile* Cast(H5FD_t* file) { return reinterpret_cast<DriverFile*>(file); }
const DriverFile* Cast(const H5FD_t* file) {
  return reinterpret_cast<const DriverFile*>(file);
}

H5FD_t* Open(const char*, unsigned, hid_t fapl, haddr_t) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(fapl));
  if (info == nullptr) return nullptr;
  auto file = std::make_unique<DriverFile>();
  file->file = info->file;
  // Owned by the library until it calls Close.
  return &file.release()->base;
}

herr_t Close(H5FD_t* file) {
  const std::unique_ptr<DriverFile> owned(Cast(file));
  return 0;
}

int Compare(const H5FD_t* a, const H5FD_t* b) {
  const std::less<> less;
  if (less(Cast(a)->file, Cast(b)->file)) return -1;
  return less(Cast(b)->file, Cast(a)->file) ? 1 : 0;
}

herr_t Query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
           H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

haddr_t GetEndOfAllocation(const H5FD_t* file, H5FD_mem_t) {
  return Cast(file)->end_of_allocation;
}

herr_t SetEndOfAllocation(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  Cast(file)->end_of_allocation = address;
  return 0;
}

haddr_t GetEndOfFile(const H5FD_t* file, H5FD_mem_t) {
  return Cast(file)->end_of_file;
}

herr_t Read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size,
            void* data) {
  Cast(file)->file->ReadAt(address, data, size);
  return 0;
}

herr_t Write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t address, size_t size,
             const void* data) {
  DriverFile* self = Cast(file);
  self->file->WriteAt(address, data, size);
  self->end_of_file =
      std::max(self->end_of_file, address + static_cast<haddr_t>(size));
  return 0;
}

herr_t Truncate(H5FD_t* file, hid_t, hbool_t) {
  DriverFile* self = Cast(file);
  if (self->end_of_file != self->end_of_allocation) {
    self->file->Truncate(self->end_of_allocation);
    self->end_of_file = self->end_of_allocation;
  }
  return 0;
}

// OutputFile holds the lock.
herr_t Lock(H5FD_t*, hbool_t) { return 0; }
herr_t Unlock(H5FD_t*) { return 0; }

H5FD_class_t DriverClass() {
  H5FD_class_t driver{};
  driver.name = "internode_output";
  driver.maxaddr = static_cast<haddr_t>(INT64_MAX);
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(DriverInfo);
  driver.open = Open;
  driver.close = Close;
  driver.cmp = Compare;
  driver.query = Query;
  driver.get_eoa = GetEndOfAllocation;
  driver.set_eoa = SetEndOfAllocation;
  driver.get_eof = GetEndOfFile;
  driver.read = Read;
  driver.write = Write;
  driver.truncate = Truncate;
  driver.lock = Lock;
  driver.unlock = Unlock;
  const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(map), std::end(map), std::begin(driver.fl_map));
  return driver;
}

}  // namespace

OutputFileDriver UseOutputFile(hid_t fapl, OutputFile* file) {
  static const H5FD_class_t driver_class = DriverClass();
  OutputFileDriver driver(H5FDregister(&driver_class));
  const DriverInfo info = {file};
  if (driver.valid() && H5Pset_driver(fapl, driver.get(), &info) < 0) {
    driver.reset();
  }
  return driver;
}

}  // namespace internode::cube
