#ifndef INTERNODE_CUBE_DATASET_SOURCES_H_
#define INTERNODE_CUBE_DATASET_SOURCES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

#include "cube/h5.h"

// Data of a file may lie in other files: those of a virtual dataset's sources,
// those of external storage, those that external links lead to.

namespace internode::cube {

// Whether the file may be read; kNotFound, if it is not there. Asked about a
// path that may be relative to the current folder.
using MayReadFile = std::function<absl::Status(const std::string& path)>;

// Asks `may_read` about every file that the library would look for elements of
// `dataset` in, wherever it looks; `file` is that of the dataset. Sources that
// have sources of their own in turn are refused, and so are names that stand
// for many files. Errors: what is refused, and why, as the rest of a sentence
// that begins with the dataset. To be called before the dataset's shape is
// asked for, which opens sources.
absl::Status CheckDatasetSources(hid_t dataset, const std::string& file,
                                 const MayReadFile& may_read)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// A list of properties for opening objects that ends at external links, instead
// of opening the file that they name. Sets `*met` when one was met.
h5::PropertyList StayingInFile(bool* met)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_DATASET_SOURCES_H_
