// Prints what cube/ says about a file, as JSON, and writes the data of one
// block to a file; for the tests that compare it with other readers. With
// --serve, reads blocks of many files as it is asked on stdin: see Serve.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

#include "base/status_macros.h"
#include "core/block.h"
#include "core/cube_info.h"
#include "cube/block_reader.h"
#include "cube/cf_time.h"
#include "cube/cube.h"
#include "cube/read_pool.h"

namespace internode::cube {
namespace {

using nlohmann::json;

struct Arguments {
  std::string path;
  std::string group;
  std::vector<std::string> dimension_names;
  std::vector<std::string> variables;
  std::vector<std::string> core_dims = {"time"};
  std::vector<std::string> noncore_dims;
  std::vector<int64_t> begin;
  std::vector<int64_t> end;
  std::string data_path;
  bool cf_time = false;
  bool serve = false;
};

json ToJson(const core::Attributes& attributes) {
  json object = json::object();
  for (const core::Attribute& attribute : attributes) {
    std::visit([&](const auto& value) { object[attribute.name] = value; },
               attribute.value);
  }
  return object;
}

json ToJson(const core::Dimensions& dims) {
  json list = json::array();
  for (const core::Dimension& dim : dims) list.push_back({dim.name, dim.size});
  return list;
}

json ToJson(const core::VariableInfo& variable) {
  return {
      {"name", variable.name},
      {"type", core::DataTypeName(variable.type).data()},
      {"big_endian", variable.big_endian},
      {"dims", ToJson(variable.dims)},
      {"storage_chunks", variable.storage_chunks},
      {"storage", variable.storage},
      {"filters", variable.filters},
      {"missing", variable.missing},
      {"valid_min", variable.valid_min ? json(*variable.valid_min) : json()},
      {"valid_max", variable.valid_max ? json(*variable.valid_max) : json()},
      {"scale_factor", variable.scale_factor},
      {"add_offset", variable.add_offset},
      {"attributes", ToJson(variable.attributes)}};
}

json ToJson(const core::CubeInfo& info) {
  json object = {
      {"format", info.format},         {"group", info.group},
      {"dims", ToJson(info.dims)},     {"band_dim", info.band_dim},
      {"time_error", info.time_error}, {"attributes", ToJson(info.attributes)}};
  for (const core::VariableInfo& variable : info.variables) {
    object["variables"].push_back(ToJson(variable));
  }
  object["skipped"] = json::object();
  for (const core::SkippedVariable& skipped : info.skipped) {
    object["skipped"][skipped.name] = skipped.reason;
  }
  object["coordinates"] = json::object();
  for (const core::CoordinateInfo& coordinate : info.coordinates) {
    object["coordinates"][coordinate.dim] = {
        {"values", coordinate.values},
        {"labels", coordinate.labels},
        {"attributes", ToJson(coordinate.attributes)}};
  }
  if (info.time.has_value()) {
    object["time"] = {{"dim", info.time->dim},
                      {"units", info.time->units},
                      {"calendar", info.time->calendar},
                      {"days", info.time->days}};
  }
  if (info.grid_mapping.has_value()) {
    object["grid_mapping"] = {
        {"name", info.grid_mapping->name},
        {"attributes", ToJson(info.grid_mapping->attributes)}};
  }
  return object;
}

// The series of the variables asked for, a band each where there are bands.
core::BlockRequest Request(const core::CubeInfo& info,
                           const Arguments& arguments) {
  core::BlockRequest request;
  request.core_dims = arguments.core_dims;
  request.noncore_dims = arguments.noncore_dims;
  for (const std::string& name : arguments.variables) {
    const core::VariableInfo* variable = info.FindVariable(name);
    int64_t bands = -1;
    if (variable != nullptr) {
      for (const core::Dimension& dim : variable->dims) {
        if (dim.name == info.band_dim) bands = dim.size;
      }
    }
    for (const std::string& dim : request.noncore_dims) {
      if (dim == info.band_dim) bands = -1;
    }
    if (bands < 0) request.series.push_back({name, -1});
    for (int64_t b = 0; b < bands; ++b) request.series.push_back({name, b});
  }
  return request;
}

json BlockJson(const core::BlockRequest& request, const core::Block& block) {
  json series = json::array();
  for (size_t s = 0; s < request.series.size(); ++s) {
    const core::SeriesLayout& layout = block.layout().series[s];
    series.push_back({{"variable", request.series[s].variable},
                      {"band", request.series[s].band},
                      {"dtype", core::NumpyTypeName(layout.type).data()},
                      {"offset", layout.offset},
                      {"count", layout.count}});
  }
  return json{{"pixel_stride", block.layout().pixel_stride},
              {"num_pixels", block.num_pixels()},
              {"series", series}};
}

absl::StatusOr<json> DumpBlock(std::shared_ptr<const Cube> cube,
                               const Arguments& arguments) {
  const core::BlockRequest request = Request(cube->info(), arguments);
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<BlockReader> reader,
                             NewBlockReader(cube, request));
  core::Selection selection;
  for (size_t d = 0; d < arguments.begin.size(); ++d) {
    selection.extents.push_back(
        core::Extent::Range(arguments.begin[d], arguments.end[d]));
  }
  core::Block block;
  INTERNODE_RETURN_IF_ERROR(reader->Read(selection, &block));
  std::ofstream out(arguments.data_path, std::ios::binary);
  const int64_t bytes = block.num_pixels() * reader->layout().pixel_stride;
  if (bytes > 0) {
    out.write(reinterpret_cast<const char*>(block.pixel(0)), bytes);
  }
  if (!out.flush()) return absl::UnknownError("cannot write the data");
  return BlockJson(request, block);
}

absl::StatusOr<json> Dump(const Arguments& arguments) {
  OpenOptions options;
  options.group = arguments.group;
  for (const std::string& text : arguments.dimension_names) {
    INTERNODE_ASSIGN_OR_RETURN(DimensionNames names, ParseDimensionNames(text));
    options.dimension_names.push_back(std::move(names));
  }
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<const Cube> cube,
                             Cube::Open(arguments.path, options));
  json object = ToJson(cube->info());
  if (!arguments.data_path.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(object["block"], DumpBlock(cube, arguments));
  }
  return object;
}

