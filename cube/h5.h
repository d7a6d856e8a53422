#ifndef INTERNODE_CUBE_H5_H_
#define INTERNODE_CUBE_H5_H_

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "core/data_type.h"

// The border to libhdf5: only cube/*.cc and headers that no other module
// includes may include this file.
//
// Every call of libhdf5, and so the end of every handle, happens under
// h5::Lock. Handles that are members of an object are closed in its destructor
// under a Lock.
namespace internode::cube::h5 {

// The one lock of libhdf5 in this process.
Mutex& LibraryMutex();

// Holds the library for the length of a scope. libhdf5 prints nothing while it
// is held; the printing of a host program is as it was afterwards. Not
// recursive: functions that take the lock say so, and those that need it held
// are annotated.
class ABSL_SCOPED_LOCKABLE Lock {
 public:
  Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION(LibraryMutex());
  ~Lock() ABSL_UNLOCK_FUNCTION();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  H5E_auto2_t printer_ = nullptr;
  void* printer_data_ = nullptr;
};

// Owns an identifier of libhdf5, which kClose gives back. Movable.
template <herr_t (*kClose)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) reset(std::exchange(other.id_, -1));
    return *this;
  }

  hid_t get() const { return id_; }
  bool valid() const { return id_ >= 0; }
  hid_t release() { return std::exchange(id_, -1); }
  void reset(hid_t id = -1) {
    if (id_ >= 0) kClose(id_);
    id_ = id;
  }

 private:
  hid_t id_ = -1;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using PropertyList = Handle<H5Pclose>;
using Object = Handle<H5Oclose>;

// A name that nothing has. To look for it makes the library read the names of
// all compactly stored links or attributes of an object, without the faults
// that listing them has where one is damaged.
inline constexpr char kNoSuchName[] = "\x01internode: no such name";

// What libhdf5 has on its error stack, the most specific line first, in one
// line: "inflate() failed (data error)". "unknown error" on an empty stack.
std::string ErrorText() ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

// `message`, then ErrorText().
absl::Status Error(absl::StatusCode code, absl::string_view message)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

// OK when `result`, of a call of libhdf5, is not negative; else kInternal with
// `what`, the thing that could not be done: "create variable 'blue'".
absl::Status Check(int64_t result, absl::string_view what)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

// The identifier `id` owned, or an error as by Check.
template <typename Owned>
absl::StatusOr<Owned> Own(hid_t id, absl::string_view what)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex()) {
  if (absl::Status status = Check(id, what); !status.ok()) return status;
  return Owned(id);
}

// The type of `type` in this machine's memory, and in a little-endian file.
// The library's own identifiers, not to be closed.
hid_t MemoryType(core::DataType type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());
hid_t LittleEndianType(core::DataType type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

// Opens `path`, a file that exists, for reading. A file system without locks
// is no obstacle; another program that is writing the file is. The status is
// kFailedPrecondition then, else kDataLoss, and says what libhdf5 says.
absl::StatusOr<File> OpenForReading(const std::string& path)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

// Property lists for files that are the same bytes whenever they are written:
// objects keep no times. Links and attributes are kept in the order of their
// creation, as NetCDF-4 does. Datasets written with DatasetCreation are filled
// only where they are read before they are written.
absl::StatusOr<PropertyList> FileCreation()
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());
absl::StatusOr<PropertyList> GroupCreation()
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());
absl::StatusOr<PropertyList> DatasetCreation()
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

}  // namespace internode::cube::h5

#endif  // INTERNODE_CUBE_H5_H_
