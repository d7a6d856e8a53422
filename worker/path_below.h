#ifndef INTERNODE_WORKER_PATH_BELOW_H_
#define INTERNODE_WORKER_PATH_BELOW_H_

#include <string>

namespace internode::worker {

// A descriptor of what lies at `path`, relative, below the folder `folder`, to
// look at and not to read (O_PATH). Nothing on the way may be a symbolic link
// or `..`, so that it cannot lead out, whoever changes the folders meanwhile.
// -1: no, and errno says why (ELOOP, EXDEV: it would lead out). By openat2
// where the kernel has it, else step by step.
int OpenBelow(int folder, const std::string& path);

// The second way alone, for its test.
int OpenBelowByStep(int folder, const std::string& path);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_PATH_BELOW_H_