// A cube and the reader of one request to it, kept open.
struct OpenReader {
  std::shared_ptr<const Cube> cube;
  core::BlockRequest request;
  std::shared_ptr<ReadPool> pool;
  std::unique_ptr<BlockReader> reader;
};

absl::StatusOr<OpenReader> OpenFor(const json& question) {
  Arguments arguments;
  arguments.variables = question.at("variables");
  arguments.core_dims = question.at("core");
  arguments.noncore_dims = question.at("noncore");
  OpenOptions options;
  options.group = question.value("group", "");
  if (question.contains("dims")) {
    options.dimension_names.push_back({"", question.at("dims")});
  }
  OpenReader open;
  INTERNODE_ASSIGN_OR_RETURN(
      open.cube, Cube::Open(question.at("path").get<std::string>(), options));
  open.request = Request(open.cube->info(), arguments);
  BlockReaderOptions reading;
  reading.cache_bytes = question.value("cache_bytes", reading.cache_bytes);
  open.pool = std::make_shared<ReadPool>(reading.cache_bytes);
  reading.pool = open.pool;
  INTERNODE_ASSIGN_OR_RETURN(open.reader,
                             NewBlockReader(open.cube, open.request, reading));
  return open;
}

bool SameBytes(const core::Block& a, const core::Block& b, int64_t series) {
  const core::SeriesLayout& layout =
      a.layout().series[static_cast<size_t>(series)];
  const auto bytes =
      static_cast<size_t>(layout.count * core::DataTypeBytes(layout.type));
  for (int64_t p = 0; p < a.num_pixels(); ++p) {
    if (std::memcmp(a.pixel(p) + layout.offset, b.pixel(p) + layout.offset,
                    bytes) != 0) {
      return false;
    }
  }
  return true;
}

// Reads `selection` on several threads at once, which must agree.
absl::Status ReadOnThreads(BlockReader* reader,
                           const core::Selection& selection,
                           std::vector<core::Block>* blocks) {
  std::vector<absl::Status> statuses(blocks->size());
  std::vector<std::thread> threads;
  for (size_t t = 1; t < blocks->size(); ++t) {
    threads.emplace_back(
        [&, t] { statuses[t] = reader->Read(selection, &(*blocks)[t]); });
  }
  statuses[0] = reader->Read(selection, &(*blocks)[0]);
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) {
    INTERNODE_RETURN_IF_ERROR(status);
  }
  const auto series = static_cast<int64_t>(reader->layout().series.size());
  for (size_t t = 1; t < blocks->size(); ++t) {
    for (int64_t s = 0; s < series; ++s) {
      if (!SameBytes((*blocks)[0], (*blocks)[t], s)) {
        return absl::InternalError("threads read different data");
      }
    }
  }
  return absl::OkStatus();
}

