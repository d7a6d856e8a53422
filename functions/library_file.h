#ifndef INTERNODE_FUNCTIONS_LIBRARY_FILE_H_
#define INTERNODE_FUNCTIONS_LIBRARY_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace internode::functions {

// Fails (kInvalidArgument) when the shared library `path` is shorter than its
// own ELF header says, as a copy is that was cut off. dlopen maps such a file
// without a look at its size, and the process dies of SIGBUS when it reads
// beyond the end. Whatever else is wrong with a file is left to dlopen, which
// says so.
absl::Status CheckLibraryIsWhole(const std::string& path);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_LIBRARY_FILE_H_
