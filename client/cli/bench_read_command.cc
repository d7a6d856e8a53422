#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/read_advice.h"
#include "client/cli/report.h"
#include "client/job_data.h"
#include "core/block.h"
#include "core/read_cost.h"
#include "cube/block_reader.h"
#include "cube/inflate_rate.h"
#include "cube/ordered_work.h"
#include "cube/read_pool.h"

// Measures how fast the blocks of a job are read, pixel by pixel as functions
// get them, and what bounds it.

namespace internode::cli {
namespace {

struct BenchReadArguments {
  CubeArguments cube;
  std::string threads = "1,2";
  int repeat = 3;
};

// How blocks are read.
enum class Method {
  // As jobs read.
  kFast,
  // H5Dread of each block, with the library's own settings.
  kLibrary,
};

struct Timing {
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t bytes = 0;
  cube::ReadCounters counters;
};

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

absl::StatusOr<std::vector<int>> ParseThreads(const std::string& text) {
  std::vector<int> counts;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    int count = 0;
    if (!absl::SimpleAtoi(part, &count) || count < 1 || count > 1024) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--threads takes numbers from 1 to 1024 such as 1,2, not '", text,
          "'"));
    }
    counts.push_back(count);
  }
  return counts;
}

// Reads all blocks once, on `threads` threads that take them in order.
absl::StatusOr<Timing> ReadAll(const client::JobData& data, Method method,
                               int threads) {
  const functions::JobPlan& plan = data.local->plan;
  cube::BlockReaderOptions options;
  if (method == Method::kLibrary) {
    options.library_only = true;
    // The library keeps 1 MiB of storage chunks of each variable.
    options.cache_bytes = 0;
  }
  options.pool = std::make_shared<cube::ReadPool>(options.cache_bytes);
  INTERNODE_ASSIGN_OR_RETURN(
      const std::unique_ptr<cube::BlockReader> reader,
      cube::NewBlockReader(data.local->cube, plan.request, options));
  std::vector<core::Block> blocks(static_cast<size_t>(threads));
  std::vector<int64_t> bytes(blocks.size());
  const double cpu = CpuSeconds();
  const absl::Time start = absl::Now();
  const absl::Status status = cube::RunWork(
      threads, plan.num_tasks(), nullptr, [&](int thread, int64_t number) {
        core::Block& block = blocks[static_cast<size_t>(thread)];
        INTERNODE_RETURN_IF_ERROR(reader->Read(plan.Task(number), &block));
        for (const core::SeriesLayout& series : block.layout().series) {
          bytes[static_cast<size_t>(thread)] +=
              block.num_pixels() * series.count *
              core::DataTypeBytes(series.type);
        }
        return absl::OkStatus();
      });
  INTERNODE_RETURN_IF_ERROR(status);
  Timing timing;
  timing.seconds = absl::ToDoubleSeconds(absl::Now() - start);
  timing.cpu_seconds = CpuSeconds() - cpu;
  for (const int64_t part : bytes) timing.bytes += part;
  timing.counters = options.pool->counters();
  return timing;
}

double MegabytesPerSecond(int64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) / seconds / 1e6 : 0;
}

// The fastest of the repetitions: what others do on the machine only takes
// time.
absl::StatusOr<Timing> Best(const client::JobData& data, Method method,
                            int threads, int repeat) {
  Timing best;
  for (int i = 0; i < repeat; ++i) {
    INTERNODE_ASSIGN_OR_RETURN(const Timing timing,
                               ReadAll(data, method, threads));
    if (i == 0 || timing.seconds < best.seconds) best = timing;
  }
  return best;
}

absl::StatusOr<cube::InflateRate> BestInflate(
    const cube::Cube& cube, const std::vector<size_t>& variables, int threads,
    int repeat) {
  // Enough for a stable figure.
  constexpr int64_t kMostBytes = int64_t{512} << 20;
  cube::InflateRate best;
  for (int i = 0; i < repeat; ++i) {
    INTERNODE_ASSIGN_OR_RETURN(
        const cube::InflateRate rate,
        cube::MeasureInflate(cube, variables, threads, kMostBytes));
    if (i == 0 || rate.seconds < best.seconds) best = rate;
  }
  return best;
}

Json TimingJson(const std::string& method, int threads, const Timing& timing,
                double chunks) {
  Json json = {{"method", method},
               {"threads", threads},
               {"seconds", timing.seconds},
               {"cpu_s", timing.cpu_seconds},
               {"mb_per_s", MegabytesPerSecond(timing.bytes, timing.seconds)}};
  if (method == "fast") {
    json["chunks_decoded"] = timing.counters.chunks_decoded;
    json["chunks_reused"] = timing.counters.chunks_reused;
    json["decoded_bytes"] = timing.counters.decoded_bytes;
    json["read_bytes"] = timing.counters.read_bytes;
    json["decodes_per_chunk"] =
        chunks > 0 ? static_cast<double>(timing.counters.chunks_decoded +
                                         timing.counters.chunks_absent) /
                         chunks
                   : 0.0;
  }
  return json;
}

