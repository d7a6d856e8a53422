#ifndef INTERNODE_WORKER_EXIT_CODE_H_
#define INTERNODE_WORKER_EXIT_CODE_H_

namespace internode::worker {

// How a worker process ends by itself, for its supervisor.
// Drained: all that it had is with the scheduler.
inline constexpr int kExitDrained = 0;
// Of the daemon too.
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongUse = 2;
// The scheduler will never take it; the daemon ends.
inline constexpr int kExitRefused = 81;
// The supervisor is gone.
inline constexpr int kExitOrphan = 82;
// The scheduler wants another process in its place; the shared page says why.
inline constexpr int kExitRestart = 83;

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_EXIT_CODE_H_
