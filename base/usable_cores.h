#ifndef INTERNODE_BASE_USABLE_CORES_H_
#define INTERNODE_BASE_USABLE_CORES_H_

namespace internode {

// The processors that this process may use: its affinity, cut by the quota of
// its control group, rounded up. At least 1.
int UsableCores();

}  // namespace internode

#endif  // INTERNODE_BASE_USABLE_CORES_H_
