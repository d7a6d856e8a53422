#ifndef INTERNODE_CLIENT_REMOTE_FETCH_H_
#define INTERNODE_CLIENT_REMOTE_FETCH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "client/remote/connection.h"
#include "internode/job.h"

namespace internode::client {

struct FetchRange {
  int64_t first_task = 0;
  int64_t end_task = 0;
  // Ends at the first task that is neither done nor failed.
  bool done_only = false;
};

// Gives the results of `job`, which the scheduler calls `id`, to `sink`, chunk
// by chunk, and goes on where it was when the connection breaks. Returns the
// first task that was not delivered. See JobHandle::Fetch for the errors.
absl::StatusOr<int64_t> FetchChunks(Connection* connection,
                                    const std::string& id, const Job& job,
                                    const FetchRange& range,
                                    const CallLimits& limits, JobSink* sink);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_FETCH_H_
