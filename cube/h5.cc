#include "cube/h5.h"

#include <cerrno>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "base/status_macros.h"

namespace internode::cube::h5 {
namespace {

using core::DataType;

// Collects the descriptions of the error stack.
herr_t CollectDescription(unsigned /*n*/, const H5E_error2_t* error,
                          void* lines) {
  if (error->desc != nullptr && error->desc[0] != '\0') {
    static_cast<std::vector<std::string>*>(lines)->emplace_back(error->desc);
  }
  return 0;
}

std::vector<std::string> ErrorLines()
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex()) {
  std::vector<std::string> lines;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, CollectDescription, &lines);
  return lines;
}

hid_t OpenWithLocking(const std::string& path, bool locking) {
  PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  if (!access.valid() || H5Pset_file_locking(access.get(), locking, true) < 0) {
    return -1;
  }
  return H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
}

}  // namespace

Mutex& LibraryMutex() {
  static Mutex mutex;
  return mutex;
}

Lock::Lock() {
  LibraryMutex().Lock();
  H5Eget_auto2(H5E_DEFAULT, &printer_, &printer_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Lock::~Lock() {
  H5Eset_auto2(H5E_DEFAULT, printer_, printer_data_);
  LibraryMutex().Unlock();
}

std::string ErrorText() {
  const std::vector<std::string> lines = ErrorLines();
  if (lines.empty()) return "unknown error";
  std::string text = lines[0];
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

absl::Status Error(absl::StatusCode code, absl::string_view message) {
  return absl::Status(code, absl::StrCat(message, ": ", ErrorText()));
}

absl::Status Check(int64_t result, absl::string_view what) {
  if (result >= 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInternal, absl::StrCat("cannot ", what));
}

hid_t MemoryType(DataType type) {
  switch (type) {
    case DataType::kInt8:
      return H5T_NATIVE_INT8;
    case DataType::kInt16:
      return H5T_NATIVE_INT16;
    case DataType::kInt32:
      return H5T_NATIVE_INT32;
    case DataType::kInt64:
      return H5T_NATIVE_INT64;
    case DataType::kUInt8:
      return H5T_NATIVE_UINT8;
    case DataType::kUInt16:
      return H5T_NATIVE_UINT16;
    case DataType::kUInt32:
      return H5T_NATIVE_UINT32;
    case DataType::kUInt64:
      return H5T_NATIVE_UINT64;
    case DataType::kFloat32:
      return H5T_NATIVE_FLOAT;
    case DataType::kFloat64:
      break;
  }
  return H5T_NATIVE_DOUBLE;
}

hid_t LittleEndianType(DataType type) {
  switch (type) {
    case DataType::kInt8:
      return H5T_STD_I8LE;
    case DataType::kInt16:
      return H5T_STD_I16LE;
    case DataType::kInt32:
      return H5T_STD_I32LE;
    case DataType::kInt64:
      return H5T_STD_I64LE;
    case DataType::kUInt8:
      return H5T_STD_U8LE;
    case DataType::kUInt16:
      return H5T_STD_U16LE;
    case DataType::kUInt32:
      return H5T_STD_U32LE;
    case DataType::kUInt64:
      return H5T_STD_U64LE;
    case DataType::kFloat32:
      return H5T_IEEE_F32LE;
    case DataType::kFloat64:
      break;
  }
  return H5T_IEEE_F64LE;
}

absl::StatusOr<File> OpenForReading(const std::string& path) {
  errno = 0;
  File file(OpenWithLocking(path, /*locking=*/true));
  if (file.valid()) return file;
  int lock_error = 0;
  std::string text = ErrorText();
  for (const std::string& line : ErrorLines()) {
    if (absl::StrContains(line, "unable to lock file")) {
      lock_error = errno == 0 ? ENOLCK : errno;
      text = line;
    }
    // libhdf5's own mark in the superblock, of a writer that lives or died.
    if (absl::StrContains(line, "already open for write")) {
      return absl::FailedPreconditionError(absl::StrCat(
          "it is marked as being written (a writer that died leaves the mark "
          "behind; h5clear -s removes it)"));
    }
  }
  if (lock_error == EWOULDBLOCK) {
    return absl::FailedPreconditionError(
        "another program has it open for writing");
  }
  if (lock_error != 0) {
    // NFS, Lustre and others without flock.
    file.reset(OpenWithLocking(path, /*locking=*/false));
    if (file.valid()) return file;
    text = ErrorText();
  }
  return absl::DataLossError(text);
}

absl::StatusOr<PropertyList> FileCreation() {
  constexpr unsigned kOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  INTERNODE_ASSIGN_OR_RETURN(
      PropertyList list,
      Own<PropertyList>(H5Pcreate(H5P_FILE_CREATE), "prepare a file"));
  INTERNODE_RETURN_IF_ERROR(
      Check(H5Pset_link_creation_order(list.get(), kOrder), "order the links"));
  INTERNODE_RETURN_IF_ERROR(Check(
      H5Pset_attr_creation_order(list.get(), kOrder), "order the attributes"));
  INTERNODE_RETURN_IF_ERROR(
      Check(H5Pset_obj_track_times(list.get(), false), "leave out the times"));
  return list;
}

absl::StatusOr<PropertyList> GroupCreation() {
  constexpr unsigned kOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  INTERNODE_ASSIGN_OR_RETURN(
      PropertyList list,
      Own<PropertyList>(H5Pcreate(H5P_GROUP_CREATE), "prepare a group"));
  INTERNODE_RETURN_IF_ERROR(
      Check(H5Pset_link_creation_order(list.get(), kOrder), "order the links"));
  INTERNODE_RETURN_IF_ERROR(Check(
      H5Pset_attr_creation_order(list.get(), kOrder), "order the attributes"));
  INTERNODE_RETURN_IF_ERROR(
      Check(H5Pset_obj_track_times(list.get(), false), "leave out the times"));
  return list;
}

absl::StatusOr<PropertyList> DatasetCreation() {
  constexpr unsigned kOrder = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  INTERNODE_ASSIGN_OR_RETURN(
      PropertyList list,
      Own<PropertyList>(H5Pcreate(H5P_DATASET_CREATE), "prepare a dataset"));
  INTERNODE_RETURN_IF_ERROR(Check(
      H5Pset_attr_creation_order(list.get(), kOrder), "order the attributes"));
  INTERNODE_RETURN_IF_ERROR(
      Check(H5Pset_obj_track_times(list.get(), false), "leave out the times"));
  INTERNODE_RETURN_IF_ERROR(
      Check(H5Pset_fill_time(list.get(), H5D_FILL_TIME_IFSET),
            "set the time of filling"));
  return list;
}

}  // namespace internode::cube::h5
