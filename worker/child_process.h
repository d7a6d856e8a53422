#ifndef INTERNODE_WORKER_CHILD_PROCESS_H_
#define INTERNODE_WORKER_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace internode::worker {

struct ChildSpec {
  // The program, and its arguments, that of its name included.
  std::string program;
  std::vector<std::string> arguments;
  // Open in the child as 3, 4, …; all others that are close-on-exec are not.
  std::vector<int> fds;
};

// Starts a program, without the environment variables INTERNODE_WORKER_…:
// everything is said by its arguments. Errors: kResourceExhausted, kInternal.
absl::StatusOr<pid_t> StartChild(const ChildSpec& spec);

// What a child does first: it dies with its supervisor, and before it when
// memory is short.
void BecomeChild();

// "exit code 1", "signal 11 (SIGSEGV)", of a status of waitpid.
std::string CauseOfDeath(int wait_status);

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_CHILD_PROCESS_H_
