// The function of a job in a loop, without any harness: what `internode run`
// is compared with (service_bench.py, harness).
//
//     internode_function_loop CUBE FUNCTION
//
// plans the job as `internode run` does, reads all its blocks into memory, runs
// the kernel on each, and prints the CPU time of both as JSON.

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "base/status_macros.h"
#include "client/job_data.h"
#include "core/block.h"
#include "core/block_result.h"
#include "cube/block_reader.h"
#include "internode/job.h"

namespace internode {
namespace {

// CPU time of this process.
double CpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

absl::Status RunInLoop(const std::string& cube, const std::string& function) {
  JobOptions options;
  options.cube.path = cube;
  options.function = function;
  INTERNODE_ASSIGN_OR_RETURN(const Job job, Job::Open(options));
  const client::JobData::Local& local = *job.state().local;
  INTERNODE_ASSIGN_OR_RETURN(
      const std::unique_ptr<cube::BlockReader> reader,
      cube::NewBlockReader(local.cube, local.plan.request));
  std::vector<core::Block> blocks(static_cast<size_t>(local.plan.num_tasks()));
  int64_t task = 0;
  const double start = CpuSeconds();
  for (core::Block& block : blocks) {
    INTERNODE_RETURN_IF_ERROR(reader->Read(local.plan.Task(task++), &block));
  }
  const double read_seconds = CpuSeconds() - start;
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<functions::Kernel> kernel,
                             local.plan.prepared->NewKernel());
  core::BlockResult result(local.plan.prepared->schema());
  int64_t pixels = 0;
  int64_t records = 0;
  const double begin = CpuSeconds();
  for (const core::Block& block : blocks) {
    result.Clear();
    INTERNODE_RETURN_IF_ERROR(kernel->Run(block, &result));
    pixels += result.num_pixels();
    records += result.records().num_records();
  }
  const double seconds = CpuSeconds() - begin;
  std::printf(
      "{\"schema\":1,\"bench\":\"function_loop\",\"pixels\":%lld,"
      "\"records\":%lld,\"read_cpu_s\":%.6f,\"cpu_s\":%.6f}\n",
      static_cast<long long>(pixels), static_cast<long long>(records),
      read_seconds, seconds);
  return absl::OkStatus();
}

}  // namespace
}  // namespace internode

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: internode_function_loop CUBE FUNCTION\n");
    return 2;
  }
  const absl::Status status = internode::RunInLoop(argv[1], argv[2]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 1;
}
