#ifndef INTERNODE_CUBE_H5_VARIABLE_LENGTH_H_
#define INTERNODE_CUBE_H5_VARIABLE_LENGTH_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "cube/h5.h"

// Elements of variable length (texts, lists) lie in the global heaps of a
// file. libhdf5 believes what a heap and the references into it say, and
// crashes or does not end where they are damaged; so the heaps are read here.
// Source of the format: HDF5 File Format Specification 3.0, section III.E
// "Global Heap" and section VIII.A "variable-length".
namespace internode::cube::h5 {

// An attribute, or a dataset in the file's own storage.
struct ElementSource {
  hid_t id;
  bool is_dataset;

  herr_t Read(hid_t type, void* data) const;
};

// The bytes, as the file stores them, of each of the `count` elements of
// `source`, whose type `type` is of variable length with items of `item_bytes`
// (1 for text). Nothing where they cannot be read, or are over 256 MiB.
std::optional<std::vector<std::string>> ReadVariableLength(
    const ElementSource& source, hid_t type, size_t item_bytes, size_t count)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(LibraryMutex());

}  // namespace internode::cube::h5

#endif  // INTERNODE_CUBE_H5_VARIABLE_LENGTH_H_
