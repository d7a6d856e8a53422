#ifndef INTERNODE_FUNCTIONS_PLANNED_JOB_H_
#define INTERNODE_FUNCTIONS_PLANNED_JOB_H_

#include "core/cube_info.h"
#include "core/job_spec.h"
#include "core/planned_job.h"
#include "functions/job_plan.h"

namespace internode::functions {

// What `plan`, made of the resolved `spec` and `cube`, is without function and
// cube. The same arguments give the same value, wherever it is made.
core::PlannedJob MakePlannedJob(const core::JobSpec& spec,
                                const core::CubeInfo& cube,
                                const JobPlan& plan);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_PLANNED_JOB_H_
