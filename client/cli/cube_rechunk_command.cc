#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "base/usable_cores.h"
#include "client/cli/arguments.h"
#include "client/cli/byte_progress.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/interrupt.h"
#include "client/cli/report.h"
#include "client/job_data.h"
#include "cube/rechunk.h"

namespace internode::cli {
namespace {

struct RechunkArguments {
  CubeArguments cube;
  std::string out;
  std::string storage_chunks;
  std::string memory_limit = "1GiB";
  std::string progress = "auto";
  cube::RechunkOptions options;
};

std::string ChunksText(const std::vector<int64_t>& chunks) {
  return chunks.empty() ? "not chunked" : absl::StrJoin(chunks, "x");
}

std::string ReportText(const std::string& out,
                       const cube::RechunkReport& report, double seconds) {
  std::vector<std::vector<std::string>> rows = {
      {"VARIABLE", "FROM", "TO", "RAW", "STORED"}};
  for (const cube::RechunkedVariable& variable : report.variables) {
    rows.push_back({variable.name, ChunksText(variable.source_chunks),
                    ChunksText(variable.storage_chunks),
                    FormatBytes(variable.raw_bytes),
                    FormatBytes(variable.stored_bytes)});
  }
  std::string text = TableText(rows);
  for (const std::string& note : report.notes) {
    absl::StrAppend(&text, "note: ", note, "\n");
  }
  absl::StrAppendFormat(
      &text, "%s: %s in %.1f s, %.0f MB/s of raw data on %d threads\n", out,
      FormatBytes(report.file_bytes), seconds,
      static_cast<double>(report.raw_bytes) / 1e6 / seconds, report.threads);
  return text;
}

Json ReportJson(const std::string& out, const cube::RechunkReport& report,
                double seconds) {
  Json variables = Json::array();
  for (const cube::RechunkedVariable& variable : report.variables) {
    variables.push_back({{"name", variable.name},
                         {"source_chunks", variable.source_chunks},
                         {"storage_chunks", variable.storage_chunks},
                         {"raw_bytes", variable.raw_bytes},
                         {"stored_bytes", variable.stored_bytes},
                         {"scratch", variable.used_scratch},
                         {"reads_per_chunk", variable.reads_per_chunk}});
  }
  return {{"schema", 1},
          {"out", out},
          {"variables", variables},
          {"notes", report.notes},
          {"threads", report.threads},
          {"raw_bytes", report.raw_bytes},
          {"file_bytes", report.file_bytes},
          {"seconds", seconds}};
}

absl::StatusOr<int> RunRechunk(const RechunkArguments& arguments,
                               const GlobalOptions& global) {
  cube::RechunkOptions options = arguments.options;
  INTERNODE_ASSIGN_OR_RETURN(
      options.storage_chunks,
      ParseSizes("--storage-chunks", arguments.storage_chunks));
  const absl::StatusOr<int64_t> memory = ParseBytes(arguments.memory_limit);
  if (!memory.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--memory-limit: ", memory.status().message()));
  }
  options.memory_bytes = *memory;
  INTERNODE_ASSIGN_OR_RETURN(const CubeOptions cube_options,
                             arguments.cube.Parse());
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<const cube::Cube> cube,
                             client::OpenCube(cube_options));
  const bool silent =
      global.verbosity.level() < 0 && arguments.progress == "auto";
  const absl::Time start = absl::Now();
  ByteProgress progress(
      silent ? ProgressMode::kNone
             : ProgressModeOf(arguments.progress, isatty(STDERR_FILENO) == 1),
      "rechunk", start);
  options.progress = [&progress](int64_t done, int64_t all) {
    progress.Update(done, all, absl::Now());
  };
  Interrupt interrupt(absl::StrCat(arguments.out, ".partial"));
  options.cancel = Interrupt::flag();
  const absl::StatusOr<cube::RechunkReport> report =
      cube::Rechunk(cube, arguments.out, options);
  if (report.ok() || Interrupt::signal() != 0) progress.Finish(absl::Now());
  if (!report.ok()) return report.status();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  if (global.output_format() == OutputFormat::kJson) {
    PrintJson(ReportJson(arguments.out, *report, seconds));
  } else if (global.output_format() == OutputFormat::kTable) {
    std::fputs(ReportText(arguments.out, *report, seconds).c_str(), stdout);
  }
  return 0;
}

}  // namespace

void AddCubeRechunkCommand(CLI::App* group, CommandLine* line) {
  CLI::App* command = AddCommand(
      group, line, "rechunk", "Write a cube with other storage chunks",
      "  internode cube rechunk cube.nc fast.nc\n"
      "  internode cube rechunk cube.nc fast.nc --storage-chunks "
      "time=-1,y=64,x=64 --deflate 1\n"
      "  internode cube rechunk plain.h5 fast.h5 --dims time,y,x "
      "--memory-limit 4GiB\n"
      "All else in the file stays what it was. -1 is the whole dimension. "
      "Without\n--storage-chunks: all of time, one band, 64 x 64 pixels, or "
      "fewer where\nthose would be more than 8 MiB.");
  auto arguments = std::make_shared<RechunkArguments>();
  cube::RechunkOptions& options = arguments->options;
  options.threads = UsableCores();
  command
      ->add_option("IN", arguments->cube.path,
                   "The cube, a NetCDF-4 or HDF5 file")
      ->required();
  command->add_option("OUT", arguments->out, "The file to write")->required();
  AddCubeFileOptions(command, &arguments->cube);
  command
      ->add_option("--storage-chunks", arguments->storage_chunks,
                   "Sizes of the storage chunks; -1: the whole dimension")
      ->type_name("time=-1,y=64,x=64");
  command
      ->add_option("--deflate", options.deflate,
                   "Compression: 0 (none) to 9; default 1")
      ->type_name("LEVEL");
  command
      ->add_option("--nthreads", options.threads,
                   "Threads; default: all cores that may be used")
      ->type_name("N");
  command
      ->add_option("--memory-limit", arguments->memory_limit,
                   "Memory for the data under work; default 1GiB")
      ->type_name("SIZE");
  command
      ->add_option("--scratch-dir", options.scratch_folder,
                   "Where scratch files go, which are needed where a storage "
                   "chunk would have to be read again and again; default: "
                   "beside OUT")
      ->type_name("DIR");
  command
      ->add_option("--progress", arguments->progress,
                   "How progress is shown: auto, bar, log, json, none")
      ->check(CLI::IsMember({"auto", "bar", "log", "json", "none"}))
      ->type_name("FORM");
  command->add_flag("--overwrite", options.overwrite,
                    "Replace the file if it exists");
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunRechunk(*arguments, line->global);
    };
  });
}

}  // namespace internode::cli
