#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/cli/arguments.h"
#include "client/cli/command.h"
#include "client/cli/cube_options.h"
#include "client/cli/report.h"
#include "client/convert.h"
#include "client/job_data.h"
#include "core/chunk_grid.h"
#include "core/iter_chunks.h"
#include "cube/segment_writer.h"

namespace internode::cli {
namespace {

struct ChunksArguments {
  CubeArguments cube;
  bool chunks_given = false;
  JobPartOptions part;
};

absl::StatusOr<core::ChunkGrid> GridOfFile(const CubeArguments& arguments) {
  JobOptions job;
  job.function = "noop";
  INTERNODE_ASSIGN_OR_RETURN(job.cube, arguments.Parse());
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<const client::JobData> state,
                             client::PlanLocally(job));
  return state->planned.grid;
}

absl::StatusOr<core::ChunkGrid> GridOfSizes(const CubeArguments& arguments,
                                            bool chunks_given) {
  if (!arguments.select.empty() || !arguments.variables.empty() ||
      !arguments.group.empty()) {
    return absl::InvalidArgumentError(
        "--select, --variables and --group need a cube file");
  }
  if (arguments.dimension_names.size() != 1) {
    return absl::InvalidArgumentError(
        "chunks needs a cube file, or --dims with sizes such as y=5,x=7");
  }
  INTERNODE_ASSIGN_OR_RETURN(
      const core::Dimensions dims,
      ParseSizes("--dims", arguments.dimension_names[0]));
  std::vector<std::string> core_dims;
  if (arguments.core_dims.has_value()) {
    INTERNODE_ASSIGN_OR_RETURN(core_dims,
                               ParseNames("--core-dims", *arguments.core_dims));
  }
  if (!chunks_given) return core::IterNoncoreChunks(dims, core_dims);
  INTERNODE_ASSIGN_OR_RETURN(const ChunkChoice choice,
                             ParseChunks(arguments.chunks));
  if (std::holds_alternative<AutoChunks>(choice)) {
    return absl::InvalidArgumentError(
        "--chunks auto needs a cube file, whose storage chunks it follows");
  }
  core::ChunkSizes sizes;
  const core::ChunkChoice chunks = client::ToCore(choice);
  if (const int64_t* size = std::get_if<int64_t>(&chunks)) sizes = *size;
  if (const auto* mapping = std::get_if<core::ChunkMapping>(&chunks)) {
    sizes = *mapping;
  }
  return core::IterNoncoreChunks(dims, core_dims, sizes);
}

void AppendJson(const core::Selection& selection,
                const std::vector<std::string>& keys, std::string* out) {
  out->push_back('{');
  for (size_t d = 0; d < keys.size(); ++d) {
    const core::Extent& extent = selection.extents[d];
    absl::StrAppend(out, d == 0 ? "" : ",", keys[d], ":");
    if (extent.is_index) {
      absl::StrAppend(out, extent.begin);
    } else {
      absl::StrAppend(out, "[", extent.begin, ",", extent.end, "]");
    }
  }
  out->append("}\n");
}

void AppendText(const core::Selection& selection, const core::Dimensions& dims,
                std::string* out) {
  for (size_t d = 0; d < dims.size(); ++d) {
    const core::Extent& extent = selection.extents[d];
    absl::StrAppend(out, d == 0 ? "" : " ", dims[d].name, "=", extent.begin);
    if (!extent.is_index) absl::StrAppend(out, ":", extent.end);
  }
  out->push_back('\n');
}

// Each selection is printed as soon as it is computed: a reader of the first
// ten does not wait for the other billion.
absl::Status PrintSelections(const core::ChunkGrid& grid,
                             const cube::SegmentFilePart& part,
                             OutputFormat format) {
  std::vector<std::string> keys;
  for (const core::Dimension& dim : grid.dims()) {
    keys.push_back(
        Json(dim.name).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  constexpr size_t kBuffer = 1 << 16;
  std::string text;
  for (int64_t i = part.first_chunk; i < part.end_chunk; ++i) {
    if (format == OutputFormat::kJson) {
      AppendJson(grid.Chunk(i), keys, &text);
    } else {
      AppendText(grid.Chunk(i), grid.dims(), &text);
    }
    if (text.size() < kBuffer && i + 1 < part.end_chunk) continue;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      return absl::InternalError("cannot write to the standard output");
    }
    text.clear();
  }
  return absl::OkStatus();
}

absl::StatusOr<int> RunChunks(const ChunksArguments& arguments,
                              OutputFormat format) {
  INTERNODE_RETURN_IF_ERROR(arguments.part.Check());
  INTERNODE_ASSIGN_OR_RETURN(
      const core::ChunkGrid grid,
      arguments.cube.path.empty()
          ? GridOfSizes(arguments.cube, arguments.chunks_given)
          : GridOfFile(arguments.cube));
  INTERNODE_ASSIGN_OR_RETURN(
      const cube::SegmentFilePart part,
      cube::PartOf(grid.num_chunks(), arguments.part.job_id,
                   arguments.part.job_total));
  if (format == OutputFormat::kQuiet) {
    std::printf("%lld\n",
                static_cast<long long>(part.end_chunk - part.first_chunk));
    return 0;
  }
  INTERNODE_RETURN_IF_ERROR(PrintSelections(grid, part, format));
  return 0;
}

}  // namespace

void AddChunksCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command = AddCommand(
      root, line, "chunks", "Print the selections that cut a cube into tasks",
      "  internode chunks --dims y=5,x=7 --chunks y=3\n"
      "  internode chunks --dims y=5,x=7 --output json\n"
      "  internode chunks cube.nc --chunks auto\n"
      "With sizes in --dims no --chunks gives every element once, by index; a\n"
      "dimension that --chunks does not name gets ranges of size 1.");
  auto arguments = std::make_shared<ChunksArguments>();
  command->add_option("CUBE", arguments->cube.path,
                      "A cube file, instead of sizes in --dims");
  AddCubeOptions(command, &arguments->cube);
  command->get_option("--dims")->description(
      "Sizes y=5,x=7 instead of a file; with a file, names as in run");
  AddJobPartOptions(command, &arguments->part);
  command->callback([command, arguments, line] {
    arguments->chunks_given = command->get_option("--chunks")->count() > 0;
    line->action = [arguments, line] {
      return RunChunks(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
