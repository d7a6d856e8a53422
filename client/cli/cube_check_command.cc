#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "base/usable_cores.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/read_advice.h"
#include "client/cli/report.h"
#include "client/job_data.h"
#include "core/read_cost.h"
#include "cube/block_plan.h"
#include "cube/block_reader.h"
#include "cube/stored_bytes.h"

namespace internode::cli {
namespace {

struct CheckArguments {
  CubeArguments cube;
  int processes = 0;
  int threads = 0;
};

struct CheckedVariable {
  core::VariableReads reads;
  // As stored: of the storage chunks that are needed, each once.
  int64_t stored_bytes = 0;
  const core::VariableInfo* info = nullptr;
};

struct CheckedJob {
  std::shared_ptr<const client::JobData> data;
  ReadSituation situation;
  std::vector<CheckedVariable> variables;
  int64_t cache_bytes = 0;
};

// A job that reads what the options say, and does nothing with it.
absl::StatusOr<std::shared_ptr<const client::JobData>> PlanReading(
    const CubeOptions& cube) {
  JobOptions job;
  job.function = "noop";
  job.cube = cube;
  return client::PlanLocally(job);
}

absl::StatusOr<GridCost> CostOf(const client::JobData& data,
                                int64_t cache_bytes) {
  const core::CubeInfo& info = data.local->cube->info();
  const core::BlockRequest& request = data.local->plan.request;
  GridCost cost;
  cost.grid = data.local->plan.grid;
  INTERNODE_ASSIGN_OR_RETURN(
      cost.cost, core::CountReads(info, request, cost.grid, cache_bytes));
  INTERNODE_ASSIGN_OR_RETURN(const cube::BlockPlan plan,
                             cube::PlanBlocks(info, request));
  // A product that does not fit is that of a task that cannot run.
  const double bytes = static_cast<double>(cost.cost.task_pixels) *
                       static_cast<double>(plan.layout.pixel_stride);
  cost.task_bytes = bytes < 9e18 ? static_cast<int64_t>(bytes) : INT64_MAX;
  return cost;
}

bool HoldsSeries(const core::CubeInfo& cube, const core::VariableInfo& info) {
  if (!cube.time.has_value() || info.storage_chunks.empty()) return true;
  for (size_t d = 0; d < info.dims.size(); ++d) {
    if (info.dims[d].name == cube.time->dim &&
        info.storage_chunks[d] < info.dims[d].size) {
      return false;
    }
  }
  return true;
}

absl::StatusOr<CheckedJob> Check(const CheckArguments& arguments) {
  CheckedJob checked;
  INTERNODE_ASSIGN_OR_RETURN(CubeOptions options, arguments.cube.Parse());
  INTERNODE_ASSIGN_OR_RETURN(checked.data, PlanReading(options));
  options.chunks = AutoChunks();
  INTERNODE_ASSIGN_OR_RETURN(const auto automatic, PlanReading(options));
  checked.cache_bytes = cube::BlockReaderOptions().cache_bytes;
  ReadSituation& situation = checked.situation;
  situation.path = arguments.cube.path;
  situation.processes = std::max(1, arguments.processes);
  situation.threads = arguments.threads > 0     ? arguments.threads
                      : arguments.processes > 0 ? 1
                                                : UsableCores();
  INTERNODE_ASSIGN_OR_RETURN(situation.chosen,
                             CostOf(*checked.data, checked.cache_bytes));
  INTERNODE_ASSIGN_OR_RETURN(situation.automatic,
                             CostOf(*automatic, checked.cache_bytes));
  const cube::Cube& cube = *checked.data->local->cube;
  for (const core::VariableReads& reads : situation.chosen.cost.variables) {
    CheckedVariable variable;
    variable.reads = reads;
    variable.info = cube.info().FindVariable(reads.variable);
    INTERNODE_ASSIGN_OR_RETURN(
        const int64_t stored,
        cube::StoredBytes(
            cube,
            static_cast<size_t>(variable.info - cube.info().variables.data())));
    // Of a part of the storage chunks, its share.
    variable.stored_bytes =
        reads.all_chunks == 0
            ? 0
            : static_cast<int64_t>(static_cast<double>(stored) *
                                   static_cast<double>(reads.chunks) /
                                   static_cast<double>(reads.all_chunks));
    situation.holds_series =
        situation.holds_series && HoldsSeries(cube.info(), *variable.info);
    if (!variable.info->library_reason.empty()) {
      situation.slow_variables.push_back(absl::StrCat(
          reads.variable, " (", variable.info->library_reason, ")"));
    }
    checked.variables.push_back(std::move(variable));
  }
  return checked;
}

std::string Factor(double factor) { return absl::StrFormat("%.2f", factor); }

int64_t StoredBytesOf(const CheckedJob& checked) {
  int64_t bytes = 0;
  for (const CheckedVariable& variable : checked.variables) {
    bytes += variable.stored_bytes;
  }
  return bytes;
}

// Raw bytes that are decompressed, every time counted.
double DecodedBytes(const CheckedJob& checked, bool cached) {
  double bytes = 0;
  for (const CheckedVariable& variable : checked.variables) {
    bytes += static_cast<double>(variable.reads.chunk_bytes) *
             static_cast<double>(variable.reads.chunks) *
             (cached ? variable.reads.cached_amplification
                     : variable.reads.amplification);
  }
  return bytes;
}

std::string BytesText(double bytes) {
  return FormatBytes(bytes < 9e18 ? static_cast<int64_t>(bytes) : INT64_MAX);
}

double NeededBytes(const CheckedJob& checked) {
  double bytes = 0;
  for (const CheckedVariable& variable : checked.variables) {
    bytes += static_cast<double>(variable.reads.needed_bytes);
  }
  return bytes;
}

std::string ReportText(const CheckedJob& checked, const ReadAdvice& advice) {
  const ReadSituation& situation = checked.situation;
  const core::ReadCost& cost = situation.chosen.cost;
  std::string text = absl::StrFormat(
      "%s: %d tasks of at most %d pixels (%s)\n", situation.path, cost.tasks,
      cost.task_pixels, ChunkSizesText(situation.chosen.grid));
  std::vector<std::vector<std::string>> rows = {
      {"VARIABLE", "STORAGE CHUNKS", "OF RAW", "NEEDED", "STORED",
       "READS PER CHUNK", "WITH CACHE", "FAST PATH"}};
  for (const CheckedVariable& variable : checked.variables) {
    const bool chunked = !variable.info->storage_chunks.empty();
    rows.push_back({variable.reads.variable,
                    chunked ? absl::StrJoin(variable.info->storage_chunks, "x")
                            : variable.info->storage,
                    chunked ? FormatBytes(variable.reads.chunk_bytes) : "",
                    FormatBytes(variable.reads.needed_bytes),
                    FormatBytes(variable.stored_bytes),
                    chunked ? Factor(variable.reads.amplification) : "",
                    chunked ? Factor(variable.reads.cached_amplification) : "",
                    variable.info->library_reason.empty()
                        ? "yes"
                        : absl::StrCat("no, ", variable.info->library_reason)});
  }
  absl::StrAppend(&text, TableText(rows));
  absl::StrAppend(
      &text, "to read: ", FormatBytes(StoredBytesOf(checked)), " stored, ",
      BytesText(NeededBytes(checked)),
      " of numbers; decompressed: ", BytesText(DecodedBytes(checked, false)),
      ", with the cache ", BytesText(DecodedBytes(checked, true)), "\n");
  const int workers = situation.threads * situation.processes;
  absl::StrAppend(
      &text, "memory: ", FormatBytes(situation.chosen.task_bytes),
      " per task, ",
      BytesText(static_cast<double>(situation.chosen.task_bytes) * workers),
      " for ", situation.processes, " x ", situation.threads,
      " threads, and up to ", FormatBytes(checked.cache_bytes),
      " of cache per process\n");
  for (const std::string& reason : advice.reasons) {
    absl::StrAppend(&text, "note: ", reason, "\n");
  }
  if (advice.kind == "chunks") {
    absl::StrAppend(&text, "advice: --chunks ", advice.chunks, "\n");
  } else if (!advice.command.empty()) {
    absl::StrAppend(&text, "advice: ", advice.command, "\n");
  } else {
    absl::StrAppend(&text, "advice: run it as it is\n");
  }
  return text;
}

Json ReportJson(const CheckedJob& checked, const ReadAdvice& advice) {
  const ReadSituation& situation = checked.situation;
  const core::ReadCost& cost = situation.chosen.cost;
  Json variables = Json::array();
  for (const CheckedVariable& variable : checked.variables) {
    const core::VariableReads& reads = variable.reads;
    variables.push_back({{"name", reads.variable},
                         {"type", core::DataTypeName(variable.info->type)},
                         {"storage", variable.info->storage},
                         {"storage_chunks", variable.info->storage_chunks},
                         {"filters", variable.info->filters},
                         {"chunk_bytes", reads.chunk_bytes},
                         {"needed_bytes", reads.needed_bytes},
                         {"stored_bytes", variable.stored_bytes},
                         {"chunks", reads.chunks},
                         {"reads", reads.reads},
                         {"cached_reads", reads.cached_reads},
                         {"amplification", reads.amplification},
                         {"cached_amplification", reads.cached_amplification},
                         {"fast_path", variable.info->library_reason.empty()},
                         {"fast_path_reason", variable.info->library_reason}});
  }
  Json chunks = Json::object();
  for (size_t d = 0; d < situation.chosen.grid.dims().size(); ++d) {
    chunks[situation.chosen.grid.dims()[d].name] =
        situation.chosen.grid.cuts()[d].chunk;
  }
  return {{"schema", 1},
          {"path", situation.path},
          {"tasks", cost.tasks},
          {"pixels", cost.pixels},
          {"chunks", chunks},
          {"task_pixels", cost.task_pixels},
          {"task_bytes", situation.chosen.task_bytes},
          {"processes", situation.processes},
          {"threads", situation.threads},
          {"cache_bytes", checked.cache_bytes},
          {"wanted_cache_bytes", cost.wanted_cache_bytes},
          {"needed_bytes", NeededBytes(checked)},
          {"stored_bytes", StoredBytesOf(checked)},
          {"decoded_bytes", DecodedBytes(checked, false)},
          {"cached_decoded_bytes", DecodedBytes(checked, true)},
          {"amplification", cost.amplification()},
          {"cached_amplification", cost.cached_amplification()},
          {"variables", variables},
          {"advice",
           {{"kind", advice.kind},
            {"reasons", advice.reasons},
            {"chunks", advice.chunks},
            {"command", advice.command}}}};
}

absl::StatusOr<int> RunCheck(const CheckArguments& arguments,
                             OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const CheckedJob checked, Check(arguments));
  const ReadAdvice advice = AdviseOnReading(checked.situation);
  if (format == OutputFormat::kJson) {
    PrintJson(ReportJson(checked, advice));
  } else if (format == OutputFormat::kTable) {
    std::fputs(ReportText(checked, advice).c_str(), stdout);
  } else {
    std::printf("%s\n", advice.kind.c_str());
  }
  return 0;
}

}  // namespace

void AddCubeCheckCommand(CLI::App* group, CommandLine* line) {
  CLI::App* command = AddCommand(
      group, line, "check", "Say what a job's reading will cost",
      "  internode cube check cube.nc\n"
      "  internode cube check cube.nc --chunks y=1,x=5000 --nthreads 8\n"
      "  internode cube check cube.nc --variables red,nir --output json\n"
      "Nothing is read but the description of the file.");
  auto arguments = std::make_shared<CheckArguments>();
  command
      ->add_option("FILE", arguments->cube.path,
                   "The cube, a NetCDF-4 or HDF5 file")
      ->required();
  AddCubeOptions(command, &arguments->cube);
  command
      ->add_option("--nprocs", arguments->processes,
                   "Processes that will read; default 1")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  command
      ->add_option("--nthreads", arguments->threads,
                   "Threads of each; default: all cores, or 1 with --nprocs")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunCheck(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
