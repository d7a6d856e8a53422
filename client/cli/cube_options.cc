#include "client/cli/cube_options.h"

#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "client/cli/arguments.h"

namespace internode::cli {

void AddCubeFileOptions(CLI::App* app, CubeArguments* arguments) {
  app->add_option("--group", arguments->group,
                  "Path of the group that holds the cube")
      ->type_name("PATH");
  app->add_option("--dims", arguments->dimension_names,
                  "Names of the dimensions of a plain HDF5 file: time,y,x for "
                  "all, or variable=time,y,x; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("NAMES");
}

void AddCubeOptions(CLI::App* app, CubeArguments* arguments) {
  AddCubeFileOptions(app, arguments);
  app->add_option("--core-dims", arguments->core_dims,
                  "Dimensions handed whole to the function; by default time "
                  "and the bands")
      ->type_name("time,band");
  app->add_option("--chunks", arguments->chunks,
                  "Sizes of a task: y=100,x=100, one size for all, none, or "
                  "auto (whole storage chunks)")
      ->type_name("SIZES");
  app->add_option("--variables", arguments->variables,
                  "Variables or bands: a,b or role=a,...; none leaves a role "
                  "empty")
      ->type_name("NAMES");
  app->add_option("--select", arguments->select,
                  "Part of the non-core dimensions, half open")
      ->type_name("y=0:100,x=5:10");
  AddNodataOption(app, &arguments->nodata);
}

absl::StatusOr<CubeOptions> CubeArguments::Parse() const {
  CubeOptions options;
  options.path = path;
  options.group = group;
  for (const std::string& text : dimension_names) {
    INTERNODE_ASSIGN_OR_RETURN(DimensionNames names, ParseDimensionNames(text));
    options.dimension_names.push_back(std::move(names));
  }
  if (core_dims.has_value()) {
    INTERNODE_ASSIGN_OR_RETURN(options.core_dims,
                               ParseNames("--core-dims", *core_dims));
  }
  INTERNODE_ASSIGN_OR_RETURN(options.chunks, ParseChunks(chunks));
  if (!variables.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(options.variables, ParseVariables(variables));
  }
  if (!select.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(options.select, ParseSelect(select));
  }
  options.nodata = nodata.given;
  return options;
}

}  // namespace internode::cli
