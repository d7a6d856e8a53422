#ifndef INTERNODE_TESTS_UNIT_SCHEDULER_SPOOL_TEST_FRAMES_H_
#define INTERNODE_TESTS_UNIT_SCHEDULER_SPOOL_TEST_FRAMES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "core/frame.h"
#include "core/interval_set.h"
#include "scheduler/spool/job_spool.h"

namespace internode::scheduler {

// A frame of `tasks`, the same every time: task i has one pixel with i % 3
// records, or failed as a whole where i % 7 is 6; a record says of which task
// it is.
std::string MakeFrame(internode::core::Interval tasks);

// Whether `frame` holds what MakeFrame would have given for its tasks.
bool IsRight(absl::string_view frame);

// Reads all that is committed and checks that it is `done`, and right.
void ExpectHolds(const JobSpool& spool,
                 const internode::core::IntervalSet& done);

}  // namespace internode::scheduler

#endif  // INTERNODE_TESTS_UNIT_SCHEDULER_SPOOL_TEST_FRAMES_H_