Json InflateJson(int threads, const cube::InflateRate& rate) {
  return {{"method", "inflate"},
          {"threads", threads},
          {"seconds", rate.seconds},
          {"mb_per_s", MegabytesPerSecond(rate.raw_bytes, rate.seconds)},
          {"chunks", rate.chunks},
          {"stored_bytes", rate.stored_bytes},
          {"raw_bytes", rate.raw_bytes}};
}

double RatioOf(double a, double b) { return b > 0 ? a / b : 0; }

absl::StatusOr<Json> Measure(const BenchReadArguments& arguments) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<int> counts,
                             ParseThreads(arguments.threads));
  JobOptions job;
  job.function = "noop";
  INTERNODE_ASSIGN_OR_RETURN(job.cube, arguments.cube.Parse());
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<const client::JobData> data,
                             client::PlanLocally(job));
  const functions::JobPlan& plan = data->local->plan;
  const cube::Cube& cube = *data->local->cube;
  INTERNODE_ASSIGN_OR_RETURN(
      const core::ReadCost cost,
      core::CountReads(cube.info(), plan.request, plan.grid,
                       cube::BlockReaderOptions().cache_bytes));
  double chunks = 0;
  std::vector<size_t> variables;
  Json reasons = Json::object();
  for (const core::VariableReads& reads : cost.variables) {
    const core::VariableInfo* info = cube.info().FindVariable(reads.variable);
    variables.push_back(
        static_cast<size_t>(info - cube.info().variables.data()));
    if (!info->library_reason.empty()) {
      reasons[reads.variable] = info->library_reason;
    } else if (!info->storage_chunks.empty()) {
      chunks += static_cast<double>(reads.chunks);
    }
  }
  // Brings the file into memory: what is measured is not the disk.
  INTERNODE_ASSIGN_OR_RETURN(const Timing warm,
                             ReadAll(*data, Method::kFast, counts[0]));
  Json runs = Json::array();
  Json ratios = Json::array();
  double first_rate = 0;
  for (const int threads : counts) {
    INTERNODE_ASSIGN_OR_RETURN(
        const Timing fast,
        Best(*data, Method::kFast, threads, arguments.repeat));
    INTERNODE_ASSIGN_OR_RETURN(
        const Timing library,
        Best(*data, Method::kLibrary, threads, arguments.repeat));
    INTERNODE_ASSIGN_OR_RETURN(
        const cube::InflateRate inflate,
        BestInflate(cube, variables, threads, arguments.repeat));
    runs.push_back(TimingJson("fast", threads, fast, chunks));
    runs.push_back(TimingJson("library", threads, library, chunks));
    if (inflate.chunks > 0) runs.push_back(InflateJson(threads, inflate));
    const double rate = MegabytesPerSecond(fast.bytes, fast.seconds);
    if (first_rate == 0) first_rate = rate;
    Json ratio = {{"threads", threads},
                  {"fast_to_library", RatioOf(library.seconds, fast.seconds)},
                  {"fast_to_fast_on_first_threads", RatioOf(rate, first_rate)}};
    if (inflate.chunks > 0) {
      ratio["fast_to_inflate"] =
          RatioOf(rate, MegabytesPerSecond(inflate.raw_bytes, inflate.seconds));
    }
    ratios.push_back(ratio);
  }
  return Json{{"schema", 1},
              {"bench", "read"},
              {"path", arguments.cube.path},
              {"tasks", cost.tasks},
              {"chunks", ChunkSizesText(plan.grid)},
              {"bytes", warm.bytes},
              {"storage_chunks", chunks},
              {"amplification", cost.amplification()},
              {"library_reasons", reasons},
              {"repeat", arguments.repeat},
              {"runs", runs},
              {"ratios", ratios}};
}

}  // namespace

void AddBenchReadCommand(CLI::App* group, CommandLine* line) {
  CLI::App* command = AddCommand(
      group, line, "read", "How fast a job's blocks are read, in MB/s",
      "  internode bench read cube.nc\n"
      "  internode bench read cube.nc --chunks y=1,x=500 --threads 1,2,4\n"
      "Reads all blocks as a job does, then with the HDF5 library alone "
      "(H5Dread with\nits own settings), and decompresses them only, which "
      "is the limit; each the\nbest of --repeat, with the file in memory.");
  auto arguments = std::make_shared<BenchReadArguments>();
  command
      ->add_option("CUBE", arguments->cube.path,
                   "The cube, a NetCDF-4 or HDF5 file")
      ->required();
  AddCubeOptions(command, &arguments->cube);
  command
      ->add_option("--threads", arguments->threads,
                   "Numbers of threads, one after the other")
      ->type_name("1,2");
  command
      ->add_option("--repeat", arguments->repeat,
                   "Measurements, of which the fastest counts")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  command->callback([arguments, line] {
    line->action = [arguments]() -> absl::StatusOr<int> {
      INTERNODE_ASSIGN_OR_RETURN(const Json result, Measure(*arguments));
      PrintJson(result);
      return 0;
    };
  });
}

}  // namespace internode::cli
