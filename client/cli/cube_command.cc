#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/report.h"
#include "client/job_data.h"
#include "core/cube_info.h"
#include "cube/cube_json.h"

namespace internode::cli {
namespace {

std::string DimsText(const core::Dimensions& dims) {
  return absl::StrJoin(dims, ", ",
                       [](std::string* out, const core::Dimension& dim) {
                         absl::StrAppend(out, dim.name, "=", dim.size);
                       });
}

std::string StorageText(const core::VariableInfo& variable) {
  std::string text = variable.storage;
  if (!variable.storage_chunks.empty()) {
    text = absl::StrCat("chunks ", absl::StrJoin(variable.storage_chunks, "x"));
  }
  for (const std::string& filter : variable.filters) {
    absl::StrAppend(&text, ", ", filter);
  }
  return text;
}

void PrintCube(const core::CubeInfo& cube) {
  std::printf("%s: %s, %s\n", cube.path.c_str(), cube.format.c_str(),
              FormatBytes(cube.file_bytes).c_str());
  std::printf("dimensions: %s\n", DimsText(cube.dims).c_str());
  if (!cube.band_dim.empty()) {
    const core::CoordinateInfo* labels = cube.FindCoordinate(cube.band_dim);
    std::printf(
        "bands: along %s%s\n", cube.band_dim.c_str(),
        labels == nullptr || labels->labels.empty()
            ? ""
            : absl::StrCat(": ", absl::StrJoin(labels->labels, ", ")).c_str());
  }
  if (cube.time.has_value() && !cube.time->days.empty()) {
    std::printf("time: %d dates, %s to %s (%s, %s)\n",
                static_cast<int>(cube.time->days.size()),
                cube::DayText(cube.time->days.front()).c_str(),
                cube::DayText(cube.time->days.back()).c_str(),
                cube.time->units.c_str(), cube.time->calendar.c_str());
  } else if (!cube.time_error.empty()) {
    std::printf("time: %s\n", cube.time_error.c_str());
  }
  if (cube.grid_mapping.has_value()) {
    std::printf("grid mapping: %s\n", cube.grid_mapping->name.c_str());
  }
  std::vector<std::vector<std::string>> rows = {
      {"VARIABLE", "TYPE", "DIMENSIONS", "STORAGE"}};
  for (const core::VariableInfo& variable : cube.variables) {
    rows.push_back({variable.name,
                    std::string(core::DataTypeName(variable.type)),
                    DimsText(variable.dims), StorageText(variable)});
  }
  std::fputs(TableText(rows).c_str(), stdout);
}

absl::StatusOr<int> RunCubeInfo(const CubeArguments& arguments,
                                OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const CubeOptions options, arguments.Parse());
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<const cube::Cube> cube,
                             client::OpenCube(options));
  if (format == OutputFormat::kJson) PrintJson(cube::CubeJson(cube->info()));
  if (format == OutputFormat::kTable) PrintCube(cube->info());
  return 0;
}

}  // namespace

void AddCubeCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group = AddCommand(root, line, "cube", "Look at cube files", "");
  group->require_subcommand(1);
  CLI::App* command =
      AddCommand(group, line, "info", "Describe a cube file",
                 "  internode cube info cube.nc\n"
                 "  internode cube info plain.h5 --dims time,y,x\n"
                 "  internode cube info cube.nc --output json");
  auto arguments = std::make_shared<CubeArguments>();
  command->add_option("FILE", arguments->path, "A NetCDF-4 or HDF5 file")
      ->required();
  AddCubeFileOptions(command, arguments.get());
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunCubeInfo(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
