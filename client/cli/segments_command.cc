#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/report.h"
#include "core/attribute.h"
#include "cube/segment_merge.h"
#include "cube/segment_reader.h"
#include "internode/records.h"

namespace internode::cli {
namespace {

struct MergeArguments {
  std::vector<std::string> parts;
  std::string out;
  bool overwrite = false;
};

Json InfoJson(const cube::SegmentReader& reader,
              const cube::PixelStatusCounts& counts) {
  const cube::SegmentFileSpec& spec = reader.spec();
  Json dims = Json::object();
  for (const core::Dimension& dim : spec.grid.dims()) dims[dim.name] = dim.size;
  Json fields = Json::array();
  for (const core::Field& field : spec.schema->fields()) {
    fields.push_back({{"name", field.name},
                      {"type", std::string(core::DataTypeName(field.type))},
                      {"dims", field.dims}});
  }
  Json pixels = Json::object();
  for (size_t status = 0; status < counts.size(); ++status) {
    pixels[std::string(PixelStatusName(static_cast<PixelStatus>(status)))] =
        counts[status];
  }
  Json json = {
      {"schema", 1},
      {"path", reader.path()},
      {"algorithm", core::TextAttribute(spec.attributes, "algorithm")},
      {"algorithm_version",
       core::TextAttribute(spec.attributes, "algorithm_version")},
      {"parameters", core::TextAttribute(spec.attributes, "parameters")},
      {"history", spec.history},
      {"records", reader.num_records()},
      {"dims", dims},
      {"chunks", spec.grid.num_chunks()},
      {"pixels", pixels},
      {"fields", fields}};
  if (spec.part.has_value()) {
    json["part"] = {{"job_id", spec.part->id}, {"job_total", spec.part->total}};
  }
  return json;
}

void PrintInfo(const cube::SegmentReader& reader,
               const cube::PixelStatusCounts& counts) {
  const cube::SegmentFileSpec& spec = reader.spec();
  std::printf(
      "%s: %lld records of %s %s\n", reader.path().c_str(),
      static_cast<long long>(reader.num_records()),
      core::TextAttribute(spec.attributes, "algorithm").c_str(),
      core::TextAttribute(spec.attributes, "algorithm_version").c_str());
  if (spec.part.has_value()) {
    std::printf("part: %lld of %lld\n", static_cast<long long>(spec.part->id),
                static_cast<long long>(spec.part->total));
  }
  std::printf("grid: %s in %lld chunks\n",
              absl::StrJoin(spec.grid.dims(), ", ",
                            [](std::string* out, const core::Dimension& dim) {
                              absl::StrAppend(out, dim.name, "=", dim.size);
                            })
                  .c_str(),
              static_cast<long long>(spec.grid.num_chunks()));
  std::printf("command: %s\n", spec.history.c_str());
  std::vector<std::vector<std::string>> rows = {{"PIXELS", "STATUS"}};
  for (size_t status = 0; status < counts.size(); ++status) {
    if (counts[status] == 0) continue;
    rows.push_back(
        {absl::StrCat(counts[status]),
         std::string(PixelStatusName(static_cast<PixelStatus>(status)))});
  }
  std::fputs(TableText(rows).c_str(), stdout);
  rows = {{"FIELD", "TYPE", "DIMENSIONS"}};
  for (const core::Field& field : spec.schema->fields()) {
    rows.push_back({field.name, std::string(core::DataTypeName(field.type)),
                    absl::StrJoin(field.dims, ", ")});
  }
  std::fputs(TableText(rows).c_str(), stdout);
}

absl::StatusOr<int> RunInfo(const std::string& path, OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<cube::SegmentReader> reader,
                             cube::SegmentReader::Open(path));
  INTERNODE_ASSIGN_OR_RETURN(const cube::PixelStatusCounts counts,
                             reader->CountPixels());
  if (format == OutputFormat::kJson) PrintJson(InfoJson(*reader, counts));
  if (format == OutputFormat::kTable) PrintInfo(*reader, counts);
  return 0;
}

absl::StatusOr<int> RunMerge(const MergeArguments& arguments,
                             OutputFormat format) {
  cube::SegmentMergeOptions options;
  options.overwrite = arguments.overwrite;
  INTERNODE_RETURN_IF_ERROR(
      cube::MergeSegmentFiles(arguments.parts, arguments.out, options));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1},
               {"out", arguments.out},
               {"parts", arguments.parts.size()}});
  } else if (format == OutputFormat::kTable) {
    std::printf("%zu parts joined in %s\n", arguments.parts.size(),
                arguments.out.c_str());
  }
  return 0;
}

}  // namespace

void AddSegmentsCommand(CLI::App* root, CommandLine* line) {
  CLI::App* group =
      AddCommand(root, line, "segments", "Look at and join segment files", "");
  group->require_subcommand(1);

  CLI::App* info = AddCommand(group, line, "info", "Describe a segment file",
                              "  internode segments info segments.nc");
  auto path = std::make_shared<std::string>();
  info->add_option("FILE", *path, "A segment file")->required();
  info->callback([path, line] {
    line->action = [path, line] {
      return RunInfo(*path, line->global.output_format());
    };
  });

  CLI::App* merge = AddCommand(
      group, line, "merge", "Join the parts of a job into the file of one run",
      "  for i in 1 2 3; do\n"
      "    internode run stats cube.nc -o part$i.nc --job-id $i "
      "--job-total 3\n"
      "  done\n"
      "  internode segments merge part1.nc part2.nc part3.nc -o "
      "segments.nc");
  auto arguments = std::make_shared<MergeArguments>();
  merge->add_option("PART", arguments->parts, "The parts, in any order")
      ->required();
  merge->add_option("-o,--out", arguments->out, "The file to write")
      ->required()
      ->type_name("OUT.nc");
  merge->add_flag("--overwrite", arguments->overwrite,
                  "Replace the file if it exists");
  merge->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunMerge(*arguments, line->global.output_format());
    };
  });

  AddSegmentsPixelCommand(group, line);
}

}  // namespace internode::cli
