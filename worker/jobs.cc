#include "worker/jobs.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/block_reader.h"
#include "cube/cube_json.h"
#include "cube/read_pool.h"
#include "functions/function_json.h"
#include "functions/job_plan.h"
#include "functions/planned_job.h"

namespace internode::worker {
namespace {

// A client can submit any plan: of tasks that its spec does not have, or with
// a schema of its own. The results of another one are no use to it, and the
// scheduler would take them for lies.
absl::Status CheckSubmitted(const core::PlannedJob& submitted,
                            const core::PlannedJob& planned) {
  const auto differ = [](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("the job was submitted with a plan that its spec does not "
                     "give: its ",
                     what, " is another"));
  };
  if (submitted.grid != planned.grid) return differ("chunk grid");
  if (submitted.selections != planned.selections) {
    return differ("list of selections");
  }
  if (submitted.schema == nullptr ||
      submitted.schema->NumpyDescr() != planned.schema->NumpyDescr()) {
    return differ("schema");
  }
  return absl::OkStatus();
}

}  // namespace

Jobs::Jobs(const Options& options, functions::Registry registry)
    : options_(options),
      registry_(std::move(registry)),
      read_pool_(std::make_shared<cube::ReadPool>(options.cache_bytes)) {}

absl::StatusOr<Jobs::OpenedCube> Jobs::OpenCube(
    const core::JobSpec& spec) const {
  OpenedCube opened;
  if (spec.cube_path.empty()) {
    opened.info = functions::CubeOfShape(spec.shape);
    return opened;
  }
  INTERNODE_ASSIGN_OR_RETURN(const DataRoots::File file,
                             options_.data_roots.Resolve(spec.cube_path));
  cube::OpenOptions open;
  open.may_read = [this](const std::string& path) {
    return options_.data_roots.Check(path);
  };
  open.group = spec.cube_group;
  open.dimension_names.reserve(spec.dimension_names.size());
  for (const core::DimensionNames& names : spec.dimension_names) {
    open.dimension_names.push_back({names.variable, names.names});
  }
  INTERNODE_ASSIGN_OR_RETURN(opened.cube, cube::Cube::Open(file.path, open));
  if (!opened.cube->IsFile(file.device, file.inode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", spec.cube_path, "' became another file while it was opened"));
  }
  opened.info = opened.cube->info();
  opened.info.path = spec.cube_path;
  return opened;
}

absl::StatusOr<Jobs::Planned> Jobs::MakePlan(const core::JobSpec& spec) const {
  // A misspelt function is told before a large file is opened.
  INTERNODE_RETURN_IF_ERROR(registry_.Find(spec.function).status());
  Planned planned;
  INTERNODE_ASSIGN_OR_RETURN(planned.cube, OpenCube(spec));
  const core::JobSpec resolved =
      functions::ResolveSpec(spec, planned.cube.info);
  INTERNODE_ASSIGN_OR_RETURN(
      planned.plan,
      functions::MakeJobPlan(resolved, planned.cube.info, registry_));
  planned.job =
      functions::MakePlannedJob(resolved, planned.cube.info, planned.plan);
  return planned;
}

absl::StatusOr<core::PlannedJob> Jobs::Plan(const core::JobSpec& spec) const {
  INTERNODE_ASSIGN_OR_RETURN(Planned planned, MakePlan(spec));
  return std::move(planned.job);
}

absl::StatusOr<std::shared_ptr<const WorkerJob>> Jobs::Open(
    const JobRequest& request) const {
  INTERNODE_ASSIGN_OR_RETURN(Planned planned, MakePlan(request.spec));
  if (planned.job.fingerprint != request.fingerprint) {
    return absl::FailedPreconditionError(absl::StrCat(
        request.spec.cube_path.empty()
            ? std::string("the function")
            : absl::StrCat("the cube '", request.spec.cube_path,
                           "', or the function,"),
        " changed since the job was planned: plan ",
        absl::Hex(request.fingerprint, absl::kZeroPad16), ", here ",
        absl::Hex(planned.job.fingerprint, absl::kZeroPad16)));
  }
  if (request.submitted != nullptr) {
    INTERNODE_RETURN_IF_ERROR(CheckSubmitted(*request.submitted, planned.job));
  }
  auto job = std::make_shared<WorkerJob>();
  job->dim_names = planned.job.dim_names();
  job->plan = std::move(planned.plan);
  if (planned.cube.cube == nullptr || job->plan.request.series.empty()) {
    job->read = functions::ReadNothing();
    return job;
  }
  INTERNODE_ASSIGN_OR_RETURN(
      std::shared_ptr<cube::BlockReader> reader,
      cube::NewBlockReader(
          planned.cube.cube, job->plan.request,
          {.pool = read_pool_, .cache_bytes = options_.cache_bytes}));
  job->reads = true;
  job->bytes_per_pixel = reader->layout().pixel_stride;
  job->read = [reader = std::move(reader)](const core::Selection& selection,
                                           core::Block* block) {
    return reader->Read(selection, block);
  };
  return job;
}

absl::StatusOr<std::string> Jobs::Describe(
    const std::string& path, const std::string& group,
    const std::vector<core::DimensionNames>& dimension_names) const {
  core::JobSpec spec;
  spec.cube_path = path;
  spec.cube_group = group;
  spec.dimension_names = dimension_names;
  if (path.empty()) {
    return absl::InvalidArgumentError("the path of the cube is empty");
  }
  INTERNODE_ASSIGN_OR_RETURN(const OpenedCube opened, OpenCube(spec));
  return cube::CubeText(opened.info);
}

cube::ReadCounters Jobs::read_counters() const {
  return read_pool_->counters();
}

std::vector<std::string> Jobs::FunctionsJson() const {
  std::vector<std::string> functions;
  for (const auto& function : registry_.All()) {
    functions.push_back(functions::FunctionText(function->info()));
  }
  return functions;
}

}  // namespace internode::worker