// Answers questions, one JSON object per line on stdin:
//
//   {"path": …, "variables": […], "core": […], "noncore": […],
//    "begin": […], "end": […]}, with "dims" (names), "group", "threads" and
//   "cache_bytes" if need be; "close": true forgets the file instead.
//
// The answer is a line of JSON: {"block": …, "fast": …}, which the block's
// bytes follow, or {"error": …, "code": …}.
class Server {
 public:
  void Run() {
    std::string line;
    while (std::getline(std::cin, line)) {
      const json question = json::parse(line);
      if (question.value("close", false)) {
        readers_.clear();
        std::cout << "{}" << std::endl;
        continue;
      }
      const absl::Status status = Answer(question);
      if (status.ok()) continue;
      std::cout << json{{"error", std::string(status.message())},
                        {"code", absl::StatusCodeToString(status.code())}}
                       .dump(-1, ' ', false, json::error_handler_t::replace)
                << std::endl;
    }
  }

 private:
  absl::Status Answer(const json& question) {
    json key = question;
    for (const char* own : {"begin", "end", "threads"}) key.erase(own);
    OpenReader& open = readers_[key.dump()];
    if (open.reader == nullptr) {
      INTERNODE_ASSIGN_OR_RETURN(open, OpenFor(question));
    }
    core::Selection selection;
    const std::vector<int64_t> begin = question.at("begin");
    const std::vector<int64_t> end = question.at("end");
    for (size_t d = 0; d < begin.size(); ++d) {
      selection.extents.push_back(core::Extent::Range(begin[d], end[d]));
    }
    blocks_.resize(question.value("threads", size_t{1}));
    INTERNODE_RETURN_IF_ERROR(
        ReadOnThreads(open.reader.get(), selection, &blocks_));
    const core::Block& block = blocks_[0];
    const ReadCounters counters = open.pool->counters();
    // What this reader has read without the HDF5 library so far.
    const json fast = {
        {"chunks", counters.chunks_decoded + counters.chunks_reused +
                       counters.chunks_absent},
        {"bytes", counters.read_bytes}};
    std::cout << json{{"block", BlockJson(open.request, block)}, {"fast", fast}}
                     .dump()
              << '\n';
    const int64_t bytes = block.num_pixels() * block.layout().pixel_stride;
    if (bytes > 0) {
      std::cout.write(reinterpret_cast<const char*>(block.pixel(0)), bytes);
    }
    std::cout << std::flush;
    return absl::OkStatus();
  }

  std::map<std::string, OpenReader> readers_;
  // Used again and again: what one block leaves must not shine through.
  std::vector<core::Block> blocks_;
};

// Decodes lines of "units;calendar;value" on stdin.
void DecodeTimes() {
  std::string units;
  std::string calendar;
  std::string value;
  while (std::getline(std::cin, units, ';') &&
         std::getline(std::cin, calendar, ';') &&
         std::getline(std::cin, value)) {
    const absl::StatusOr<CfTime> time = CfTime::Parse(units, calendar);
    if (time.ok()) {
      std::printf("%.17g\n", time->Days(std::stod(value)));
    } else {
      std::printf("error: %s\n", std::string(time.status().message()).c_str());
    }
  }
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Prints what cube/ says about a file");
  app.add_option("path", arguments.path);
  app.add_option("--group", arguments.group);
  app.add_option("--dimension-names", arguments.dimension_names);
  app.add_option("--variables", arguments.variables)->delimiter(',');
  app.add_option("--core-dims", arguments.core_dims)->delimiter(',');
  app.add_option("--noncore-dims", arguments.noncore_dims)->delimiter(',');
  app.add_option("--begin", arguments.begin)->delimiter(',');
  app.add_option("--end", arguments.end)->delimiter(',');
  app.add_option("--data", arguments.data_path);
  app.add_flag("--cf-time", arguments.cf_time);
  app.add_flag("--serve", arguments.serve);
  CLI11_PARSE(app, argc, argv);
  if (arguments.cf_time) {
    DecodeTimes();
    return 0;
  }
  if (arguments.serve) {
    Server().Run();
    return 0;
  }
  const absl::StatusOr<json> result = Dump(arguments);
  if (!result.ok()) {
    std::fprintf(stderr, "error: %s: %s\n",
                 absl::StatusCodeToString(result.status().code()).c_str(),
                 std::string(result.status().message()).c_str());
    return 1;
  }
  std::printf(
      "%s\n",
      result->dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  return 0;
}

}  // namespace
}  // namespace internode::cube

int main(int argc, char** argv) { return internode::cube::Main(argc, argv); }
