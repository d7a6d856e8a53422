#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"

#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/pixel_plot.h"
#include "client/cli/pixel_view.h"
#include "client/cli/report.h"
#include "core/attribute.h"
#include "cube/segment_reader.h"
#include "internode/records.h"

namespace internode::cli {
namespace {

struct PixelArguments {
  std::string path;
  std::vector<double> xy;
  std::vector<int64_t> index;
  std::string cube;
  std::string group;
  std::string plot;
};

// The index along the dimension of `coordinate` that is nearest to `value`,
// which has to lie within half a pixel of one.
absl::StatusOr<int64_t> Nearest(const core::CoordinateInfo& coordinate,
                                double value) {
  const std::vector<double>& at = coordinate.values;
  size_t nearest = 0;
  for (size_t i = 1; i < at.size(); ++i) {
    if (std::abs(at[i] - value) < std::abs(at[nearest] - value)) nearest = i;
  }
  const size_t next = nearest == 0 ? 1 : nearest - 1;
  const double spacing =
      next < at.size() ? std::abs(at[next] - at[nearest]) : 0;
  // A touch more than half, for coordinates that were rounded.
  if (at.empty() || !(std::abs(at[nearest] - value) <= spacing * 0.500001)) {
    return absl::InvalidArgumentError(
        at.empty()
            ? absl::StrCat("the file has no coordinates along '",
                           coordinate.dim, "'; use --index")
            : absl::StrFormat(
                  "%s %.10g is outside the grid, which has %.10g to %.10g",
                  coordinate.dim, value, at.front(), at.back()));
  }
  return static_cast<int64_t>(nearest);
}

absl::StatusOr<std::vector<int64_t>> IndexOf(const cube::SegmentReader& reader,
                                             const PixelArguments& arguments) {
  const core::Dimensions& dims = reader.spec().grid.dims();
  if (arguments.xy.empty()) {
    if (arguments.index.size() == dims.size()) return arguments.index;
    return absl::InvalidArgumentError(absl::StrCat(
        "--index takes one number per dimension of the grid: ",
        absl::StrJoin(dims, " ",
                      [](std::string* out, const core::Dimension& dim) {
                        absl::StrAppend(out, dim.name);
                      })));
  }
  if (dims.size() != 2 || reader.spec().coordinates.empty()) {
    return absl::InvalidArgumentError(
        "--xy needs a grid with coordinates along its two dimensions; use "
        "--index");
  }
  std::vector<int64_t> index;
  for (size_t d = 0; d < 2; ++d) {
    core::CoordinateInfo none;
    none.dim = dims[d].name;
    const core::CoordinateInfo* coordinate = &none;
    for (const core::CoordinateInfo& known : reader.spec().coordinates) {
      if (known.dim == dims[d].name) coordinate = &known;
    }
    // Rows come first in the grid, X first in what the user gives.
    INTERNODE_ASSIGN_OR_RETURN(const int64_t i,
                               Nearest(*coordinate, arguments.xy[1 - d]));
    index.push_back(i);
  }
  return index;
}

bool IsDate(const core::Field& field) {
  return core::TextAttribute(field.attributes, "units") ==
         "days since 1970-01-01";
}

// Number `k` of a field: a date as text, a fill as null.
Json NumberJson(const core::RecordBatch& records, int64_t i, int field,
                int64_t k) {
  const core::Field& info =
      records.schema().fields()[static_cast<size_t>(field)];
  return core::VisitDataType(info.type, [&](auto zero) {
    const auto number = records.Get<decltype(zero)>(i, field, k);
    const double value = static_cast<double>(number);
    if (info.fill.has_value() && value == *info.fill) return Json();
    if (!IsDate(info)) return Json(number);
    if (!(std::abs(value) < 1e8)) return Json(number);
    return Json(absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) +
                                      static_cast<int64_t>(std::floor(value))));
  });
}

// A field: a number, or lists within lists.
Json FieldJson(const core::RecordBatch& records, int64_t i, int field,
               const std::vector<int64_t>& shape, size_t depth,
               int64_t offset) {
  if (depth == shape.size()) return NumberJson(records, i, field, offset);
  Json list = Json::array();
  for (int64_t k = 0; k < shape[depth]; ++k) {
    list.push_back(FieldJson(records, i, field, shape, depth + 1,
                             offset * shape[depth] + k));
  }
  return list;
}

Json RecordsJson(const core::RecordBatch& records) {
  const core::RecordSchema& schema = records.schema();
  Json list = Json::array();
  for (int64_t i = 0; i < records.num_records(); ++i) {
    Json record = Json::object();
    for (size_t f = 0; f < schema.fields().size(); ++f) {
      const int field = static_cast<int>(f);
      record[schema.fields()[f].name] =
          FieldJson(records, i, field, schema.shape(field), 0, 0);
    }
    list.push_back(std::move(record));
  }
  return list;
}

Json ObservationsJson(const ObservedPixel& observed) {
  Json dates = Json::array();
  for (const double day : observed.days) {
    dates.push_back(absl::FormatCivilTime(
        absl::CivilDay(1970, 1, 1) + static_cast<int64_t>(std::floor(day))));
  }
  Json bands = Json::object();
  for (const ObservedBand& band : observed.bands) {
    bands[band.label] = band.values;
  }
  return {{"dates", dates}, {"clear", observed.clear}, {"bands", bands}};
}

