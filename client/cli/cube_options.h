#ifndef INTERNODE_CLIENT_CLI_CUBE_OPTIONS_H_
#define INTERNODE_CLIENT_CLI_CUBE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "client/cli/options.h"
#include "internode/job.h"

namespace internode::cli {

// The options that say what of a cube is used, as text.
struct CubeArguments {
  std::string path;
  std::string group;
  std::vector<std::string> dimension_names;
  std::optional<std::string> core_dims;
  std::string chunks = "auto";
  std::string variables;
  std::string select;
  NodataOptions nodata;

  // Errors (kInvalidArgument) name the option.
  absl::StatusOr<CubeOptions> Parse() const;
};

// Adds --group and --dims: which part of a file is the cube.
void AddCubeFileOptions(CLI::App* app, CubeArguments* arguments);

// Adds those, and --core-dims, --chunks, --variables, --select, --nodata.
void AddCubeOptions(CLI::App* app, CubeArguments* arguments);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_CUBE_OPTIONS_H_
