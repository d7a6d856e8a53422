// Runs CCDC, or another function, over a cube on a scheduler's workers, and
// writes a segment file:
//
//   run_job FUNCTION CUBE OUT [HOST:PORT]
//
// Without an address the workers are processes of a local cluster, which ends
// with the program.

#include <cstdio>
#include <memory>
#include <string>

#include "internode/cluster.h"
#include "internode/job.h"
#include "internode/job_handle.h"
#include "internode/segment_file.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: run_job FUNCTION CUBE OUT [HOST:PORT]\n");
    return 2;
  }

  // Connects, or starts a local cluster of two workers.
  internode::SetupOptions setup;
  setup.num_workers = 2;
  if (argc > 4) setup.address = argv[4];
  const auto executor = internode::SetupExecutor(setup);
  if (!executor.ok()) return Fail(executor.status());
  const auto info = internode::ExecutorInfo(executor->get());
  if (!info.ok()) return Fail(info.status());
  for (const std::string& line : *info) std::printf("%s\n", line.c_str());

  // A worker checks the job: this program need not be able to read the cube.
  internode::JobOptions options;
  options.function = argv[1];
  options.cube.path = argv[2];
  const auto job = internode::Job::Open(options, executor->get());
  if (!job.ok()) return Fail(job.status());

  // From here on the job does not need this program: FindJob, or the command
  // `internode job`, takes it up by its id.
  const auto handle = internode::Submit(executor->get(), *job);
  if (!handle.ok()) return Fail(handle.status());
  std::printf("job %s: %lld chunks\n", handle->id().c_str(),
              static_cast<long long>(job->num_chunks()));

  const auto summary = internode::WriteSegmentFile(*handle, argv[3], {});
  if (!summary.ok()) return Fail(summary.status());
  std::printf("%lld records, %lld pixels failed\n",
              static_cast<long long>(summary->records),
              static_cast<long long>(summary->failed_pixels()));
  return summary->failed_pixels() == 0 ? 0 : 3;
}