std::string PlaceText(const cube::SegmentReader& reader,
                      const std::vector<int64_t>& index) {
  std::vector<std::string> parts;
  for (size_t d = 0; d < index.size(); ++d) {
    parts.push_back(
        absl::StrCat(reader.spec().grid.dims()[d].name, "=", index[d]));
  }
  return absl::StrJoin(parts, ", ");
}

// The columns of one number each; the others are named below the table.
std::string RecordsText(const core::RecordBatch& records) {
  const core::RecordSchema& schema = records.schema();
  std::vector<std::vector<std::string>> rows(1);
  std::vector<std::string> arrays;
  for (size_t f = 0; f < schema.fields().size(); ++f) {
    const bool scalar = schema.shape(static_cast<int>(f)).empty();
    (scalar ? rows[0] : arrays).push_back(schema.fields()[f].name);
  }
  for (int64_t i = 0; i < records.num_records(); ++i) {
    std::vector<std::string>& row = rows.emplace_back();
    for (size_t f = 0; f < schema.fields().size(); ++f) {
      const int field = static_cast<int>(f);
      if (!schema.shape(field).empty()) continue;
      const Json value = NumberJson(records, i, field, 0);
      row.push_back(value.is_null()     ? "-"
                    : value.is_string() ? value.get<std::string>()
                                        : value.dump());
    }
  }
  std::string text = records.num_records() == 0 ? "" : TableText(rows);
  if (!arrays.empty() && records.num_records() > 0) {
    absl::StrAppend(&text, "also: ", absl::StrJoin(arrays, ", "),
                    " (--output json)\n");
  }
  return text;
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot write the drawing '", path, "'"));
}

absl::StatusOr<int> RunPixel(const PixelArguments& arguments,
                             OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<cube::SegmentReader> reader,
                             cube::SegmentReader::Open(arguments.path));
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<int64_t> index,
                             IndexOf(*reader, arguments));
  core::BlockResult result(reader->spec().schema);
  INTERNODE_RETURN_IF_ERROR(reader->ReadPixel(index, &result));
  ObservedPixel observed;
  if (!arguments.cube.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(
        observed,
        ReadObservations(*reader, arguments.cube, arguments.group, index));
  }
  const std::string place = PlaceText(*reader, index);
  if (!arguments.plot.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(const PixelCurves curves,
                               CurvesOf(*reader, result));
    INTERNODE_RETURN_IF_ERROR(WriteText(
        arguments.plot,
        PixelPlot(absl::StrCat(core::TextAttribute(reader->spec().attributes,
                                                   "algorithm"),
                               " at ", place),
                  curves, observed)));
  }
  const std::string status(
      PixelStatusName(static_cast<PixelStatus>(result.statuses()[0])));
  if (format == OutputFormat::kTable) {
    std::printf("%s: %s, %lld records\n%s", place.c_str(), status.c_str(),
                static_cast<long long>(result.records().num_records()),
                RecordsText(result.records()).c_str());
  } else if (format == OutputFormat::kJson) {
    Json json = {{"schema", 1},
                 {"path", reader->path()},
                 {"index", Json::object()},
                 {"status", status},
                 {"records", RecordsJson(result.records())}};
    for (size_t d = 0; d < index.size(); ++d) {
      json["index"][reader->spec().grid.dims()[d].name] = index[d];
    }
    if (!arguments.cube.empty()) {
      json["observations"] = ObservationsJson(observed);
    }
    PrintJson(json);
  }
  return 0;
}

}  // namespace

void AddSegmentsPixelCommand(CLI::App* group, CommandLine* line) {
  CLI::App* command = AddCommand(
      group, line, "pixel", "List and draw one pixel's segments",
      "  internode segments pixel segments.nc --index 10 25\n"
      "  internode segments pixel segments.nc --xy -2105000 1859000 --output "
      "json\n"
      "  internode segments pixel segments.nc --index 10 25 --cube cube.nc "
      "--plot pixel.svg");
  auto arguments = std::make_shared<PixelArguments>();
  command->add_option("FILE", arguments->path, "A segment file")->required();
  CLI::Option* xy = command->add_option(
      "--xy", arguments->xy, "Coordinates of the pixel, as the file has them");
  xy->expected(2)->type_name("X Y");
  CLI::Option* index = command->add_option(
      "--index", arguments->index,
      "Numbers of the pixel along the grid's dimensions, from 0");
  index->expected(1, 8)->type_name("ROW COL")->excludes(xy);
  command
      ->add_option("--cube", arguments->cube,
                   "The cube, for the observations of the pixel")
      ->type_name("CUBE");
  command
      ->add_option("--group", arguments->group,
                   "Path of the group that holds the cube")
      ->type_name("PATH");
  command
      ->add_option("--plot", arguments->plot,
                   "Draw observations, curves and breaks to this file")
      ->type_name("FILE.svg");
  command->callback([arguments, line] {
    line->action = [arguments, line]() -> absl::StatusOr<int> {
      if (arguments->xy.empty() && arguments->index.empty()) {
        return absl::InvalidArgumentError(
            "segments pixel needs --xy X Y or --index ROW COL");
      }
      return RunPixel(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
