#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/description.h"
#include "client/cli/report.h"
#include "client/cli/scheduler_options.h"
#include "internode/describe.h"

namespace internode::cli {
namespace {

struct CubeInfoArguments {
  CubeArguments cube;
  ExecutorOptions scheduler;
};

using Names = std::vector<std::string>;

// "time=40, y=20", of the dimensions `names` of a cube.
std::string DimsText(const Json& cube, const Names& names) {
  return absl::StrJoin(
      names, ", ", [&cube](std::string* out, const std::string& name) {
        absl::StrAppend(out, name, "=",
                        cube.at("dims").at(name).get<int64_t>());
      });
}

// "yes", or "no, filter 32015 (zstd)".
std::string FastPathText(const Json& variable) {
  if (variable.at("fast_path").get<bool>()) return "yes";
  return absl::StrCat("no, ",
                      variable.at("fast_path_reason").get<std::string>());
}

std::string StorageText(const Json& variable) {
  const auto chunks = variable.at("storage_chunks").get<std::vector<int64_t>>();
  std::string text = chunks.empty()
                         ? variable.at("storage").get<std::string>()
                         : absl::StrCat("chunks ", absl::StrJoin(chunks, "x"));
  for (const auto& filter : variable.at("filters").get<Names>()) {
    absl::StrAppend(&text, ", ", filter);
  }
  return text;
}

std::string DatesText(const Json& time) {
  if (time.contains("error")) return time.at("error").get<std::string>();
  return absl::StrCat(time.at("size").get<int64_t>(), " dates, ",
                      time.at("first").get<std::string>(), " to ",
                      time.at("last").get<std::string>(), " (",
                      time.at("units").get<std::string>(), ", ",
                      time.at("calendar").get<std::string>(), ")");
}

// What `cube info` prints of a cube that is described as JSON.
std::string CubeText(const Json& cube) {
  std::string text =
      absl::StrCat(cube.at("path").get<std::string>(), ": ",
                   cube.at("format").get<std::string>(), ", ",
                   FormatBytes(cube.at("bytes").get<int64_t>()), "\n");
  Names dims;
  for (const auto& dim : cube.at("dims").items()) dims.push_back(dim.key());
  absl::StrAppend(&text, "dimensions: ", DimsText(cube, dims), "\n");
  if (cube.at("band_dim").is_string()) {
    const Json& bands = cube.at("bands");
    absl::StrAppend(
        &text, "bands: along ", cube.at("band_dim").get<std::string>(),
        bands.is_null()
            ? ""
            : absl::StrCat(": ", absl::StrJoin(bands.get<Names>(), ", ")),
        "\n");
  }
  const Json& time = cube.at("time");
  if (!time.is_null() && (time.contains("error") || time.contains("first"))) {
    absl::StrAppend(&text, "time: ", DatesText(time), "\n");
  }
  if (cube.at("grid_mapping").is_string()) {
    absl::StrAppend(&text, "grid mapping: ",
                    cube.at("grid_mapping").get<std::string>(), "\n");
  }
  std::vector<Names> rows = {
      {"VARIABLE", "TYPE", "DIMENSIONS", "STORAGE", "FAST PATH"}};
  for (const Json& variable : cube.at("variables")) {
    rows.push_back({variable.at("name").get<std::string>(),
                    variable.at("type").get<std::string>(),
                    DimsText(cube, variable.at("dims").get<Names>()),
                    StorageText(variable), FastPathText(variable)});
  }
  return text + TableText(rows);
}

absl::StatusOr<int> ShowCube(Executor* executor,
                             const CubeInfoArguments& arguments,
                             OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const CubeOptions options, arguments.cube.Parse());
  INTERNODE_ASSIGN_OR_RETURN(const std::string described,
                             DescribeCube(executor, options));
  INTERNODE_ASSIGN_OR_RETURN(const Json cube, ParseDescription(described));
  INTERNODE_ASSIGN_OR_RETURN(const std::string text, DescriptionText([&cube] {
                               return CubeText(cube);
                             }));
  if (format == OutputFormat::kJson) PrintJson(cube);
  if (format == OutputFormat::kTable) std::fputs(text.c_str(), stdout);
  return 0;
}

absl::StatusOr<int> RunCubeInfo(const CubeInfoArguments& arguments,
                                OutputFormat format) {
  if (!arguments.scheduler.connects()) {
    return ShowCube(nullptr, arguments, format);
  }
  return WithScheduler(arguments.scheduler, [&](Executor* executor) {
    return ShowCube(executor, arguments, format);
  });
}

}  // namespace

void AddCubeCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group = AddCommand(root, line, "cube",
                               "Look at cube files, and rewrite them", "");
  group->require_subcommand(1);
  CLI::App* command =
      AddCommand(group, line, "info", "Describe a cube file",
                 "  internode cube info cube.nc\n"
                 "  internode cube info plain.h5 --dims time,y,x\n"
                 "  internode cube info cube.nc --output json\n"
                 "  internode cube info DATA/cube.nc --scheduler node1:8786\n"
                 "With a scheduler a worker reads the file.");
  auto arguments = std::make_shared<CubeInfoArguments>();
  command->add_option("FILE", arguments->cube.path, "A NetCDF-4 or HDF5 file")
      ->required();
  AddCubeFileOptions(command, &arguments->cube);
  AddSchedulerOptions(command, &arguments->scheduler);
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunCubeInfo(*arguments, line->global.output_format());
    };
  });
  AddCubeCheckCommand(group, line);
  AddCubeRechunkCommand(group, line);
}

}  // namespace internode::cli
