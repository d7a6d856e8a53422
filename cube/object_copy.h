#ifndef INTERNODE_CUBE_OBJECT_COPY_H_
#define INTERNODE_CUBE_OBJECT_COPY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "cube/h5.h"

namespace internode::cube {

// Copies parts of one HDF5 file into another, as they are stored: types,
// spaces and values stay what they were. What refers to places in the file is
// not copied: the places are other ones.
class ObjectCopier {
 public:
  // Both outlive the object.
  ObjectCopier(hid_t from, hid_t to) : from_(from), to_(to) {}

  // The attributes of `from` to the new object `to`, whose path is `path`, but
  // for those that name the writer of the file (_NCProperties) or the places of
  // dimension scales (DIMENSION_LIST, REFERENCE_LIST).
  absl::Status CopyAttributes(hid_t from, hid_t to, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  // A dataset with its attributes and data, stored as it was where that is in
  // the file itself, else in one piece.
  absl::Status CopyDataset(hid_t from, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  // A type that the file keeps under a name, which objects copied later share.
  absl::Status CopyNamedType(hid_t from, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  // What was left out, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  absl::StatusOr<h5::Type> TypeInCopy(hid_t type)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyAttribute(hid_t from, hid_t to, const std::string& name,
                             const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyData(hid_t from, hid_t to, hid_t type,
                        const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  const hid_t from_;
  const hid_t to_;
  // Paths of the types that the file keeps under a name, by address.
  std::map<uint64_t, std::string> named_types_;
  std::vector<std::string> notes_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_OBJECT_COPY_H_
