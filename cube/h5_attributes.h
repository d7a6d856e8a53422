#ifndef INTERNODE_CUBE_H5_ATTRIBUTES_H_
#define INTERNODE_CUBE_H5_ATTRIBUTES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/attribute.h"
#include "cube/h5.h"

namespace internode::cube {

// The attributes of `object` that its author wrote, in their order: text and
// numbers, one or more. Those of the file format (CLASS, DIMENSION_LIST,
// _Netcdf4Dimid, …) are left out, as are those of other types. Of a list of
// texts the parts are joined by ", ".
absl::StatusOr<core::Attributes> ReadAttributes(hid_t object)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// The names of all attributes of `object`, those of the file format among
// them, in the order of creation where the file keeps it. Errors: kDataLoss.
absl::StatusOr<std::vector<std::string>> ListAttributes(hid_t object)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

bool HasAttribute(hid_t object, const char* name)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// One text, or nothing if there is no such attribute or it is not text.
std::optional<std::string> ReadTextAttribute(hid_t object, const char* name)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// All texts of a list of texts; empty if there is none.
std::vector<std::string> ReadTextListAttribute(hid_t object, const char* name)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// All integers; empty if there are none.
std::vector<int64_t> ReadIntegerAttribute(hid_t object, const char* name)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// The addresses, in the file, of the dimension scales that DIMENSION_LIST
// attaches to each of the dataset's `rank` dimensions, in its order.
std::vector<std::vector<uint64_t>> ReadScaleLists(hid_t dataset, size_t rank)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// The texts of a dataset of strings: fixed, of variable length, or as netCDF's
// characters, whose last dimension runs along the text. Errors: kDataLoss.
absl::StatusOr<std::vector<std::string>> ReadTexts(hid_t dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_H5_ATTRIBUTES_H_
